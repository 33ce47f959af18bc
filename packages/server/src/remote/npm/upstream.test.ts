// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { gzipSync, zstdDecompressSync } from 'node:zlib'
import { isProblem, parsePackageName } from '@holdfast/core'
import { startUpstream, type UpstreamRegistry } from '../../../test/upstream-registry.ts'
import type { Mirror } from '../../catalog/index.ts'
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
    changedAt: checkedAt,
    usedAt: checkedAt,
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
  const lines = zstdDecompressSync(source).toString().split('\n')
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
