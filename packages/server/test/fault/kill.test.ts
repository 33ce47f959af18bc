// SPDX-License-Identifier: Apache-2.0
/** Instances that are killed, or asked to stop, while several clients publish. `npm run soak:kill` does the first for longer. */
import assert from 'node:assert/strict'
import { execFile, fork, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { publishDocument, put, startLive } from '../live.ts'
import { request } from '../request.ts'
import { killAgainAndAgain } from './kill.ts'
import { type Acknowledged, verifyAcknowledged, verifyFolder } from './verify.ts'

const launcher = fileURLToPath(new URL('../../../cli/bin/holdfast.js', import.meta.url))
const operatorScript = fileURLToPath(new URL('./restless-operator.ts', import.meta.url))
const kills = 9

test(
  `after each of ${kills} kills under load every acknowledged version is there and verifies`,
  { timeout: 300_000 },
  () =>
    withFolder(async folder => {
      const report = await killAgainAndAgain(folder, kills, 3)
      // Enough to lose one; how many there are is a matter of how fast the machine is.
      assert.ok(report.acknowledged > kills / 4, `only ${report.acknowledged} versions were acknowledged`)
    }),
)

test(
  'an operator command killed in the middle of a change disturbs no server on the folder',
  { timeout: 120_000 },
  () =>
    withFolder(async folder => {
      const live = await startLive({ folder })
      await (await put(live, 'watched', publishDocument('watched', '1.0.0'))).text()
      for (let round = 0; round < 6; round++) {
        const env = { NODE_COMPILE_CACHE: join(folder, 'compile-cache'), ...process.env }
        const child = fork(operatorScript, [folder, 'watched'], {
          env,
          stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        })
        await once(child, 'message')
        const publishing = put(live, 'watched', publishDocument('watched', `1.1.${round}`))
        await delay(randomInt(5, 60))
        child.kill('SIGKILL')
        await once(child, 'exit')
        const answer = await publishing
        assert.equal(answer.status, 201, await answer.text())
        assert.equal((await request(live.url, 'GET', '/npm/watched')).status, 200)
      }
      assert.deepEqual(live.errors, [])
      await live.stop()
      await verifyFolder(folder)
    }),
)

test(
  'SIGTERM under load: what was acknowledged is kept, nobody is cut off in the middle, and it ends in time',
  { timeout: 120_000 },
  () =>
    withFolder(async folder => {
      const child = spawn(
        process.execPath,
        [launcher, 'serve', '--no-origin', '--port', '0', '--data', folder],
        {
          stdio: ['ignore', 'pipe', 'ignore'],
        },
      )
      const exit = once(child, 'exit')
      const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
      const url = line.replace('listening on ', '')
      const operate = async (...args: string[]) =>
        (
          await promisify(execFile)(process.execPath, [launcher, 'operator', ...args, '--data', folder])
        ).stdout.trim()
      await operate('host', '*')
      const token = await operate('token', '--user', 'alice', '--publish', '*')
      const acknowledged: Acknowledged[] = []
      let isStopping = false
      const failures: unknown[] = []
      const publish = async (client: number) => {
        for (let patch = 0; !isStopping; patch++) {
          const [name, version] = [`load-${client}`, `1.0.${patch}`]
          const answer = await put({ url, token }, name, publishDocument(name, version)).catch(
            error => void failures.push(error),
          )
          if (answer?.status === 201) acknowledged.push({ name, version })
        }
      }
      const read = async () => {
        // A client that never lets go of its connection, and never stops asking on it.
        while (
          await request(url, 'GET', '/npm/load-0').then(
            () => true,
            () => false,
          )
        );
      }
      const work = [0, 1, 2, 3].map(publish)
      const reading = [read(), read()]
      while (acknowledged.length < 8) await delay(20)
      child.kill('SIGTERM')
      isStopping = true
      // Code 1 would say that stopping took longer than it may; a signal, that something had to be cut off.
      assert.deepEqual(await exit, [0, null])
      await Promise.all([...work, ...reading])
      // What was on its way when the signal came was answered: nobody started anything after it.
      assert.deepEqual(failures, [])
      const again = await startLive({ folder })
      await verifyAcknowledged(again.url, acknowledged)
      await again.stop()
      await verifyFolder(folder)
    }),
)

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
