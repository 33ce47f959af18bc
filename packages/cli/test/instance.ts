// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { ProbeInstance, Settings } from '../src/assess/probe.ts'
import { startThrowAwayInstance, type ThrowAwayInstance } from '../src/assess/throw-away-instance.ts'
import type { Acted } from './operator-process.ts'

/**
 * A throw-away instance for tests that meet it often: a process that stays does what the operator wants, where the
 * instance of an assessment starts one for each act, which takes most of a second.
 */
export async function startInstance(settings: Settings = {}): Promise<ThrowAwayInstance> {
  const real = await startThrowAwayInstance(settings)
  const opened: ThrowAwayInstance[] = []
  const operator = openOperator(real)
  return {
    ...real,
    operate: operator.act,
    async startOther(wanted) {
      const other = await startInstance(wanted)
      opened.push(other)
      return other
    },
    async stop() {
      operator.close()
      await Promise.all([real.stop(), ...opened.map(other => other.stop())])
    },
  }
}

/** The process, started by the first act. It answers in the order in which it is asked. */
function openOperator({ surroundings }: ThrowAwayInstance): { act: ProbeInstance['operate']; close(): void } {
  const line: PromiseWithResolvers<string>[] = []
  let child: ChildProcess | undefined
  const start = () => {
    const execArgv = ['--disable-warning=ExperimentalWarning']
    const started = fork(join(import.meta.dirname, 'operator-process.ts'), { ...surroundings, execArgv })
    started.on('message', ({ code, printed }: Acted) => {
      const first = line.shift()
      if (code === 0) first?.resolve(printed)
      else first?.reject(new Error(`the act ended with exit code ${code}`))
    })
    return started.on('exit', () => {
      for (const each of line.splice(0)) each.reject(new Error('the process of the operator ended'))
    })
  }
  return {
    act(...words) {
      child ??= start()
      child.send([...words, '--data', surroundings.cwd])
      const waiting = Promise.withResolvers<string>()
      line.push(waiting)
      return waiting.promise
    },
    close: () => void child?.disconnect(),
  }
}
