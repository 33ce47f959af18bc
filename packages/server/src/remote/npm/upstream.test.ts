// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { isProblem, type PackageName, parsePackageName } from '@holdfast/core'
import { startUpstream, type UpstreamRegistry } from '../../../test/upstream-registry.ts'
import type { Mirror } from '../../catalog/index.ts'
import { readSourceLines } from '../../mirror-source.ts'
import type { Origin } from '../../origin.ts'
import type { UpstreamAnswer } from '../../ports.ts'
import { openUpstream, type UpstreamSurroundings } from './upstream.ts'

const now = Date.UTC(2026, 0, 1)
const name = parsePackageName('left-pad')

async function open(
  t: TestContext,
  { keys = true, ...wishes }: Partial<UpstreamSurroundings & Origin> & { keys?: boolean } = {},
) {
  const registry = await startUpstream({ keys })
  const time = { now }
  const origin = { name: 'npm', url: registry.url, authorization: undefined, proxy: undefined, ca: undefined }
  const upstream = openUpstream(
    { ...origin, ...wishes },
    {
      allowPrivateHosts: ['127.0.0.1'],
      maxPackumentBytes: 1024 * 1024,
      maxTarballBytes: 1024 * 1024,
      clock: () => time.now,
      ownKeyId: 'ours',
      ...wishes,
    },
  )
  t.after(async () => {
    upstream.close()
    await registry.close()
  })
  return { registry, upstream, time }
}

const fails = (why: RegExp) => (error: unknown) =>
  isProblem(error) && error.code === 'upstream-failed' && why.test(error.message)

/** What was told, or the test ends. */
function told(answer: UpstreamAnswer) {
  assert.equal(answer.kind, 'told')
  return answer.kind === 'told' ? answer : assert.fail()
}

/** As the store would keep it. */
function keep(answer: UpstreamAnswer, checkedAt = now): Mirror {
  return {
    ...told(answer).mirror,
    revision: 1,
    checkedAt,
    readWholeAt: checkedAt,
    changedAt: checkedAt,
    usedAt: checkedAt,
    leftOut: [],
    isGone: false,
  }
}

const packuments = ({ asked }: UpstreamRegistry) => asked.filter(({ line }) => !line.endsWith('/keys'))

test('a packument becomes a mirror: versions in order, tags, times, traits, and the manifests beside', async t => {
  const { registry, upstream } = await open(t)
  registry.publish('left-pad', '1.1.0', {
    publishedAt: Date.UTC(2021, 0, 1),
    manifest: { dependencies: { a: '1' }, optionalDependencies: { b: '1' }, scripts: { postinstall: 'x' } },
  })
  registry.publish('left-pad', '1.0.0', { publishedAt: Date.UTC(2020, 0, 1) })
  const { mirror, source, leftOut } = told(await upstream.readPackument(name, undefined, now))
  assert.deepEqual(leftOut, [])
  assert.deepEqual(
    mirror.versions.map(({ version, publishedAt }) => [version, new Date(publishedAt).getUTCFullYear()]),
    [
      ['1.0.0', 2020],
      ['1.1.0', 2021],
    ],
  )
  assert.equal(mirror.tags.get('latest' as never), '1.0.0')
  const [, newest] = mirror.versions
  assert.deepEqual(newest?.dependencies, ['a', 'b'])
  assert.equal(newest?.hasInstallScript, true)
  assert.equal(newest?.signature, 'verified')
  const lines = [...readSourceLines(source)].map(String)
  assert.equal(lines.length, 3)
  const line = JSON.parse(lines[2] ?? '')
  assert.equal(line.version, '1.1.0')
  assert.equal(line.dist, undefined)
})

test('what did not change is not sent again, and its connection is used again', async t => {
  const { registry, upstream } = await open(t)
  registry.publish('left-pad', '1.0.0')
  const before = keep(await upstream.readPackument(name, undefined, now))
  const ports = new Set<number | undefined>()
  registry.answer = request => {
    ports.add(request.socket.remotePort)
    return false
  }
  for (let i = 0; i < 5; i++)
    assert.deepEqual(await upstream.readPackument(name, before, now), { kind: 'unchanged' })
  assert.ok(
    packuments(registry)
      .slice(1)
      .every(({ headers }) => headers['if-none-match'] === before.etag),
  )
  assert.ok(ports.size <= 2)
})

test('an upstream without validators is asked in full, and what it says again is not read again', async t => {
  const { registry, upstream } = await open(t)
  registry.publish('left-pad', '1.0.0')
  serveText(registry, JSON.stringify(registry.documents.get('left-pad')))
  const before = keep(await upstream.readPackument(name, undefined, now))
  assert.deepEqual(await upstream.readPackument(name, before, now), { kind: 'unchanged' })
  assert.equal(packuments(registry).at(-1)?.headers['if-none-match'], undefined)
  registry.publish('left-pad', '1.0.1')
  serveText(registry, JSON.stringify(registry.documents.get('left-pad')))
  told(await upstream.readPackument(name, before, now))
})

test('what another origin said before counts for nothing, and addresses of another host are not asked', async t => {
  const { registry, upstream } = await open(t)
  registry.publish('left-pad', '1.0.0')
  const before = keep(await upstream.readPackument(name, undefined, now))
  told(await upstream.readPackument(name, { ...before, origin: 'other' }, now))
  for (const address of ['https://old.example/left-pad-1.0.0.tgz', 'http://169.254.169.254/'])
    await assert.rejects(upstream.openTarball(address), fails(/not where it is any more/))
})

test('a name that is not there is gone, and says nothing against the upstream', async t => {
  const { upstream } = await open(t)
  for (let i = 0; i < 10; i++)
    assert.deepEqual(await upstream.readPackument(name, undefined, now), { kind: 'gone' })
  assert.equal(upstream.health().state, 'up')
})

test('a scoped name is one segment of the address', async t => {
  const { registry, upstream } = await open(t)
  registry.publish('@acme/ui', '1.0.0')
  told(await upstream.readPackument(parsePackageName('@acme/ui'), undefined, now))
  assert.equal(packuments(registry)[0]?.line, 'GET /@acme%2fui')
})

test('a compressed document is read, one that says so and is not, and one that never ends, are refused', async t => {
  const { registry, upstream } = await open(t)
  registry.publish('left-pad', '1.0.0')
  const good = gzipSync(JSON.stringify(registry.documents.get('left-pad')))
  let body = good
  registry.answer = (request, response) => {
    if (request.url !== '/left-pad') return false
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(body)
    return true
  }
  told(await upstream.readPackument(name, undefined, now))
  // A thousand times smaller than what it becomes; the last one lies about its size as well.
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
  const liar = Buffer.from(bomb)
  liar.writeUInt32LE(10, liar.length - 4)
  for (body of [bomb, liar])
    await assert.rejects(upstream.readPackument(name, undefined, now), fails(/more than 1048576 bytes/))
  for (body of [Buffer.from('{}'), good.subarray(0, good.length - 9)])
    await assert.rejects(upstream.readPackument(name, undefined, now), fails(/no gzip/))
})

/** Serves this text for the package, whatever it is. */
function serveText(
  registry: UpstreamRegistry,
  body: string | Buffer,
  headers: Record<string, string> = {},
): void {
  registry.answer = (request, response) => {
    if (!request.url?.startsWith('/left-pad')) return false
    response.writeHead(200, headers).end(body)
    return true
  }
}

test('a document that is no JSON, cut off, followed by more, or says something twice, is refused', async t => {
  const { registry, upstream } = await open(t)
  registry.publish('left-pad', '1.0.0')
  const good = JSON.stringify(registry.documents.get('left-pad'))
  const bad: [string, RegExp][] = [
    ['<html>', /not JSON/],
    ['', /not JSON/],
    ['[]', /not JSON/],
    ['"left-pad"', /not JSON/],
    [good.slice(0, -1), /not JSON/],
    [`${good}{}`, /not JSON/],
    [`\ufeff${good}`, /not JSON/],
    [good.replace('"dist-tags":{', '"dist-tags":{{'), /not JSON|cannot be read/],
    [`${good.slice(0, -1)},"versions":{}}`, /says 'versions' twice/],
    [`${good.slice(0, -1)},"n\\u0061me":"left-pad"}`, /says 'name' twice/],
    [good.replace('"versions":{', '"versions":[{'), /not JSON/],
    ['{"name":"left-pad","versions":'.padEnd(100_000, '['), /not JSON/],
  ]
  for (const [body, why] of bad) {
    serveText(registry, body)
    await assert.rejects(upstream.readPackument(name, undefined, now), fails(why), body.slice(0, 60))
  }
  // None of it says that the upstream is down.
  serveText(registry, good)
  told(await upstream.readPackument(name, undefined, now))
})

test('a package whose versions were all taken back is gone, a document that merely lists none is a fault', async t => {
  const { registry, upstream } = await open(t)
  serveText(registry, '{"name":"left-pad","time":{"unpublished":{"time":"2020-01-01T00:00:00.000Z"}}}')
  assert.deepEqual(await upstream.readPackument(name, undefined, now), { kind: 'gone' })
  for (const body of ['{"name":"left-pad"}', '{"name":"left-pad","versions":{},"time":{}}']) {
    serveText(registry, body)
    await assert.rejects(upstream.readPackument(name, undefined, now), fails(/lists no version/))
  }
})

test('a document for another name, also one that differs only in case, is refused', async t => {
  const { registry, upstream } = await open(t)
  for (const other of ['right-pad', 'Left-Pad', '@acme/left-pad', '__proto__']) {
    registry.publish(other, '1.0.0')
    serveText(registry, JSON.stringify(registry.documents.get(other)))
    await assert.rejects(upstream.readPackument(name, undefined, now), fails(/a document for/), other)
  }
  serveText(registry, '{"versions":{"1.0.0":{}}}')
  await assert.rejects(upstream.readPackument(name, undefined, now), fails(/a document for/))
})

test('versions that cannot be trusted are left out and named, the others stay', async t => {
  const { registry, upstream } = await open(t)
  registry.publish('left-pad', '1.0.0')
  const document = registry.documents.get('left-pad')
  const good = document.versions['1.0.0']
  const variant = (version: string, manifest: object, dist: object = {}) => ({
    ...good,
    version,
    ...manifest,
    dist: { ...good.dist, ...dist },
  })
  const bad: [string, unknown, RegExp][] = [
    ['2.0.0', variant('2.0.0', { name: 'right-pad' }), /calls itself/],
    ['2.0.1', variant('9.9.9', {}), /says that it is version/],
    ['not-a-version', variant('not-a-version', {}), /semver/],
    ['2.0.2+build', variant('2.0.2+build', {}), /build metadata/],
    ['2.0.3', null, /no object/],
    ['2.0.4', { name: 'left-pad', version: '2.0.4' }, /no dist/],
    ['2.0.5', variant('2.0.5', {}, { integrity: undefined, shasum: undefined }), /neither/],
    ['2.0.6', variant('2.0.6', {}, { integrity: 'sha512-short', shasum: 'x'.repeat(40) }), /neither/],
    ['2.0.7', variant('2.0.7', {}, { tarball: 'https://evil.example/left-pad-2.0.7.tgz' }), /lies elsewhere/],
    ['2.0.8', variant('2.0.8', {}, { tarball: 'http://169.254.169.254/latest' }), /lies elsewhere/],
    ['2.0.9', variant('2.0.9', {}, { tarball: 'file:///etc/passwd' }), /lies elsewhere/],
    [
      '2.1.0',
      variant('2.1.0', {}, { tarball: `${registry.url.replace('//', '//a:b@')}/x.tgz` }),
      /lies elsewhere/,
    ],
    ['2.1.1', variant('2.1.1', {}, { tarball: undefined }), /lies elsewhere/],
    ['2.1.2', variant('2.1.2', { deep: JSON.parse(`${'['.repeat(70)}${']'.repeat(70)}`) }), /nested/],
  ]
  for (const [key, version] of bad) document.versions[key] = version
  const { mirror, leftOut } = told(await upstream.readPackument(name, undefined, now))
  assert.deepEqual(
    mirror.versions.map(({ version }) => version),
    ['1.0.0'],
  )
  assert.equal(leftOut.length, bad.length)
  for (const [key, , why] of bad)
    assert.match(leftOut.find(each => each.version === key)?.why ?? '', why, key)
})

test('keys that change what an object is do no harm, and a version that is there twice is left out', async t => {
  const { registry, upstream } = await open(t)
  registry.publish('left-pad', '1.0.0')
  const good = JSON.stringify(registry.documents.get('left-pad'))
  const proto = good
    .replace('"versions":{', '"versions":{"__proto__":{"version":"1.0.0"},')
    .replace(
      '"name":"left-pad","version"',
      '"__proto__":{"hasInstallScript":true},"name":"left-pad","version"',
    )
    .replace('"dist-tags":{', '"dist-tags":{"__proto__":"1.0.0","constructor":"1.0.0",')
  serveText(registry, proto)
  const { mirror, source } = told(await upstream.readPackument(name, undefined, now))
  assert.deepEqual([...mirror.tags.keys()], ['latest'])
  assert.equal(mirror.versions[0]?.hasInstallScript, false)
  assert.doesNotMatch([...readSourceLines(source)].join('\n'), /__proto__/)
  const version = JSON.stringify(registry.documents.get('left-pad').versions['1.0.0'])
  serveText(registry, good.replace('"versions":{', `"versions":{"1.0.0":${version},`))
  await assert.rejects(upstream.readPackument(name, undefined, now), fails(/no version .* there twice/))
})

test('a hundred thousand versions are refused, other packages are read meanwhile', async t => {
  const { registry, upstream } = await open(t, { maxPackumentBytes: 64 * 1024 * 1024 })
  const versions = Array.from({ length: 100_000 }, (_, i) => `"1.0.${i}":{}`).join()
  registry.publish('right-pad', '1.0.0')
  serveText(registry, `{"name":"left-pad","versions":{${versions}}}`)
  const both = await Promise.allSettled([
    upstream.readPackument(name, undefined, now),
    upstream.readPackument(parsePackageName('right-pad'), undefined, now),
  ])
  assert.ok(both[0].status === 'rejected' && fails(/more than 50000 versions/)(both[0].reason))
  assert.equal(both[1].status, 'fulfilled')
})

test('a time that is missing, unreadable or to come counts from now, and does not move afterwards', async t => {
  const { registry, upstream } = await open(t)
  for (const version of ['1.0.0', '1.1.0', '1.2.0', '1.3.0']) registry.publish('left-pad', version)
  const { time } = registry.documents.get('left-pad')
  time['1.1.0'] = undefined
  time['1.2.0'] = 'yesterday'
  time['1.3.0'] = '2099-01-01T00:00:00.000Z'
  const first = keep(await upstream.readPackument(name, undefined, now))
  const timesOf = (mirror: Pick<Mirror, 'versions'>) =>
    Object.fromEntries(mirror.versions.map(each => [each.version, each.publishedAt]))
  assert.deepEqual(timesOf(first), {
    '1.0.0': Date.UTC(2020, 0, 1),
    '1.1.0': now,
    '1.2.0': now,
    '1.3.0': now,
  })
  assert.ok(first.modifiedAt <= now)
  time['1.0.0'] = '2010-01-01T00:00:00.000Z'
  time['1.1.0'] = '2010-01-01T00:00:00.000Z'
  const later = told(await upstream.readPackument(name, first, now + 3600_000)).mirror
  assert.deepEqual(timesOf(later), timesOf(first))
})

test('a version that was not there when we looked is not known for longer, whatever date it carries', async t => {
  const { registry, upstream } = await open(t)
  registry.publish('left-pad', '1.0.0')
  const first = keep(await upstream.readPackument(name, undefined, now))
  registry.publish('left-pad', '1.0.1', { publishedAt: Date.UTC(2020, 5, 1) })
  const [old, young] = told(await upstream.readPackument(name, first, now + 60_000)).mirror.versions
  assert.equal(young?.knownSince, now)
  assert.equal(old?.knownSince, Date.UTC(2020, 0, 1))
  // Other bytes under the same version are another version, for the clock.
  registry.publish('left-pad', '1.0.0', { files: { 'evil.js': 'x' } })
  const replaced = told(await upstream.readPackument(name, first, now + 60_000)).mirror.versions
  assert.equal(replaced.find(({ version }) => version === '1.0.0')?.knownSince, now)
})

test('signatures: verified where they are good, broken where they are not, missing, or nobody has keys', async t => {
  const { registry, upstream } = await open(t)
  registry.publish('left-pad', '1.0.0')
  registry.publish('left-pad', '1.1.0', { dist: { signatures: registry.sign('left-pad@1.1.0:other') } })
  registry.publish('left-pad', '1.2.0', { dist: { signatures: undefined } })
  registry.publish('left-pad', '1.3.0', { dist: { signatures: [{ keyid: 'SHA256:unknown', sig: 'AAAA' }] } })
  registry.publish('left-pad', '1.4.0', { dist: { signatures: [null, 7, { keyid: 7 }] } })
  registry.publish('left-pad', '1.5.0', { dist: { signatures: [{ keyid: 'x'.repeat(9000), sig: '' }] } })
  const { mirror } = told(await upstream.readPackument(name, undefined, now))
  assert.deepEqual(
    mirror.versions.map(({ signature }) => signature),
    ['verified', 'broken', 'missing', 'broken', 'broken', 'broken'],
  )
  const bare = await open(t, { keys: false })
  bare.registry.publish('left-pad', '1.0.0')
  assert.equal(
    told(await bare.upstream.readPackument(name, undefined, now)).mirror.versions[0]?.signature,
    'no-keys',
  )
})

test('only the newest and tagged versions are verified at once, any other when it is asked for', async t => {
  const { registry, upstream } = await open(t)
  for (let minor = 0; minor < 20; minor++)
    registry.publish('left-pad', `1.${minor}.0`, { publishedAt: Date.UTC(2020, 0, 1 + minor) })
  registry.publish('left-pad', '0.9.0', { dist: { signatures: registry.sign('x') }, publishedAt: 1000 })
  const document = registry.documents.get('left-pad')
  document['dist-tags'] = { latest: '1.19.0', lts: '1.3.0' }
  const { mirror } = told(await upstream.readPackument(name, undefined, now))
  const verified = mirror.versions.filter(({ signature }) => signature === 'verified')
  assert.deepEqual([verified.length, verified[0]?.version], [9, '1.3.0'])
  const [broken, good] = mirror.versions
  assert.ok(broken !== undefined && good !== undefined)
  assert.equal(await upstream.checkSignature(name, good), 'verified')
  assert.equal(await upstream.checkSignature(name, broken), 'broken')
})

test('a key that the upstream took since is looked for before a signature counts as broken', async t => {
  const former = await startUpstream()
  t.after(() => former.close())
  const old = await (await fetch(`${former.url}/-/npm/v1/keys`)).text()
  const { registry, upstream, time } = await open(t)
  registry.publish('left-pad', '1.0.0')
  let knowsNewKey = false
  registry.answer = (request, response) => {
    if (request.url !== '/-/npm/v1/keys' || knowsNewKey) return false
    response.end(old)
    return true
  }
  const first = await upstream.readPackument(name, undefined, now)
  assert.equal(told(first).mirror.versions[0]?.signature, 'broken')
  knowsNewKey = true
  time.now += 2 * 60_000
  const before = keep(first)
  assert.deepEqual(await upstream.readPackument(name, before, time.now), { kind: 'unchanged' })
  registry.publish('left-pad', '1.0.1')
  const next = told(await upstream.readPackument(name, before, time.now)).mirror
  // What was known of times stays.
  assert.equal(next.versions[1]?.knownSince, now)
  assert.deepEqual(
    next.versions.map(({ signature }) => signature),
    ['verified', 'verified'],
  )
  // What is kept from before the key was known is read anew, though the upstream's document is the same.
  const stale = { ...before, etag: next.etag }
  assert.equal((await upstream.readPackument(name, stale, time.now)).kind, 'told')
})

test('an upstream that takes its keys back gains nothing by it', async t => {
  const { registry, upstream } = await open(t)
  registry.publish('left-pad', '1.0.0')
  const before = keep(await upstream.readPackument(name, undefined, now))
  registry.publish('left-pad', '1.1.0', { dist: { signatures: undefined } })
  registry.publish('left-pad', '1.2.0')
  // As after a start of ours: nothing is known of its keys.
  const { registry: bare } = await open(t, { keys: false })
  bare.documents.set(
    'left-pad',
    JSON.parse(JSON.stringify(registry.documents.get('left-pad')).replaceAll(registry.url, bare.url)),
  )
  const { upstream: later } = await open(t, { url: bare.url })
  const { mirror } = told(await later.readPackument(name, before, now + 1000))
  const [kept, unsigned, signed] = mirror.versions
  assert.deepEqual(
    [kept, unsigned, signed].map(each => each?.signature),
    ['verified', 'missing', 'unverified'],
  )
  assert.ok(signed !== undefined)
  await assert.rejects(later.checkSignature(name, signed), fails(/does not tell its keys any more/))
})

test('an upstream with our own key is ourselves, and is not asked', async t => {
  const { registry } = await open(t)
  const [{ keyid } = { keyid: '' }] = registry.sign('x')
  const ours = await open(t, { url: registry.url, ownKeyId: keyid })
  await assert.rejects(ours.upstream.readPackument(name, undefined, now), fails(/this registry itself/))
  assert.deepEqual(packuments(registry), [])
})

test('credentials go to the origin, and nowhere a redirect leads', async t => {
  const other = await startUpstream()
  t.after(() => other.close())
  const { registry, upstream } = await open(t, { authorization: 'Bearer secret' })
  other.publish('left-pad', '1.0.0')
  const document = JSON.stringify(other.documents.get('left-pad')).replaceAll(other.url, registry.url)
  other.documents.set('left-pad', JSON.parse(document))
  registry.answer = (request, response) => {
    if (request.url?.startsWith('/left-pad') !== true) return false
    response.writeHead(302, { location: other.url + request.url }).end()
    return true
  }
  const { mirror } = told(await upstream.readPackument(name, undefined, now))
  const { bytes } = await upstream.openTarball(mirror.versions[0]?.tarball ?? '')
  assert.ok((await gather(bytes)).length > 0)
  assert.ok(registry.asked.every(({ headers }) => headers.authorization === 'Bearer secret'))
  assert.ok(other.asked.length >= 2)
  assert.ok(other.asked.every(({ headers }) => headers.authorization === undefined))
  registry.answer = (_request, response) => {
    response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end()
    return true
  }
  await assert.rejects(upstream.readPackument(name, undefined, now), fails(/private network/))
})

async function gather(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return Buffer.concat(chunks)
}

test('a tarball flows as it is; one that is too large, encoded, broken off or not there is a clear end', async t => {
  const { registry, upstream } = await open(t, { maxTarballBytes: 200_000 })
  registry.publish('left-pad', '1.0.0')
  const address = `${registry.url}/left-pad/-/left-pad-1.0.0.tgz`
  const wanted = registry.tarballs.get('/left-pad/-/left-pad-1.0.0.tgz')
  const { sizeBytes, bytes } = await upstream.openTarball(address)
  assert.deepEqual([sizeBytes, await gather(bytes)], [wanted?.length, wanted])
  const read = async () => gather((await upstream.openTarball(address)).bytes)
  // Ten gigabytes, or any other number, announced or not.
  registry.answer = (_request, response) => {
    const more = () => {
      while (response.write(Buffer.alloc(64 * 1024)));
    }
    response.on('drain', more).on('error', () => {})
    more()
    return true
  }
  await assert.rejects(read(), /more than 200000 bytes/)
  serveText(registry, gzipSync('x'), { 'content-encoding': 'gzip' })
  await assert.rejects(read(), fails(/comes in gzip/))
  registry.answer = (_request, response) => {
    response.writeHead(200, { 'content-length': '1000' }).write('half')
    setImmediate(() => response.destroy())
    return true
  }
  await assert.rejects(read(), /ECONNRESET/)
  registry.answer = (_request, response) => {
    response.writeHead(404).end()
    return true
  }
  await assert.rejects(read(), fails(/status 404 where the tarball should be/))
})

test('who is silent, stops in the middle or sends drop by drop is left', async t => {
  const { registry, upstream } = await open(t, { patienceMs: 150 })
  registry.publish('left-pad', '1.0.0')
  let way: (response: ServerResponse) => void = () => {}
  registry.answer = (request, response) => {
    if (request.url !== '/left-pad') return false
    way(response)
    return true
  }
  await assert.rejects(upstream.readPackument(name, undefined, now), fails(/too long/))
  way = response => response.write('{"name":')
  await assert.rejects(upstream.readPackument(name, undefined, now), fails(/stopped in the middle/))
  way = response => {
    const drops = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(drops))
  }
  await assert.rejects(upstream.readPackument(name, undefined, now), fails(/too slow/))
})

test('an upstream that is down is asked five times, then left alone, then asked once; its word on when is obeyed', async t => {
  const { registry, upstream, time } = await open(t)
  registry.publish('left-pad', '1.0.0')
  let status = 503
  let headers: Record<string, string> = {}
  registry.answer = (request, response) => {
    if (request.url === '/-/npm/v1/keys' || status === 200) return false
    response.writeHead(status, headers).end()
    return true
  }
  const ask = () => upstream.readPackument(name, undefined, now)
  const askFor = (each: number) => upstream.readPackument(`lib-${each}` as PackageName, undefined, now)
  for (let i = 0; i < 8; i++) await assert.rejects(askFor(i), fails(/status 503/))
  assert.equal(packuments(registry).length, 5)
  assert.equal(upstream.health().state, 'open')
  time.now += 6_000
  const probes = await Promise.allSettled(Array.from({ length: 10 }, ask))
  assert.ok(probes.every(each => each.status === 'rejected'))
  assert.equal(packuments(registry).length, 6)
  time.now += 11_000
  status = 200
  told(await ask())
  assert.equal(upstream.health().state, 'up')
  status = 429
  headers = { 'retry-after': '120' }
  await assert.rejects(ask(), fails(/status 429/))
  status = 200
  time.now += 119_000
  await assert.rejects(ask(), fails(/left alone/))
  time.now += 2_000
  told(await ask())
})

test('a package whose document and tarballs always fail costs others nothing, whatever it says of when to ask again', async t => {
  const { registry, upstream } = await open(t)
  registry.publish('left-pad', '1.0.0')
  registry.answer = (request, response) => {
    if (request.url?.startsWith('/broken') !== true) return false
    response.writeHead(503, { 'retry-after': '300' }).end()
    return true
  }
  for (let i = 0; i < 10; i++) {
    await assert.rejects(upstream.readPackument('broken' as PackageName, undefined, now), fails(/status 503/))
    await assert.rejects(upstream.openTarball(`${registry.url}/broken/-/broken-1.0.${i}.tgz`), fails(/503/))
  }
  told(await upstream.readPackument(name, undefined, now))
})
