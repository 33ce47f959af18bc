// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Host, openHost, saidBy } from '../../server/test/host.ts'
import type { ProbeInstance, Settings } from '../src/assess/probe.ts'

/** An instance for tests of probes: like the throw-away one of an assessment, but no process of its own, nor are its operator's acts. */
export interface ProbedInstance extends ProbeInstance {
  readonly data: string
  startOther(settings: Settings): Promise<ProbedInstance>
  /** Ends it and removes the folder; likewise those that were started from here. */
  stop(): Promise<void>
}

/** Starts one, with a process that it shares with those that are started from it. */
export async function startInstance(settings: Settings = {}): Promise<ProbedInstance> {
  const host = openHost()
  const instance = await startIn(host, settings)
  return {
    ...instance,
    async stop() {
      await instance.stop()
      await host.close()
    },
  }
}

async function startIn(host: Host, wanted: Settings): Promise<ProbedInstance> {
  const data = await mkdtemp(join(tmpdir(), 'holdfast-probed-'))
  const settings = { HOLDFAST_ORIGINS: 'none', ...wanted }
  const others: ProbedInstance[] = []
  const url = await host.start(data, settings).catch(async error => {
    await rm(data, { recursive: true, force: true })
    throw error
  })
  return {
    url,
    data,
    operate: async (...words) =>
      saidBy(await host.run(data, settings, ['operator', ...words, '--data', data])),
    async startOther(more) {
      const other = await startIn(host, { ...settings, ...more })
      others.push(other)
      return other
    },
    async stop() {
      await Promise.all([host.stop(url), ...others.map(other => other.stop())])
      await rm(data, { recursive: true, force: true })
    },
  }
}
