// SPDX-License-Identifier: Apache-2.0
/** Advisories come in: what changes, what stays, and who has to look anew. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { PackageName } from '@holdfast/core'
import { applyPolicy, takeAdvisories } from '../../src/flow/index.ts'
import { nobody, operator } from '../../src/identity/index.ts'
import type { OsvFound } from '../../src/vulnerability/index.ts'
import { openWorld, type Someone, type World } from '../world.ts'

let world: World
let ann: Someone

before(async () => {
  world = await openWorld()
  ann = await world.someone('ann')
  for (const name of ['touched', 'left-alone']) {
    await world.publish(ann, name, '1.0.0')
    await world.publish(ann, name, '1.0.1')
  }
  const rule = { kind: 'malware', action: 'block', mode: 'enforce', origins: ['hosted'] } as const
  const more = { name: 'malware', packages: ['*'], except: [] } as const
  await applyPolicy(world.ports, operator, [{ ...rule, ...more }] as never)
})
after(() => world.close())

function record(id: string, names: readonly string[], more: object = {}): OsvFound {
  const affected = names.map(name => ({ package: { ecosystem: 'npm', name }, versions: ['1.0.1'] }))
  const told = { id, modified: '2026-01-02T00:00:00Z', summary: 'steals', affected, ...more }
  return { kind: 'record', from: 'feed', record: told, text: JSON.stringify(told) }
}

const take = (...found: OsvFound[]) => takeAdvisories(world.ports, operator, 'feed', found)
const status = async (name: string) => (await world.npm(`GET /${name}/-/${name}-1.0.1.tgz`)).status
const known = (name: string) => world.ports.store.policy.listAdvisories(name as PackageName)

test('what comes in closes what it names, what is withdrawn opens it, and others need not look anew', async () => {
  await world.npm('GET /left-alone')
  await world.npm('GET /touched')
  await delay(20)
  const kept = world.ports.documents.peek('left-alone', 'full')
  assert.ok(kept !== undefined && world.ports.documents.peek('touched', 'full') !== undefined)
  const policy = (await world.ports.store.policy.current())?.version
  assert.equal((await take(record('MAL-1', ['touched']))).changed, 1)
  assert.equal(world.ports.documents.peek('touched', 'full'), undefined)
  assert.equal(world.ports.documents.peek('left-alone', 'full'), kept)
  assert.equal((await world.ports.store.policy.current())?.version, policy)
  assert.deepEqual(Object.keys((await world.npm('GET /touched')).body.versions), ['1.0.0'])
  assert.deepEqual([await status('touched'), await status('left-alone')], [403, 200])
  const withdrawn = { modified: '2026-01-03T00:00:00Z', withdrawn: '2026-01-03T00:00:00Z' }
  await take(record('MAL-1', ['touched'], withdrawn))
  assert.equal(await status('touched'), 200)
  assert.deepEqual(Object.keys((await world.npm('GET /touched')).body.versions), ['1.0.0', '1.0.1'])
})

test('a record gives way to a newer one and to no older one, and forgets the packages that it no longer names', async () => {
  await take(record('MAL-2', ['touched', 'left-alone'], { modified: '2026-02-02T00:00:00Z' }))
  assert.deepEqual([await status('touched'), await status('left-alone')], [403, 403])
  assert.equal((await take(record('MAL-2', [], { modified: '2026-02-01T00:00:00Z' }))).changed, 0)
  assert.equal(await status('left-alone'), 403)
  assert.equal((await take(record('MAL-2', ['left-alone'], { modified: '2026-02-03T00:00:00Z' }))).changed, 1)
  assert.deepEqual([await status('touched'), await status('left-alone')], [200, 403])
  await take(record('MAL-2', [], { modified: '2026-02-04T00:00:00Z' }))
  assert.equal(await status('left-alone'), 200)
  assert.deepEqual(await known('left-alone'), [])
})

test('what is malformed is told and the rest goes in; the feed says how that went', async () => {
  const bad: OsvFound = {
    kind: 'record',
    from: 'odd.json',
    record: { id: 'MAL-x', modified: 'soon' },
    text: '{}',
  }
  const torn: OsvFound = { kind: 'fault', from: 'torn.json', why: 'it is no JSON in UTF-8' }
  const fine = record('MAL-3', ['elsewhere'])
  const so = await take(bad, torn, fine)
  assert.deepEqual([so.read, so.changed, so.faults], [1, 1, 2])
  assert.deepEqual(so.told, ['odd.json: MAL-x: modified must be a time', 'torn.json: it is no JSON in UTF-8'])
  assert.equal((await known('elsewhere')).length, 1)
  const [stored] = await world.ports.store.advisories.listRecords(['MAL-3'])
  assert.equal(stored?.text, fine.kind === 'record' ? fine.text : '')
  const [feed] = await world.ports.store.advisories.listFeeds()
  const { changedAt } = feed ?? {}
  assert.deepEqual([feed?.name, feed?.records, feed?.faults], ['feed', 1, 2])
  world.advance(60_000)
  assert.equal((await take(fine)).changed, 0)
  const [later] = await world.ports.store.advisories.listFeeds()
  assert.deepEqual([later?.takenAt, later?.changedAt, later?.fault], [world.now(), changedAt, ''])
})

test('who may not operate brings nothing in', async () => {
  await assert.rejects(takeAdvisories(world.ports, nobody, 'feed', [record('MAL-4', ['touched'])]))
  assert.equal(await status('touched'), 200)
})

test('a load is a few events, and none where nothing is new', async () => {
  const many = Array.from({ length: 1200 }, (_, at) => record(`MAL-many-${at}`, [`many-${at}`]))
  const head = await world.ports.store.events.head()
  const heard: number[] = []
  const so = await takeAdvisories(world.ports, operator, 'many', many, ({ changed }) => heard.push(changed))
  assert.equal(so.changed, 1200)
  assert.deepEqual(heard, [500, 1000, 1200])
  const loads = (await world.ports.store.events.read(head, 100)).filter(each => each.type === 'advisory')
  assert.equal(loads.length, 3)
  const after = await world.ports.store.events.head()
  await takeAdvisories(world.ports, operator, 'many', many)
  const more = (await world.ports.store.events.read(after, 100)).filter(each => each.type === 'advisory')
  assert.equal(more.length, 0)
})
