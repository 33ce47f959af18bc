// SPDX-License-Identifier: Apache-2.0
/** From a case to an advisory that everybody reads, and files for those who keep such things elsewhere. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parsePackageName, parseVersion } from '@holdfast/core'
import { strFromU8, unzipSync } from 'fflate'
import { takeMeasure } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { assertValid } from '../schema.ts'
import { get, post, type Visit } from '../web/site.ts'
import { openWorld, type World } from '../world.ts'

let world: World
let visit: Visit
let path = ''

before(async () => {
  world = await openWorld()
  const alice = await world.someone('alice')
  visit = await world.browse(await world.someone('rae', ['responder']))
  for (const version of ['1.0.0', '1.0.1']) await world.publish(alice, 'thief', version)
  const body = { package: 'thief', version: '1.0.1', kind: 'malware', words: 'it steals' }
  await world.ask('POST /api/v1/reports', { token: alice.token, body })
  const [found] = await world.ports.store.incident.listCases(Number.MAX_SAFE_INTEGER, 1)
  path = `/operate/cases/${found?.id}`
})
after(async () => {
  assert.deepEqual(world.errors, [])
  await world.check()
  await world.close()
})

const act = async (fields: Readonly<Record<string, string>>) =>
  (await post(world, path, fields, visit)).status

test('what may still be installed is not called malware', async () => {
  assert.equal(await act({ act: 'advise', advice: 'it steals' }), 400)
  assert.equal((await get(world, `${path}/submission.zip`, visit)).status, 404)
})

test('a quarantined version of a case has an advisory, a banner, an entry of the log and files for others', async () => {
  const subject = { name: parsePackageName('thief'), version: parseVersion('1.0.1') }
  await takeMeasure(world.ports, operator, 'quarantine', subject, { code: 'malware', words: 'x' })
  assert.equal(await act({ act: 'indicator', of: 'domain', value: 'collector.example' }), 303)
  assert.equal(await act({ act: 'advise', advice: 'It sends keys to collector.example.' }), 303)
  assert.match((await get(world, '/package/npm/thief')).text, /There is malware in this package/)
  const query = { package: { ecosystem: 'npm', name: 'thief' }, version: '1.0.1' }
  const [known] = (await world.ask('POST /osv/v1/query', { body: query })).body.vulns
  assert.match(known.details, /It sends keys/)
  const events = await world.ports.store.events.read(0, 1000)
  assert.ok(events.some(each => each.type === 'advisory' && each.leaf?.includes(known.id)))
  const packed = await fetch(`${world.url}${path}/submission.zip`, {
    headers: { cookie: visit.cookie ?? '' },
  })
  const files = unzipSync(new Uint8Array(await packed.arrayBuffer()))
  const names = Object.keys(files).sort()
  assert.match(
    names.join(' '),
    /^REPORT\.md cve\/thief\.json osv\/malicious\/npm\/thief\/MAL-0000-\S+\.json$/,
  )
  const read = (name = '') => strFromU8(files[name] ?? new Uint8Array())
  const osv = JSON.parse(read(names[2]))
  for (const each of [known, osv]) assertValid('osv', each)
  assert.deepEqual(osv.affected[0].versions, ['1.0.1'])
  const { cna } = JSON.parse(read(names[1])).containers
  assert.deepEqual(cna.affected[0].versions, [{ version: '1.0.1', status: 'affected' }])
  assert.match(read(names[0]), /1\.0\.1: `sha512-[\s\S]*collector\.example[\s\S]*quarantine thief@1\.0\.1/)
  assert.doesNotMatch(read(names[0]), /alice|rae/)
})

test('withdrawn, it counts no longer', async () => {
  assert.equal(await act({ act: 'withdraw', advice: 'it was a test' }), 303)
  assert.doesNotMatch((await get(world, '/package/npm/thief')).text, /There is malware in this package/)
  const query = { package: { ecosystem: 'npm', name: 'thief' }, version: '1.0.1' }
  assert.equal((await world.ask('POST /osv/v1/query', { body: query })).body.vulns?.length ?? 0, 0)
})
