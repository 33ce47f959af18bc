// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type PackageName, problem, type Version } from '@holdfast/core'
import type { Mirror } from '../../src/catalog/index.ts'
import { openMirrors } from '../../src/flow/index.ts'
import type { Mirrors, Ports, Upstream, UpstreamAnswer } from '../../src/ports.ts'
import { engines, openPair, type Pair } from '../contract/engine.ts'

const [sqlite] = engines
const minute = 60_000
const day = 24 * 60 * minute
let pair: Pair
let now = 1_700_000_000_000

before(async () => {
  assert.ok(sqlite !== undefined)
  pair = await openPair(sqlite, () => now)
})
after(() => pair.close())

test('a name that many ask for at once is asked for once, and then not until the answer is five minutes old', async () => {
  const { mirrors, upstream } = open()
  const name = 'single' as PackageName
  const found = await Promise.all(Array.from({ length: 20 }, () => mirrors.get(name, 'up')))
  assert.equal(upstream.asked.length, 1)
  assert.ok(found.every(each => each?.mirror.revision === 1 && each.warning === ''))
  now += 4 * minute
  await mirrors.get(name, 'up')
  assert.equal(upstream.asked.length, 1)
})

test('an older answer is given at once and renewed behind it; a change moves the revision, a confirmation does not', async () => {
  const { mirrors, upstream } = open()
  const name = 'renewed' as PackageName
  await mirrors.get(name, 'up')
  now += 6 * minute
  upstream.answer = () => ({ kind: 'unchanged' })
  const stale = await mirrors.get(name, 'up')
  assert.deepEqual([stale?.warning, stale?.freshUntil, stale?.mirror.revision], ['stale', now, 1])
  await mirrors.refresh(name, 'up') // waits for the one that is under way
  const confirmed = await mirrors.get(name, 'up')
  assert.deepEqual([confirmed?.warning, confirmed?.mirror.revision], ['', 1])
  assert.equal(upstream.asked.at(-1)?.before?.etag, '"1"', 'the upstream is asked whether it changed')
  now += 6 * minute
  upstream.answer = (asked, origin) => described(told(asked, origin), 'changed')
  await mirrors.get(name, 'up')
  await mirrors.refresh(name, 'up') // waits for the one that is under way
  assert.equal((await mirrors.get(name, 'up'))?.mirror.revision, 2)
  assert.equal(upstream.asked.length, 3, 'and nobody asked beside it')
})

test('after three hours all of what is used is read, whatever the validators say, and the same again moves nothing', async () => {
  const { mirrors, upstream } = open()
  const name = 'whole' as PackageName
  await mirrors.get(name, 'up')
  const etagsAfter = async (ms: number) => {
    now += ms
    await mirrors.refresh(name, 'up')
    return upstream.asked.at(-1)?.before?.etag
  }
  upstream.answer = () => ({ kind: 'unchanged' })
  assert.deepEqual([await etagsAfter(60 * minute), await etagsAfter(119 * minute)], ['"1"', '"1"'])
  upstream.answer = told
  assert.equal(await etagsAfter(minute), '')
  assert.equal((await mirrors.get(name, 'up'))?.mirror.revision, 1)
  assert.equal(await etagsAfter(10 * minute), '"1"', 'its word counts again')
})

test('an answer of more than a day waits for the upstream, and stands when the upstream fails', async () => {
  const { mirrors, upstream } = open()
  const name = 'aged' as PackageName
  await mirrors.get(name, 'up')
  now += day + minute
  const renewed = await mirrors.get(name, 'up')
  assert.deepEqual([renewed?.mirror.revision, renewed?.warning], [1, ''])
  now += 30 * day
  upstream.answer = down
  const kept = await mirrors.get(name, 'up')
  assert.deepEqual([kept?.mirror.revision, kept?.warning], [1, 'not-revalidated'])
  const asked = upstream.asked.length
  await mirrors.get(name, 'up')
  assert.equal(upstream.asked.length, asked, 'the next one does not wait for the same failure')
  await assert.rejects(mirrors.get('never-seen' as PackageName, 'up'), { code: 'remote-failed' })
})

test('an answer from a clock that ran ahead is not fresh until that time comes', async () => {
  const { mirrors, upstream } = open()
  const name = 'ahead' as PackageName
  now += 300 * day
  await mirrors.get(name, 'up')
  now -= 300 * day
  const renewed = await mirrors.get(name, 'up')
  assert.equal(renewed?.mirror.checkedAt, now)
  assert.equal(upstream.asked.length, 2)
})

test('a name the upstream does not know is not asked for again within a minute', async () => {
  const { mirrors, upstream } = open()
  const name = 'unknown' as PackageName
  upstream.answer = () => ({ kind: 'gone' })
  assert.equal(await mirrors.get(name, 'up'), undefined)
  assert.equal(await mirrors.get(name, 'up'), undefined)
  assert.equal(upstream.asked.length, 1)
  now += 2 * minute
  upstream.answer = told
  assert.equal((await mirrors.get(name, 'up'))?.mirror.revision, 1)
})

test('what the upstream takes away stays as evidence and says so; what comes back is told whole', async () => {
  const { mirrors, upstream } = open()
  const name = 'taken-down' as PackageName
  await mirrors.get(name, 'up')
  upstream.answer = () => ({ kind: 'gone' })
  for (const revision of [2, 2]) {
    const gone = await mirrors.refresh(name, 'up')
    assert.deepEqual([gone?.mirror.isGone, gone?.mirror.revision], [true, revision])
  }
  assert.deepEqual(Buffer.from((await pair.store.mirrors.findSource(name)) ?? []), Buffer.from('{}'))
  upstream.answer = told
  const back = await mirrors.refresh(name, 'up')
  assert.deepEqual([back?.mirror.isGone, back?.mirror.revision], [false, 3])
  assert.equal(upstream.asked.at(-1)?.before, undefined)
})

test('what one origin said is never an answer for another one', async () => {
  const { mirrors, upstream } = open()
  const name = 'moved' as PackageName
  await mirrors.get(name, 'other')
  upstream.answer = down
  await assert.rejects(mirrors.get(name, 'up'), { code: 'remote-failed' })
  now += minute
  upstream.answer = told
  const found = await mirrors.get(name, 'up')
  assert.deepEqual([found?.mirror.origin, found?.mirror.revision], ['up', 2])
  assert.equal(upstream.asked.at(-1)?.before, undefined, 'and is not what it is compared with')
  await assert.rejects(mirrors.get(name, 'nowhere'), { code: 'unavailable' })
})

test('a use is noted, at most once an hour', async () => {
  const { mirrors } = open()
  const name = 'used' as PackageName
  await mirrors.get(name, 'up')
  const first = now
  now += minute
  await mirrors.get(name, 'up')
  assert.equal((await pair.store.mirrors.find(name))?.usedAt, first)
  now += 61 * minute
  await mirrors.get(name, 'up')
  // The note is on its way behind the answer; the store does one write after the other.
  await pair.store.mirrors.confirm('absent' as PackageName, now)
  assert.equal((await pair.store.mirrors.find(name))?.usedAt, now)
})

interface FakeUpstream extends Upstream {
  readonly asked: { readonly name: PackageName; readonly before: Mirror | undefined }[]
  answer: (name: PackageName, origin: string) => UpstreamAnswer
}

/** A fresh reader of mirrors over one store, and the upstream behind it. */
function open(): { mirrors: Mirrors; upstream: FakeUpstream } {
  const [upstream, other] = [fake('up'), fake('other')]
  const upstreams = new Map([upstream, other].map(each => [each.name, each]))
  const config = { publicUrl: 'https://registry.example' } as Ports['config']
  return { mirrors: openMirrors({ store: pair.store, config, upstreams, clock: () => now }), upstream }
}

function fake(origin: string): FakeUpstream {
  const made: FakeUpstream = {
    name: origin,
    url: `https://${origin}.example`,
    asked: [],
    answer: told,
    async readPackument(name, seen) {
      made.asked.push({ name, before: seen })
      await Promise.resolve()
      return made.answer(name, origin)
    },
    checkSignature: async () => 'no-keys',
    openTarball: async () => down(),
    readAttestations: async () => undefined,
    health: () => ({ state: 'up', lastSuccessAt: null, lastFailureAt: null, why: '' }),
  }
  return made
}

function told(name: PackageName, origin: string): UpstreamAnswer {
  const mirror = {
    name,
    origin,
    etag: '"1"',
    lastModified: '',
    description: '',
    createdAt: 1,
    modifiedAt: 2,
    tags: new Map<never, Version>(),
    versions: [],
  }
  return { kind: 'told', mirror, source: Buffer.from('{}'), leftOut: [] }
}

function described(answer: UpstreamAnswer, description: string): UpstreamAnswer {
  return answer.kind === 'told' ? { ...answer, mirror: { ...answer.mirror, description } } : answer
}

function down(): never {
  throw problem('remote-failed', { host: 'up.example', why: 'ECONNREFUSED' })
}
