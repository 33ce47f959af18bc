// SPDX-License-Identifier: Apache-2.0
/**
 * An upstream that lies, through the wire. Whatever the lie: who asks is told what is wrong, it is on record, nothing of it is
 * kept, and the package beside it is served.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { PackageName } from '@holdfast/core'
import { startUpstream, type UpstreamRegistry } from '../upstream-registry.ts'
import { dayMs, type Json, openWorld, type World } from '../world.ts'

let upstream: UpstreamRegistry
let world: World
/** Answers in place of the registry, by path. */
const ways = new Map<string, (response: ServerResponse) => void>()
const metadata = 'http://169.254.169.254/latest/meta-data'

before(async () => {
  upstream = await startUpstream()
  world = await openWorld({
    origins: JSON.stringify({ up: { url: upstream.url } }),
    routes: JSON.stringify({ '*': 'up' }),
    allowPrivateHosts: '127.0.0.1',
    maxPackumentBytes: '8000000',
    maxTarballBytes: '1000000',
  })
  upstream.answer = (request, response) => {
    const way = ways.get(request.url ?? '')
    way?.(response)
    return way !== undefined
  }
  upstream.publish('honest', '1.0.0')
})
after(async () => {
  assert.deepEqual(world.errors, [])
  await world.check()
  await world.close()
  await upstream.close()
})

/** What a lie about version 1.1.0 of a package, or about all of it, comes to. */
interface Lie {
  tell(name: string): void
  /** Of the whole document; else only 1.1.0 is refused, and 1.0.0 goes out. */
  readonly isWhole?: true
  readonly status: 403 | 502
  readonly says: RegExp
  /** On record: as an event about the package, or as the refusal of its bytes. */
  readonly event: 'upstream-fault' | 'denied'
}

const tarballPath = (name: string, version = '1.1.0') => `/${name}/-/${name}-${version}.tgz`
const record = (name: string): Json => upstream.documents.get(name).versions['1.1.0']
/** Says something else about 1.1.0. */
const saying = (change: (record: Json, document: Json) => void) => (name: string) =>
  change(record(name), upstream.documents.get(name))
/** Answers the document, or the tarball of 1.1.0, otherwise. */
const answering = (what: 'document' | 'tarball', way: (response: ServerResponse) => void) => (name: string) =>
  void ways.set(what === 'document' ? `/${name}` : tarballPath(name), way)
const document = (text: string | Buffer, headers = {}) =>
  answering('document', response => response.writeHead(200, headers).end(text))
const versions = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`1.0.${i}`, {}]))

/** Goes on for ever, as fast as it is taken. */
function pour(response: ServerResponse): void {
  const more = () => {
    while (response.write(Buffer.alloc(64 * 1024)));
  }
  response.on('drain', more).on('error', () => {})
  more()
}

const lies: Readonly<Record<string, Lie>> = {
  'wrong-digest': {
    tell: name => void upstream.tarballs.set(tarballPath(name), randomBytes(5000)),
    ...{ status: 502, says: /bytes.*not those|are sha512-.* and not sha512-/, event: 'upstream-fault' },
  },
  'endless-tarball': {
    tell: answering('tarball', pour),
    ...{ status: 502, says: /more than 1000000 bytes/, event: 'upstream-fault' },
  },
  'tarball-that-leads-inside': {
    tell: answering('tarball', response => response.writeHead(302, { location: metadata }).end()),
    ...{
      status: 502,
      says: /leads to 169\.254\.169\.254, which is on a private network/,
      event: 'upstream-fault',
    },
  },
  'tarball-elsewhere': {
    tell: saying(({ dist }) => {
      dist.tarball = 'https://evil.example/x.tgz'
    }),
    ...{ status: 403, says: /lies elsewhere/, event: 'denied' },
  },
  'tarball-inside': {
    tell: saying(({ dist }) => {
      dist.tarball = metadata
    }),
    ...{ status: 403, says: /lies elsewhere/, event: 'denied' },
  },
  'record-of-another-name': {
    tell: saying(told => {
      told.name = 'honest'
    }),
    ...{ status: 403, says: /calls itself/, event: 'denied' },
  },
  'unsigned-after-signed': {
    tell: saying(({ dist }) => {
      delete dist.signatures
    }),
    ...{ status: 403, says: /not signed, and earlier versions were/, event: 'denied' },
  },
  'badly-signed': {
    tell: saying(({ dist }) => {
      dist.signatures = upstream.sign('something else')
    }),
    ...{ status: 403, says: /signature does not match/, event: 'denied' },
  },
  'no-time': {
    tell: saying((_, { time }) => {
      delete time['1.1.0']
    }),
    ...{ status: 403, says: /younger than 3 days/, event: 'denied' },
  },
  'time-to-come': {
    tell: saying((_, { time }) => {
      time['1.1.0'] = '2099-01-01T00:00:00.000Z'
    }),
    ...{ status: 403, says: /younger than 3 days/, event: 'denied' },
  },
  'no-json': {
    tell: document('{"name":'),
    ...{ isWhole: true, status: 502, says: /is not JSON/, event: 'upstream-fault' },
  },
  'another-name': {
    tell: document(JSON.stringify({ name: 'honest', versions: versions(1) })),
    ...{ isWhole: true, status: 502, says: /a document for honest/, event: 'upstream-fault' },
  },
  'Case-twin': {
    tell: document(JSON.stringify({ name: 'case-twin', versions: versions(1) })),
    ...{ isWhole: true, status: 502, says: /a document for case-twin/, event: 'upstream-fault' },
  },
  'no-versions': {
    tell: document(JSON.stringify({ name: 'no-versions', versions: {} })),
    ...{ isWhole: true, status: 502, says: /lists no version/, event: 'upstream-fault' },
  },
  'many-versions': {
    tell: document(JSON.stringify({ name: 'many-versions', versions: versions(100_000) })),
    ...{ isWhole: true, status: 502, says: /more than 50000 versions/, event: 'upstream-fault' },
  },
  'endless-document': {
    tell: answering('document', pour),
    ...{ isWhole: true, status: 502, says: /more than 8000000 bytes/, event: 'upstream-fault' },
  },
  'endless-gzip': {
    tell: document(gzipSync(Buffer.alloc(64 * 1024 * 1024, ' ')), { 'content-encoding': 'gzip' }),
    ...{ isWhole: true, status: 502, says: /more than 8000000 bytes/, event: 'upstream-fault' },
  },
  'document-that-leads-inside': {
    tell: answering('document', response => response.writeHead(302, { location: metadata }).end()),
    ...{ isWhole: true, status: 502, says: /on a private network/, event: 'upstream-fault' },
  },
}

for (const [name, lie] of Object.entries(lies))
  test(`an upstream that lies (${name}) is refused, told, and costs nobody else`, async () => {
    // Past the release age, and young enough that no byte goes out before all were looked at.
    for (const version of ['1.0.0', '1.1.0'])
      upstream.publish(name, version, { publishedAt: world.now() - (version === '1.0.0' ? 400 : 5) * dayMs })
    lie.tell(name)
    for (let round = 0; round < 3; round++) {
      const { status, text } = await world.npm(`GET ${lie.isWhole ? `/${name}` : tarballPath(name)}`)
      assert.deepEqual([status, lie.says.test(text)], [lie.status, true], text)
      world.advance(6000)
    }
    const { store } = world.ports
    if (lie.isWhole) assert.equal(await store.mirrors.find(name as PackageName), undefined)
    else {
      assert.equal((await world.npm(`GET ${tarballPath(name, '1.0.0')}`)).status, 200)
      assert.ok(
        (await store.mirrors.listIngested(name as PackageName)).every(each => each.version !== '1.1.0'),
      )
    }
    assert.equal((await world.npm('GET /honest')).status, 200)
    assert.equal((await world.npm(`GET ${tarballPath('honest', '1.0.0')}`)).status, 200)
    await world.ports.trail.flush()
    const faults = (await store.events.ofPackage(name as PackageName)).filter(
      each => each.type === 'upstream-fault',
    )
    const denied = (await store.events.search({ type: 'denied' }, Number.MAX_SAFE_INTEGER, 200)).filter(
      each => each.detail['subject'] === `${name}@1.1.0`,
    )
    assert.deepEqual(
      [faults.length, denied.length > 0],
      lie.event === 'denied' ? [0, true] : [1, false],
      JSON.stringify([faults, denied]),
    )
  })
