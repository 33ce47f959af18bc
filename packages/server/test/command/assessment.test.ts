// SPDX-License-Identifier: Apache-2.0
/** A registry that assesses itself: the configuration it takes over, and the process that does it. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readAssessedSettings } from '../../src/command/index.ts'
import { assessWeekly } from '../../src/command/self-assessment.ts'
import { keepAssessment } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { openWorld } from '../world.ts'

const weekMs = 7 * 24 * 3600_000

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('an assessment takes over what decides, and nothing that reaches somebody or names a place', async t => {
  const file = join(await makeFolder(t), 'holdfast.yaml')
  await writeFile(
    file,
    'mfa: optional\nunpublishHours: 24\nsmtp: smtp://mail.example\ndatabase: postgres://db.example/x\npolicy:\n  - kind: malware\n',
  )
  assert.deepEqual(readAssessedSettings(file), {
    HOLDFAST_MFA: 'optional',
    HOLDFAST_UNPUBLISH_HOURS: '24',
    HOLDFAST_POLICY: '[{"kind":"malware"}]',
  })
  await writeFile(file, 'mfa: [')
  assert.throws(() => readAssessedSettings(file), { name: 'ConfigFaults' })
})

test('it is done once a week, by one process, and ended with the registry', async t => {
  const world = await openWorld()
  t.after(() => world.close())
  const folder = await makeFolder(t)
  const program = join(folder, 'assess.mjs')
  const runs = join(folder, 'runs')
  await writeFile(
    program,
    `import { appendFileSync } from 'node:fs'\nappendFileSync(${JSON.stringify(runs)}, process.pid + ' ')\nsetTimeout(() => {}, 60_000)\n`,
  )
  const log = { request() {}, flush() {}, say() {} }
  const begin = () => assessWeekly(world.ports, log, [program], 1)
  const pids = async () => (await readFile(runs, 'utf8').catch(() => '')).trim().split(' ').filter(Boolean)
  const ends = [begin(), begin()]
  while ((await pids()).length === 0) await delay(20)
  await delay(300)
  const [pid, ...others] = (await pids()).map(Number)
  assert.deepEqual(others, [])
  for (const end of ends) end()
  while (isRunning(pid ?? 0)) await delay(20)
  const kept = { release: '0.1.0', at: new Date(0).toISOString(), levels: {}, capabilities: [] }
  await keepAssessment(world.ports, operator, JSON.stringify(kept))
  world.advance(weekMs - 1000)
  const early = begin()
  await delay(300)
  early()
  assert.equal((await pids()).length, 1)
  world.advance(2000)
  const due = begin()
  while ((await pids()).length < 2) await delay(20)
  due()
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
