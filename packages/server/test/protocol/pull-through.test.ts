// SPDX-License-Identifier: Apache-2.0
/**
 * Packages of an upstream through the wire: what goes out, what stays, and what comes of other bytes. What else an upstream may lie
 * about is in `hostile/upstream.test.ts`.
 */
import assert from 'node:assert/strict'
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto'
import { once } from 'node:events'
import { request, type ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Digest, formatIntegrity, type PackageName, type Version } from '@holdfast/core'
import { authorize, operator } from '../../src/identity/index.ts'
import { packTarball } from '../fixture/tarball.ts'
import { startUpstream, type UpstreamRegistry } from '../upstream-registry.ts'
import { dayMs, type Json, openWorld, type World } from '../world.ts'

const lib = 'lib' as PackageName
const one = '1.0.0' as Version
const corgi = { accept: 'application/vnd.npm.install-v1+json' }

async function open(
  t: TestContext,
  { keys = true, ...settings }: { keys?: boolean } & Readonly<Record<string, unknown>> = {},
): Promise<{ upstream: UpstreamRegistry; world: World }> {
  const upstream = await startUpstream({ keys })
  const world = await openWorld({
    origins: JSON.stringify({ up: upstream.url }),
    routes: JSON.stringify({ '*': 'up' }),
    allowPrivateHosts: '127.0.0.1',
    ...settings,
  })
  t.after(async () => {
    await world.close()
    await upstream.close()
  })
  return { upstream, world }
}

const tarballsAsked = ({ asked }: UpstreamRegistry) =>
  asked.filter(({ line }) => line.endsWith('.tgz')).length

/** The body of a tarball's address; rejects when the connection breaks before its end. */
async function fetchBytes(world: World, path: string): Promise<Buffer> {
  const response = await fetch(`${world.url}/npm${path}`)
  assert.equal(response.status, 200, await (response.ok ? '' : response.text()))
  return Buffer.from(await response.arrayBuffer())
}

const ingestedOf = (world: World, name = lib, version = one) =>
  world.ports.store.mirrors.findIngested(name, version)

async function untilIngested(world: World, name = lib, version = one) {
  for (;;) {
    const found = await ingestedOf(world, name, version)
    if (found !== undefined) return found
    await delay(10)
  }
}

async function eventsOf(world: World, type: string) {
  const events = await world.ports.store.events.ofPackage(lib)
  return events.filter(event => event.type === type)
}

test('a packument leads to us alone: addresses, signatures by our key, times, and manifests as the upstream wrote them', async t => {
  const { upstream, world } = await open(t)
  upstream.publish('lib', '1.0.0', { manifest: { dependencies: { a: '^1' }, scripts: { install: 'x' } } })
  upstream.publish('@acme/ui', '2.0.0')
  const full = await world.npm('GET /lib')
  const version = full.body.versions['1.0.0']
  assert.equal(version.dist.tarball, `${world.url}/npm/lib/-/lib-1.0.0.tgz`)
  assert.deepEqual([version.dependencies, version.scripts], [{ a: '^1' }, { install: 'x' }])
  assert.deepEqual(full.body['dist-tags'], { latest: '1.0.0' })
  assert.deepEqual((await world.npm('GET /-/package/lib/dist-tags')).body, { latest: '1.0.0' })
  assert.equal(full.body.time['1.0.0'], '2020-01-01T00:00:00.000Z')
  await checkSigned(world, version)
  const short = await world.npm('GET /lib', { headers: corgi })
  assert.equal(short.headers.get('content-type'), 'application/vnd.npm.install-v1+json')
  assert.deepEqual(short.body.versions['1.0.0'].dist, version.dist)
  assert.equal(short.body.versions['1.0.0'].scripts, undefined)
  assert.equal(short.body.versions['1.0.0'].hasInstallScript, true)
  assert.deepEqual((await world.npm('GET /lib/latest')).body, version)
  const scoped = (await world.npm('GET /@acme%2fui')).body.versions['2.0.0']
  assert.equal(scoped.dist.tarball, `${world.url}/npm/@acme/ui/-/ui-2.0.0.tgz`)
  const plain = await world.npm('GET /lib', { headers: { 'accept-encoding': 'identity' } })
  assert.deepEqual(plain.body, full.body, 'also for who takes no encoding')
  assert.equal((await world.npm('GET /no-such')).status, 404)
})

async function checkSigned(world: World, { name, version, dist }: Json): Promise<void> {
  const { keys } = (await world.npm('GET /-/npm/v1/keys')).body
  const [{ keyid, sig }] = dist.signatures
  const found = keys.find((each: Json) => each.keyid === keyid)
  const key = createPublicKey({ key: Buffer.from(found.key, 'base64'), format: 'der', type: 'spki' })
  assert.equal(dist.signatures.length, 1)
  assert.ok(
    verify('sha256', Buffer.from(`${name}@${version}:${dist.integrity}`), key, Buffer.from(sig, 'base64')),
  )
}

test('a version of a moment ago is known to who names it, and names without end do not reach the upstream', async t => {
  const { upstream, world } = await open(t)
  upstream.publish('lib', '1.0.0')
  await world.npm('GET /lib')
  const asked = () => upstream.asked.filter(({ line }) => line === 'GET /lib').length
  world.advance(11_000)
  upstream.publish('lib', '1.0.1')
  upstream.publish('lib', '1.0.2')
  const isTold = [await world.npm('GET /lib/-/lib-1.0.1.tgz'), await world.npm('GET /lib/1.0.2')]
  assert.deepEqual(
    isTold.map(({ status, body }) => [status, body.code]),
    Array(2).fill([403, 'version-cooling']),
  )
  const before = asked()
  for (let i = 3; i < 20; i++) assert.equal((await world.npm(`GET /lib/-/lib-1.0.${i}.tgz`)).status, 404)
  assert.equal(asked(), before)
  world.advance(11_000)
  upstream.answer = (_, response) => response.writeHead(500).end().writableEnded
  assert.equal((await world.npm('GET /lib/1.0.3')).status, 404, 'what is known is told while it is down')
})

test('many clients get the bytes of one fetch, and then the upstream is needed no more', async t => {
  const { upstream, world } = await open(t)
  upstream.publish('lib', '1.0.0', { files: { 'data.bin': randomBytes(300_000) } })
  const wanted = upstream.tarballs.get('/lib/-/lib-1.0.0.tgz')
  const got = await Promise.all(Array.from({ length: 20 }, () => fetchBytes(world, '/lib/-/lib-1.0.0.tgz')))
  for (const bytes of got) assert.deepEqual(bytes, wanted)
  assert.equal(tarballsAsked(upstream), 1)
  const kept = await untilIngested(world)
  assert.equal(
    kept.digest,
    createHash('sha512')
      .update(wanted ?? '')
      .digest('hex'),
  )
  const [event] = await eventsOf(world, 'ingest')
  assert.deepEqual(JSON.parse(event?.leaf ?? '').dist.size, wanted?.length)
  const document = await world.npm('GET /lib')
  upstream.answer = (_, response) => {
    response.destroy()
    return true
  }
  world.advance(2 * dayMs)
  assert.deepEqual(await fetchBytes(world, '/lib/-/lib-1.0.0.tgz'), wanted)
  const stale = await world.npm('GET /lib')
  assert.deepEqual(stale.body, document.body)
  assert.match(stale.headers.get('warning') ?? '', /^111 /)
  const etag = stale.headers.get('etag') ?? ''
  assert.equal((await world.npm('GET /lib', { headers: { 'if-none-match': etag } })).status, 304)
  const never = await world.npm('GET /never-seen')
  assert.deepEqual([never.status, never.body.code], [502, 'upstream-failed'])
  await world.check()
})

test('bytes that are not those of the packument break the connection; nothing of them is kept, and the next try is a new one', async t => {
  const { upstream, world } = await open(t)
  upstream.publish('lib', '1.0.0', { files: { 'data.bin': randomBytes(300_000) } })
  const good = upstream.tarballs.get('/lib/-/lib-1.0.0.tgz') ?? Buffer.alloc(0)
  const bad = Buffer.from(good)
  bad[good.length - 9] = (bad[good.length - 9] ?? 0) ^ 1
  upstream.tarballs.set('/lib/-/lib-1.0.0.tgz', bad)
  await assert.rejects(fetchBytes(world, '/lib/-/lib-1.0.0.tgz'), /terminated|fetch failed/)
  assert.equal(await ingestedOf(world), undefined)
  for await (const digest of world.ports.blobs.list()) assert.fail(`${digest} was kept`)
  await assert.rejects(fetchBytes(world, '/lib/-/lib-1.0.0.tgz'))
  const [fault, ...again] = await eventsOf(world, 'upstream-fault')
  assert.deepEqual(again, [], 'who asks for it again and again does not fill the record')
  assert.deepEqual([fault?.ver, fault?.detail['origin']], ['1.0.0', 'up'])
  assert.match(String(fault?.detail['why']), /^they are sha512-.* and not sha512-/)
  upstream.tarballs.set('/lib/-/lib-1.0.0.tgz', good)
  assert.deepEqual(await fetchBytes(world, '/lib/-/lib-1.0.0.tgz'), good)
  await world.check()
})

test('an upstream that goes away in the middle, or says a wrong size, breaks the connection too', async t => {
  const { upstream, world } = await open(t)
  upstream.publish('lib', '1.0.0', { files: { 'data.bin': randomBytes(300_000) } })
  const good = upstream.tarballs.get('/lib/-/lib-1.0.0.tgz') ?? Buffer.alloc(0)
  const lies: ((response: ServerResponse) => void)[] = [
    response => {
      response.writeHead(200, { 'content-length': good.length })
      response.write(good.subarray(0, 200_000), () => response.destroy())
    },
    response => void response.writeHead(200, { 'content-length': 200_000 }).end(good.subarray(0, 200_000)),
    response => void response.writeHead(200).end(Buffer.concat([good, Buffer.from('more')])),
  ]
  for (const lie of lies) {
    upstream.answer = ({ url }, response) => {
      if (!url?.endsWith('.tgz')) return false
      lie(response)
      return true
    }
    // Broken off, or 502 where the upstream is gone before its headers are read.
    await assert.rejects(fetchBytes(world, '/lib/-/lib-1.0.0.tgz'))
    assert.equal(await ingestedOf(world), undefined)
  }
  upstream.answer = () => false
  assert.deepEqual(await fetchBytes(world, '/lib/-/lib-1.0.0.tgz'), good)
})

test('of a version younger than fourteen days no byte goes out before all were checked and looked into', async t => {
  const { upstream, world } = await open(t)
  const publishedAt = world.now() - 10 * dayMs
  upstream.publish('lib', '1.0.0', { publishedAt })
  const path = '/lib/-/lib-1.0.0.tgz'
  const good = upstream.tarballs.get(path) ?? Buffer.alloc(0)
  upstream.tarballs.set(path, Buffer.concat([good, Buffer.from('x')]))
  const wrong = await world.npm(`GET ${path}`)
  assert.deepEqual([wrong.status, wrong.body.code], [502, 'upstream-mismatch'])
  upstream.tarballs.set(path, good)
  const right = await fetch(`${world.url}/npm${path}`)
  assert.equal(right.headers.get('accept-ranges'), 'bytes', 'from what is kept, not from the wire')
  assert.deepEqual(Buffer.from(await right.arrayBuffer()), good)
})

test('a young tarball that no client should unpack is held; an old one passes, and the record says what it is', async t => {
  const { upstream, world } = await open(t)
  for (const [version, publishedAt] of [
    ['1.0.0', world.now() - 10 * dayMs],
    ['0.9.0', world.now() - 400 * dayMs],
  ] as const) {
    const bytes = packTarball([{ path: 'package/../../evil.js', body: 'x' }])
    const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
    const signatures = upstream.sign(`lib@${version}:${integrity}`)
    upstream.publish('lib', version, { publishedAt, dist: { integrity, signatures } })
    upstream.tarballs.set(`/lib/-/lib-${version}.tgz`, bytes)
  }
  const young = await world.npm('GET /lib/-/lib-1.0.0.tgz')
  assert.deepEqual([young.status, young.body.code], [403, 'version-held'])
  assert.match(young.body.error, /its tarball is refused/)
  assert.deepEqual(Object.keys((await world.npm('GET /lib')).body.versions), ['0.9.0'])
  assert.equal((await eventsOf(world, 'hold')).length, 1)
  await fetchBytes(world, '/lib/-/lib-0.9.0.tgz')
  await untilIngested(world, lib, '0.9.0' as Version)
  const events = await eventsOf(world, 'ingest')
  assert.match(String(events.find(event => event.ver === '0.9.0')?.detail['fault']), /evil\.js/)
})

test('who reads slowly, or goes away, holds up nobody else and ends nothing', async t => {
  const { upstream, world } = await open(t)
  upstream.publish('lib', '1.0.0', { files: { 'data.bin': randomBytes(3_000_000) } })
  const wanted = upstream.tarballs.get('/lib/-/lib-1.0.0.tgz') ?? Buffer.alloc(0)
  const gate = Promise.withResolvers<void>()
  upstream.answer = ({ url }, response) => {
    if (!url?.endsWith('.tgz')) return false
    response.writeHead(200, { 'content-length': wanted.length })
    response.write(wanted.subarray(0, 100_000))
    void gate.promise.then(() => response.end(wanted.subarray(100_000)))
    return true
  }
  const leaver = request(`${world.url}/npm/lib/-/lib-1.0.0.tgz`).end()
  await once(leaver, 'response')
  const slow = await fetch(`${world.url}/npm/lib/-/lib-1.0.0.tgz`)
  const reader = slow.body?.getReader()
  let first = (await reader?.read())?.value ?? new Uint8Array()
  leaver.destroy()
  gate.resolve()
  assert.deepEqual(await fetchBytes(world, '/lib/-/lib-1.0.0.tgz'), wanted)
  await untilIngested(world)
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read())
    first = Buffer.concat([first, part.value])
  assert.deepEqual(Buffer.from(first), wanted, 'the slow one gets all of it in the end')
  assert.equal(tarballsAsked(upstream), 1)
})

test('where the upstream tells only a SHA-1, the SHA-512 found here is pinned and shown', async t => {
  const { upstream, world } = await open(t, { keys: false })
  upstream.publish('lib', '1.0.0', { dist: { integrity: undefined } })
  assert.equal((await world.npm('GET /lib')).body.versions['1.0.0'].dist.integrity, undefined)
  await fetchBytes(world, '/lib/-/lib-1.0.0.tgz')
  await untilIngested(world)
  const { dist } = (await world.npm('GET /lib')).body.versions['1.0.0']
  assert.match(dist.integrity, /^sha512-/)
  await checkSigned(world, (await world.npm('GET /lib')).body.versions['1.0.0'])
})

test('bytes that are known to be bad do not go out, though the upstream tells only their SHA-1', async t => {
  const { upstream, world } = await open(t)
  upstream.publish('lib', '1.0.0', { dist: { integrity: undefined, signatures: undefined } })
  const bytes = upstream.tarballs.get('/lib/-/lib-1.0.0.tgz') ?? ''
  const digest = createHash('sha512').update(bytes).digest('hex') as Digest
  const grant = await authorize(world.ports, operator, 'instance:operate', '')
  await world.ports.store.commit(grant, { type: 'policy', fields: { op: 'renew' } }, tx =>
    tx.policy.setBadDigest({ digest, why: 'a worm' }),
  )
  const refused = await world.npm('GET /lib/-/lib-1.0.0.tgz')
  assert.deepEqual([refused.status, refused.body.code], [403, 'version-blocked'])
})

test('bytes that were let go of here come back only as they were, though the upstream tells only a SHA-1', async t => {
  const { upstream, world } = await open(t, { keys: false })
  upstream.publish('lib', '1.0.0', { dist: { integrity: undefined } })
  await fetchBytes(world, '/lib/-/lib-1.0.0.tgz')
  const { digest } = await untilIngested(world)
  await world.ports.blobs.remove(digest)
  upstream.publish('lib', '1.0.0', { dist: { integrity: undefined }, files: { 'more.js': '1' } })
  const grant = await authorize(world.ports, operator, 'instance:operate', '')
  await world.ports.store.mirrors.markDue([lib])
  await world.ports.mirrors.refresh(lib, 'up')
  // As if somebody had let go what its upstream changed.
  await world.ports.store.commit(
    grant,
    { type: 'release', pkg: lib, ver: one, fields: { reason: 'other' } },
    tx => tx.upstream.setMeasure(lib, one, { package: lib, version: one, status: 'live', reason: '', at: 1 }),
  )
  await assert.rejects(fetchBytes(world, '/lib/-/lib-1.0.0.tgz'))
  await assert.rejects(fetchBytes(world, '/lib/-/lib-1.0.0.tgz'))
  const alarms = (await world.ports.store.events.ofPackage(lib))
    .filter(({ type }) => type === 'upstream-changed')
    .map(({ leaf }) => JSON.parse(leaf ?? ''))
  const [alarm] = alarms.filter(each => each.now !== undefined)
  assert.equal(alarms.filter(each => each.now !== undefined).length, 1, 'told once')
  assert.deepEqual([alarm?.ver, alarm?.first], [one, formatIntegrity(digest)])
  for await (const each of world.ports.blobs.list()) assert.fail(`${each} was kept`)
})

test('what the upstream does not tell of a version is left out, not told as nothing', async t => {
  const { upstream, world } = await open(t)
  upstream.publish('lib', '1.0.0', { dist: { fileCount: undefined, unpackedSize: undefined } })
  upstream.publish('lib', '1.1.0')
  const members = ({ dist }: Json) => ['fileCount', 'unpackedSize'].map(each => typeof dist[each])
  for (const headers of [{}, corgi]) {
    const { versions } = (await world.npm('GET /lib', { headers })).body
    assert.deepEqual(members(versions['1.0.0']), ['undefined', 'undefined'])
    assert.deepEqual(members(versions['1.1.0']), ['number', 'number'])
  }
  assert.deepEqual(members((await world.npm('GET /lib/1.0.0')).body), ['undefined', 'undefined'])
})

test('a version that its upstream withdrew keeps the time of its publication, and promises no change', async t => {
  const { upstream, world } = await open(t)
  const publishedAt = world.now() - 4 * dayMs
  upstream.publish('lib', '1.0.0')
  upstream.publish('lib', '1.1.0', { publishedAt })
  await fetchBytes(world, '/lib/-/lib-1.1.0.tgz')
  await untilIngested(world, lib, '1.1.0' as Version)
  const { versions, time } = upstream.documents.get('lib') ?? {}
  delete versions['1.1.0']
  delete time['1.1.0']
  upstream.documents.get('lib')['dist-tags'].latest = '1.0.0'
  await world.ports.mirrors.refresh(lib, 'up')
  const { body } = await world.ask('GET /api/v1/why/npm/lib/1.1.0')
  assert.deepEqual([body.status, body.publishedAt, body.until], ['quarantined', publishedAt, null])
})

test('other bytes under a version that came in before are refused for ever', async t => {
  const { upstream, world } = await open(t)
  upstream.publish('lib', '1.0.0')
  await fetchBytes(world, '/lib/-/lib-1.0.0.tgz')
  await untilIngested(world)
  upstream.publish('lib', '1.0.0', { files: { 'evil.js': 'x' } })
  await world.ports.mirrors.refresh(lib, 'up')
  const refused = await world.npm('GET /lib/-/lib-1.0.0.tgz')
  assert.equal(refused.status, 403)
  assert.equal((await world.npm('GET /lib')).body.versions['1.0.0'], undefined)
  assert.equal(tarballsAsked(upstream), 1)
})

test('an old version that was never looked at gets our signature when its bytes come in', async t => {
  const { upstream, world } = await open(t)
  for (let i = 0; i < 80; i++) upstream.publish('lib', `1.0.${i}`, { publishedAt: Date.UTC(2020, 0, 1 + i) })
  const before = (await world.npm('GET /lib')).body.versions
  assert.deepEqual([before['1.0.0'].dist.signatures, before['1.0.79'].dist.signatures.length], [undefined, 1])
  await fetchBytes(world, '/lib/-/lib-1.0.0.tgz')
  await untilIngested(world)
  world.ports.documents.drop(lib)
  const after = (await world.npm('GET /lib')).body.versions
  await checkSigned(world, after['1.0.0'])
  assert.equal(after['1.0.1'].dist.signatures, undefined)
})

test('a version of which its registry says something else than its package.json is held: young before a byte, old with a case', async t => {
  const { upstream, world } = await open(t)
  const rewrite = (text: string, said: Json) =>
    Object.assign(upstream.documents.get('lib').versions[text], said)
  const manifest = { bin: './cli.js', optionalDependencies: { soft: '^1' } }
  upstream.publish('lib', '1.0.0', { manifest })
  // As npm writes down what it reads.
  rewrite('1.0.0', { bin: { lib: 'cli.js' }, dependencies: { soft: '^1' } })
  upstream.publish('lib', '1.1.0')
  rewrite('1.1.0', { dependencies: { evil: '^1' } })
  upstream.publish('lib', '1.2.0', {
    manifest: { scripts: { postinstall: 'node steal.js' } },
    publishedAt: world.now() - 5 * dayMs,
  })
  rewrite('1.2.0', { scripts: {} })
  await fetchBytes(world, '/lib/-/lib-1.0.0.tgz')
  await fetchBytes(world, '/lib/-/lib-1.1.0.tgz')
  const young = await world.npm('GET /lib/-/lib-1.2.0.tgz')
  assert.deepEqual([young.status, young.body.code], [403, 'version-held'])
  assert.match(young.body.error, /scripts\.postinstall is 'node steal\.js' in its package\.json and nothing/)
  for (const text of ['1.0.0', '1.1.0'] as Version[]) await untilIngested(world, lib, text)
  const old = await world.npm('GET /lib/-/lib-1.1.0.tgz')
  assert.deepEqual([old.status, old.body.code], [403, 'version-held'])
  assert.match(old.body.error, /dependencies\.evil/)
  await fetchBytes(world, '/lib/-/lib-1.0.0.tgz')
  assert.deepEqual(Object.keys((await world.npm('GET /lib')).body.versions), ['1.0.0'])
  assert.deepEqual((await eventsOf(world, 'hold')).map(each => each.ver).sort(), ['1.1.0', '1.2.0'])
  const screening = await world.ports.store.screening.find(lib, '1.2.0' as Version)
  assert.equal(screening?.findings[0]?.rule, 'manifest-confusion')
  assert.match(screening?.findings[0]?.excerpt ?? '', /scripts\.postinstall/)
  const cases = await world.ports.store.incident.listCases(Number.MAX_SAFE_INTEGER, 10)
  assert.deepEqual(
    cases.map(each => [each.kind, each.title]),
    [['upstream-fault', 'lib is not what its registry says of it']],
  )
})

test('what comes in while its upstream withdraws it is quarantined and told, once', async t => {
  const { upstream, world } = await open(t)
  for (const text of ['1.0.0', '1.0.1']) upstream.publish('lib', text)
  const { promise: coming, resolve: come } = Promise.withResolvers<void>()
  upstream.answer = ({ url }, response) => {
    if (url !== '/lib/-/lib-1.0.1.tgz') return false
    coming.then(() => response.end(upstream.tarballs.get(url)))
    return true
  }
  await world.npm('GET /lib')
  const fetched = fetch(`${world.url}/npm/lib/-/lib-1.0.1.tgz`).then(answer => answer.arrayBuffer())
  while (tarballsAsked(upstream) === 0) await delay(10)
  delete upstream.documents.get('lib').versions['1.0.1']
  await world.ports.mirrors.refresh(lib, 'up')
  come()
  await fetched
  await untilIngested(world, lib, '1.0.1' as Version)
  const isQuarantined = async () => (await eventsOf(world, 'quarantine')).length > 0
  while (!(await isQuarantined())) await delay(10)
  await world.ports.mirrors.refresh(lib, 'up')
  assert.deepEqual(
    (await world.ports.store.mirrors.listMeasures(lib)).map(each => [each.version, each.status]),
    [['1.0.1', 'quarantined']],
  )
  assert.equal((await eventsOf(world, 'quarantine')).length, 1)
  assert.equal((await eventsOf(world, 'case')).length, 1)
})

test('a version whose record stops being believable is refused with why, and told once', async t => {
  const { upstream, world } = await open(t)
  for (const text of ['1.0.0', '1.1.0']) upstream.publish('lib', text)
  await world.npm('GET /lib')
  upstream.documents.get('lib').versions['1.1.0'].name = 'other'
  await world.ports.mirrors.refresh(lib, 'up')
  assert.deepEqual(Object.keys((await world.npm('GET /lib')).body.versions), ['1.0.0'])
  for (const path of ['/npm/lib/-/lib-1.1.0.tgz', '/why/npm/lib/1.1.0']) {
    const { status, text } = await world.ask(`GET ${path}`)
    assert.equal(status, 403, path)
    assert.match(text, /record of it cannot be believed: it calls itself .*other/)
  }
  upstream.publish('lib', '1.2.0')
  await world.ports.mirrors.refresh(lib, 'up')
  assert.deepEqual(
    (await eventsOf(world, 'upstream-fault')).map(each => each.ver),
    ['1.1.0'],
  )
  assert.equal((await world.npm('GET /lib/-/lib-9.9.9.tgz')).status, 404)
})
