// SPDX-License-Identifier: Apache-2.0
/** Advisories as osv.dev serves them: queries, batches, records, the zip and the feed. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { unzipSync } from 'fflate'
import { takeAdvisories } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { writeZip } from '../../src/protocol/osv/zip.ts'
import { openWorld, type Someone, type World } from '../world.ts'

let world: World
let ann: Someone

const record = (id: string, names: readonly string[], more: object = {}) => ({
  schema_version: '1.7.0',
  id,
  modified: '2026-01-02T00:00:00Z',
  summary: `trouble <b>&\u0007 of ${id}`,
  affected: names.map(name => ({
    package: { ecosystem: 'npm', name },
    ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '2.0.0' }] }],
  })),
  ...more,
})
const records = [
  record('GHSA-one', ['ui'], { 'x-odd': { deep: [1, null] }, aliases: ['CVE-1'] }),
  record('GHSA-two', ['ui', '@acme/tool']),
  record('GHSA-old', ['ui'], { withdrawn: '2026-01-03T00:00:00Z', modified: '2026-01-03T00:00:00Z' }),
  record('GHSA-secret', ['@acme/secret', 'ui']),
  ...Array.from({ length: 450 }, (_, at) => record(`MAL-${1000 + at}`, ['crowded'])),
]

before(async () => {
  world = await openWorld()
  ann = await world.someone('ann')
  await world.publish(ann, '@acme/secret', '1.0.0', { access: 'restricted' })
  const found = records.map(
    each => ({ kind: 'record', from: '', record: each, text: JSON.stringify(each) }) as const,
  )
  await takeAdvisories(world.ports, operator, 'feed', found)
})
after(() => world.close())

const ask = (path: string, body: unknown, token?: string) =>
  world.ask(`POST /osv/v1/${path}`, { body, ...(token === undefined ? {} : { token }) })
const idsOf = async (body: unknown, token?: string) => {
  const answer = await ask('query', body, token)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return (answer.body.vulns ?? []).map((each: { id: string }) => each.id)
}
const ui = { name: 'ui', ecosystem: 'npm' }

test('a version, a package and a purl are asked for as at osv.dev; the records are as they came', async () => {
  const { body } = await ask('query', { package: ui, version: '1.0.0' })
  assert.deepEqual(body, { vulns: [records[0], records[1]] })
  assert.deepEqual(await idsOf({ package: ui, version: '2.0.0' }), [])
  assert.deepEqual(await idsOf({ package: ui }), ['GHSA-one', 'GHSA-two'])
  for (const purl of [
    'pkg:npm/%40acme/tool@1.0.0',
    'pkg:npm/@acme/tool@1.0.0?x=y#z',
    'pkg:npm/%40acme%2Ftool',
  ])
    assert.deepEqual(await idsOf({ package: { purl } }), ['GHSA-two'], purl)
  assert.deepEqual(await idsOf({ package: { purl: 'pkg:npm/ui' }, version: 'v1.9.9+x' }), [
    'GHSA-one',
    'GHSA-two',
  ])
  assert.deepEqual(await idsOf({ package: { name: 'UI', ecosystem: 'npm' } }), [])
  assert.deepEqual((await ask('query', { package: { name: 'ui', ecosystem: 'PyPI' } })).body, {})
  assert.deepEqual((await ask('query', { commit: 'abc' })).body, {})
})

test('pages follow one another until nothing is left', async () => {
  const seen: string[] = []
  let token = ''
  do {
    const { body } = await ask('query', { package: { name: 'crowded', ecosystem: 'npm' }, page_token: token })
    seen.push(...body.vulns.map((each: { id: string }) => each.id))
    token = body.next_page_token ?? ''
  } while (token !== '')
  assert.deepEqual(
    seen,
    records.slice(4).map(each => each.id),
  )
})

test('a batch is answered in its order with ids and times', async () => {
  const queries = [
    { package: { purl: 'pkg:npm/nothing@1.0.0' } },
    { package: ui, version: '1.0.0' },
    { commit: 'abc' },
    { package: { purl: 'pkg:npm/%40acme/tool@1.0.0' } },
  ]
  const modified = '2026-01-02T00:00:00.000Z'
  const two = { id: 'GHSA-two', modified }
  const results = [{}, { vulns: [{ id: 'GHSA-one', modified }, two] }, {}, { vulns: [two] }]
  assert.deepEqual((await ask('querybatch', { queries })).body, { results })
})

test('a record is there by its id, also a withdrawn one', async () => {
  const found = await world.ask('GET /osv/v1/vulns/GHSA-old')
  assert.deepEqual([found.status, found.body], [200, records[2]])
  const missing = await world.ask('GET /osv/v1/vulns/GHSA-none')
  assert.deepEqual([missing.status, missing.body.code], [404, 5])
})

test('nobody learns of a package that they may not read, by whatever door', async () => {
  const eve = await world.someone('eve')
  for (const token of [undefined, eve.token]) {
    assert.equal((await world.ask('GET /osv/v1/vulns/GHSA-secret', { token })).status, 404)
    assert.deepEqual(await idsOf({ package: { name: '@acme/secret', ecosystem: 'npm' } }, token), [])
    assert.ok(!(await idsOf({ package: ui }, token)).includes('GHSA-secret'))
  }
  assert.deepEqual(await idsOf({ package: { name: '@acme/secret', ecosystem: 'npm' } }, ann.token), [
    'GHSA-secret',
  ])
  assert.equal((await world.ask('GET /osv/v1/vulns/GHSA-secret', { token: ann.token })).status, 200)
  assert.ok(!(await fetch(`${world.url}/feed/advisories.atom`).then(each => each.text())).includes('secret'))
  const zip = await fetch(`${world.url}/osv/npm/all.zip`)
  assert.ok(!Object.keys(unzipSync(new Uint8Array(await zip.arrayBuffer()))).includes('GHSA-secret.json'))
})

test('the zip has every record as it came', async () => {
  const answer = await fetch(`${world.url}/osv/npm/all.zip`)
  assert.equal(answer.headers.get('content-type'), 'application/zip')
  const files = unzipSync(new Uint8Array(await answer.arrayBuffer()))
  assert.equal(Object.keys(files).length, records.length - 1)
  assert.equal(Buffer.from(files['GHSA-one.json'] ?? []).toString(), JSON.stringify(records[0]))
})

test('the zip is not sent again to who has it, and is after anything that changes what it shows', async () => {
  const first = await fetch(`${world.url}/osv/npm/all.zip`)
  await first.arrayBuffer()
  const etag = first.headers.get('etag') ?? ''
  const again = () => fetch(`${world.url}/osv/npm/all.zip`, { headers: { 'if-none-match': etag } })
  const same = await again()
  assert.deepEqual([same.status, await same.text()], [304, ''])
  await world.publish(ann, 'turned', '1.0.0')
  const access = { token: ann.token, body: { access: 'restricted' } }
  assert.equal((await world.npm('POST /-/package/turned/access', access)).status, 200)
  const changed = await again()
  assert.equal(changed.status, 200)
  await changed.arrayBuffer()
})

test('a zip of more files than its first format can count is one', { timeout: 120_000 }, async () => {
  async function* many() {
    for (let at = 0; at < 66_000; at++) yield { name: `${at}.json`, text: `{"at":${at}}` }
  }
  const pieces: Uint8Array[] = []
  for await (const piece of writeZip(many())) pieces.push(piece)
  const files = unzipSync(Buffer.concat(pieces))
  assert.equal(Object.keys(files).length, 66_000)
  assert.equal(Buffer.from(files['65999.json'] ?? []).toString(), '{"at":65999}')
})

test('the feed is Atom with ids that stay, and is not sent again unchanged', async () => {
  const answer = await fetch(`${world.url}/feed/advisories.atom`)
  assert.equal(answer.headers.get('content-type'), 'application/atom+xml; charset=utf-8')
  const text = await answer.text()
  assert.match(text, /<updated>2026-01-03T00:00:00.000Z<\/updated>/)
  assert.match(text, /<title>GHSA-one: trouble &#60;b&#62;&#38;\ufffd of GHSA-one<\/title>/)
  assert.match(text, /<title>Withdrawn: GHSA-old/)
  const ids = [...text.matchAll(/<id>([^<]*)<\/id>/g)].map(each => each[1])
  assert.equal(new Set(ids).size, ids.length)
  assert.ok(ids.includes(`${world.ports.config.publicUrl}/osv/v1/vulns/GHSA-one`))
  const headers = { 'if-none-match': answer.headers.get('etag') ?? '' }
  assert.equal((await fetch(`${world.url}/feed/advisories.atom`, { headers })).status, 304)
})

test('what is no question is refused in words, and nothing breaks', async () => {
  const wrong: [string, unknown][] = [
    ['query', null],
    ['query', []],
    ['query', {}],
    ['query', { package: {} }],
    ['query', { package: { name: 'ui' } }],
    ['query', { package: { name: 5, ecosystem: 'npm' } }],
    ['query', { package: { ...ui, purl: 'pkg:npm/ui' } }],
    ['query', { package: { purl: 'npm/ui' } }],
    ['query', { package: { purl: 'pkg:npm/%zz' } }],
    ['query', { package: { purl: 'pkg:npm/ui@1.0.0' }, version: '1.0.0' }],
    ['query', { package: ui, version: 'x'.repeat(2000) }],
    ['querybatch', {}],
    ['querybatch', { queries: Array.from({ length: 1001 }, () => ({ package: ui })) }],
    ['querybatch', { queries: [{}] }],
  ]
  for (const [path, body] of wrong) {
    const answer = await ask(path, body)
    assert.deepEqual([answer.status, answer.body.code], [400, 3], JSON.stringify(body)?.slice(0, 100))
  }
  const odd = { name: '__proto__', ecosystem: 'npm' }
  for (const name of [odd, { ...odd, name: '../../etc' }, { ...odd, name: "' or 1=1" }])
    assert.deepEqual((await ask('query', { package: name, page_token: '%%%' })).body, {})
  assert.equal((await ask('query', { package: ui, version: ' '.repeat(100_000) })).status, 413)
  assert.equal((await world.ask('GET /osv/v1/query')).status, 405)
  assert.equal((await world.ask('GET /osv/v1/vulns/..%2f..%2fetc')).status, 404)
  assert.equal((await world.ask('GET /osv/')).status, 404)
  assert.deepEqual(world.errors, [])
})

test('where only people who are signed in may read, nobody else asks', async t => {
  const closed = await openWorld({ read: 'signed-in' })
  t.after(() => closed.close())
  for (const line of ['GET /osv/v1/vulns/GHSA-one', 'GET /osv/npm/all.zip', 'GET /feed/advisories.atom'])
    assert.equal((await closed.ask(line)).status, 401, line)
  assert.equal((await closed.ask('POST /osv/v1/query', { body: { package: ui } })).status, 401)
})
