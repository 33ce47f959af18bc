// SPDX-License-Identifier: Apache-2.0
/** What an upstream withdraws is contained here without a person, and what it cannot mean is not believed. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type DistTag,
  type PackageName,
  parseDigest,
  parseNamePattern,
  problem,
  type Version,
} from '@holdfast/core'
import type { Ingested, NameRoute, UpstreamVersion } from '../../src/catalog/index.ts'
import { closeCase, openMirrors, reconcile, takeMeasure } from '../../src/flow/index.ts'
import { authorize, operator } from '../../src/identity/index.ts'
import type { Upstream, UpstreamAnswer } from '../../src/ports.ts'
import { ingestEvent } from '../ingest-event.ts'
import { startUpstream } from '../upstream-registry.ts'
import { openWorld, type World } from '../world.ts'

const hourMs = 3600_000
const digest = parseDigest('a'.repeat(128))
const name = (text: string) => text as PackageName
const version = (text: string) => text as Version

/** An upstream whose packages are lists of versions that a test changes. */
class Shelf implements Upstream {
  readonly name = 'up'
  readonly url = 'https://up.example'
  readonly packages = new Map<string, readonly string[]>()
  readonly asked: string[] = []
  digest = digest
  isDown = false
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  async readPackument(asked: PackageName): Promise<UpstreamAnswer> {
    this.asked.push(asked)
    if (this.isDown) throw problem('upstream-failed', { origin: this.name, why: 'it is down' })
    const versions = this.packages.get(asked)
    if (versions === undefined) return { kind: 'gone' }
    const mirror = {
      name: asked,
      origin: this.name,
      etag: '',
      lastModified: '',
      description: '',
      createdAt: 0,
      modifiedAt: 0,
      tags: new Map([['latest' as DistTag, version(versions.at(-1) ?? '')]]),
      versions: versions.map(each => ({ ...listed(each, this.#now()), digest: this.digest })),
    }
    return { kind: 'told', mirror, source: new Uint8Array(), leftOut: [] }
  }

  async checkSignature(): Promise<UpstreamVersion['signature']> {
    return 'no-keys'
  }

  async openTarball(): Promise<never> {
    throw new Error('nobody asks for bytes here')
  }

  async readAttestations(): Promise<undefined> {}

  /** As what stands behind the port has it. */
  close(): void {}

  health(): ReturnType<Upstream['health']> {
    return { state: 'up', lastSuccessAt: null, lastFailureAt: null, why: '' }
  }
}

function listed(text: string, now: number): UpstreamVersion {
  return {
    version: version(text),
    publishedAt: now - hourMs,
    knownSince: now - hourMs,
    digest,
    shasum: 'a'.repeat(40),
    deprecated: '',
    hasInstallScript: false,
    signature: 'no-keys',
    provenance: 'none',
    publisher: '',
    dependencies: [],
    tarball: '',
    unpackedSizeBytes: 0,
    fileCount: 0,
    upstreamSignatures: '',
    attestations: '',
  }
}

async function open(t: TestContext): Promise<{ world: World; shelf: Shelf }> {
  const world = await openWorld()
  t.after(() => world.close())
  // Rounds are made by the tests alone.
  while ((await world.ports.store.leases.acquire('job-reconcile', 'test', 1e13)) === undefined)
    await delay(20)
  const shelf = new Shelf(world.now)
  ;(world.ports.upstreams as Map<string, Upstream>).set('up', shelf)
  ;(world.ports.routes as NameRoute[]).push({ pattern: parseNamePattern('*'), origin: 'up' })
  for (const pattern of await world.ports.store.catalog.listHosted()) {
    const grant = await authorize(world.ports, operator, 'instance:operate', '')
    await world.ports.store.commit(grant, { type: 'critical' }, tx => tx.catalog.removeHosted(pattern))
  }
  return { world, shelf }
}

/** As if the bytes of a version had come in by an install, and somebody had fetched them. */
async function ingest({ ports, now }: World, pkg: string, text: string): Promise<void> {
  const grant = await authorize(ports, { kind: 'system', id: 'upstream' }, 'instance:operate', '')
  const made: Ingested = {
    package: name(pkg),
    version: version(text),
    origin: 'up',
    digest,
    shasum: 'a'.repeat(40),
    sizeBytes: 1,
    hasInstallScript: false,
    publishedAt: now() - hourMs,
    ingestedAt: now(),
    lastUsedAt: now(),
    provenance: 'none',
  }
  await ports.store.commit(grant, ingestEvent(made), tx => tx.upstream.addIngested(made))
  const by = { package: name(pkg), version: version(text), accountId: '', tokenId: '', client: 'npm' }
  for (const address of ['192.0.2.1', '192.0.2.2']) ports.downloads.add({ ...by, address })
  await ports.downloads.flush()
}

const measures = async ({ ports }: World, pkg: string) =>
  (await ports.store.mirrors.listMeasures(name(pkg))).map(each => `${each.version} ${each.status}`)

test('a takedown is found though the ETag stands still and every 304 is a lie', async t => {
  const upstream = await startUpstream()
  t.after(() => upstream.close())
  const world = await openWorld({
    origins: JSON.stringify({ up: upstream.url }),
    allowPrivateHosts: '127.0.0.1',
  })
  t.after(() => world.close())
  while ((await world.ports.store.leases.acquire('job-reconcile', 'test', 1e13)) === undefined)
    await delay(20)
  for (const text of ['1.0.0', '1.0.1']) upstream.publish('frozen', text)
  assert.equal((await world.npm('GET /frozen/-/frozen-1.0.1.tgz')).status, 200)
  while ((await world.ports.store.mirrors.listIngested(name('frozen'))).length === 0) await delay(20)
  upstream.answer = ({ headers }, response) => {
    if (headers['if-none-match'] === undefined) return false
    response.writeHead(304).end()
    return true
  }
  delete upstream.documents.get('frozen').versions['1.0.1']
  world.advance(hourMs)
  await reconcile(world.ports)
  assert.deepEqual(await measures(world, 'frozen'), [])
  world.advance(2 * hourMs)
  await reconcile(world.ports)
  assert.deepEqual(await measures(world, 'frozen'), ['1.0.1 quarantined'])
})

test('a version that disappears is quarantined in the next round, with a case that lists who has it and letters', async t => {
  const { world, shelf } = await open(t)
  const { store } = world.ports
  const ann = await world.someone('ann', ['responder'])
  await world.someone('eve', ['auditor'])
  shelf.packages.set('worm', ['1.0.0', '1.1.0'])
  await world.ports.mirrors.get(name('worm'), 'up')
  await ingest(world, 'worm', '1.0.0')
  await ingest(world, 'worm', '1.1.0')
  shelf.packages.set('worm', ['1.0.0'])
  world.advance(5 * 60_000)
  await reconcile(world.ports)
  assert.deepEqual(await measures(world, 'worm'), ['1.1.0 quarantined'])
  const [made] = await store.incident.listCases(Number.MAX_SAFE_INTEGER, 10)
  assert.equal(made?.title, 'worm was withdrawn upstream')
  const found = await store.incident.findCase(made?.id ?? '')
  assert.deepEqual(found?.subjects, [{ package: 'worm', version: '1.1.0' }])
  assert.match(found?.timeline[0]?.words ?? '', /1\.1\.0: the upstream removed it 1 hours.*fetched 2 times/)
  const { cookie } = await world.browse(ann)
  const { text } = await world.ask(`GET /operate/cases/${made?.id}`, { headers: { cookie } })
  assert.equal(
    text.match(/<td>worm@1\.1\.0<\/td><td>nobody signed in<\/td><td class="nowrap">192\.0\.2\.0\/24</g)
      ?.length,
    2,
  )
  const letters = (await store.mail.listRecent(20)).filter(each => each.subject.startsWith('worm was'))
  assert.deepEqual(
    letters.map(each => each.to),
    [ann.email],
  )
  const events = await store.events.ofPackage(name('worm'))
  const quarantine = events.find(each => each.type === 'quarantine')
  assert.deepEqual([quarantine?.actorId, quarantine?.ver], ['reconcile', '1.1.0'])
  assert.equal(JSON.parse(quarantine?.leaf ?? '{}').reason, 'security')
})

test('what a person released stays released, and the same withdrawal is told once', async t => {
  const { world, shelf } = await open(t)
  shelf.packages.set('pad', ['1.0.0', '1.1.0'])
  await world.ports.mirrors.get(name('pad'), 'up')
  await ingest(world, 'pad', '1.1.0')
  shelf.packages.set('pad', ['1.0.0'])
  await world.ports.mirrors.refresh(name('pad'), 'up')
  const grant = await authorize(world.ports, operator, 'version:contain', '')
  await world.ports.store.commit(
    grant,
    { type: 'release', pkg: name('pad'), fields: { reason: 'other' } },
    tx => tx.upstream.setMeasure(name('pad'), version('1.1.0'), undefined),
  )
  await world.ports.mirrors.refresh(name('pad'), 'up')
  assert.deepEqual(await measures(world, 'pad'), [])
  assert.equal((await world.ports.store.incident.listCases(Number.MAX_SAFE_INTEGER, 10)).length, 1)
})

test('what was contained for its absence is let go when it is back, unless a person saw to it', async t => {
  const { world, shelf } = await open(t)
  const { ports } = world
  const vanish = async (pkg: string) => {
    shelf.packages.set(pkg, ['1.0.0'])
    await ports.mirrors.get(name(pkg), 'up')
    await ingest(world, pkg, '1.0.0')
    shelf.packages.delete(pkg)
    await ports.mirrors.refresh(name(pkg), 'up')
    assert.deepEqual(await measures(world, pkg), ['1.0.0 quarantined'])
  }
  const comeBack = async (pkg: string) => {
    shelf.packages.set(pkg, ['1.0.0'])
    await ports.mirrors.refresh(name(pkg), 'up')
    return measures(world, pkg)
  }
  await vanish('broken')
  assert.deepEqual(await comeBack('broken'), [])
  assert.doesNotMatch((await world.npm('GET /broken/1.0.0')).text, /quarantined/)
  await vanish('seen-to')
  const cases = await ports.store.incident.listCases(Number.MAX_SAFE_INTEGER, 10)
  const about = cases.find(each => each.title.startsWith('seen-to'))
  await closeCase(ports, operator, about?.id ?? '', 'malware, as we know from elsewhere')
  assert.deepEqual(await comeBack('seen-to'), ['1.0.0 quarantined'])
  await vanish('decided')
  for (const measure of ['release', 'quarantine'] as const)
    await takeMeasure(
      ports,
      operator,
      measure,
      { name: name('decided'), version: version('1.0.0') },
      { code: 'malware', words: '' },
    )
  assert.deepEqual(await comeBack('decided'), ['1.0.0 quarantined'])
})

test('other bytes under the same version are contained by whoever notices first, and told once', async t => {
  const { world, shelf } = await open(t)
  shelf.packages.set('swapped', ['1.0.0'])
  await world.ports.mirrors.get(name('swapped'), 'up')
  await ingest(world, 'swapped', '1.0.0')
  shelf.digest = parseDigest('b'.repeat(128))
  world.advance(6 * 60_000)
  await world.ports.mirrors.get(name('swapped'), 'up')
  for (let reading = 0; reading < 3; reading++) await world.ports.mirrors.refresh(name('swapped'), 'up')
  assert.deepEqual(await measures(world, 'swapped'), ['1.0.0 quarantined'])
  const events = await world.ports.store.events.ofPackage(name('swapped'))
  assert.deepEqual(
    events.map(each => each.type).filter(type => type !== 'ingest'),
    ['upstream-changed', 'quarantine', 'case'],
  )
})

test('two processes that notice at once tell it once', async t => {
  const { world, shelf } = await open(t)
  shelf.packages.set('twice', ['1.0.0', '1.1.0'])
  await world.ports.mirrors.get(name('twice'), 'up')
  await ingest(world, 'twice', '1.1.0')
  shelf.packages.set('twice', ['1.0.0'])
  const processes = [world.ports.mirrors, openMirrors(world.ports), openMirrors(world.ports)]
  await Promise.all(processes.map(each => each.refresh(name('twice'), 'up')))
  const events = await world.ports.store.events.ofPackage(name('twice'))
  assert.deepEqual(
    events.map(each => each.type),
    ['ingest', 'quarantine', 'case'],
  )
})

test('an upstream that lacks everything at once is not believed until a person says so', async t => {
  const { world, shelf } = await open(t)
  const { ports } = world
  const names = Array.from({ length: 30 }, (_, i) => `p${String(i).padStart(2, '0')}`)
  for (const each of names) {
    shelf.packages.set(each, ['1.0.0'])
    await ports.mirrors.get(name(each), 'up')
    await ingest(world, each, '1.0.0')
  }
  shelf.packages.clear()
  world.advance(5 * 60_000)
  await reconcile(ports)
  const contained = async () => {
    const all = await Promise.all(names.map(each => measures(world, each)))
    return all.filter(each => each.length > 0).length
  }
  // Several are read side by side, so that a few more may be on their way.
  const first = await contained()
  assert.ok(first >= 20 && first < 28, String(first))
  for (const each of names) {
    const kept = await ports.store.mirrors.find(name(each))
    assert.equal(kept?.isGone, (await measures(world, each)).length > 0, each)
  }
  const open_ = (await ports.store.incident.listCases(Number.MAX_SAFE_INTEGER, 100)).filter(
    each => each.kind === 'upstream-fault',
  )
  assert.equal(open_.length, 1)
  world.advance(5 * 60_000)
  await closeCase(ports, operator, open_[0]?.id ?? '', 'it is true')
  world.advance(1000)
  await reconcile(ports)
  await reconcile(ports)
  assert.equal(await contained(), 30)
})

test('rounds follow use, leave names alone that became ours, and ask nobody about the unused twice a day', async t => {
  const { world, shelf } = await open(t)
  const { ports } = world
  for (const each of ['used', 'unused', '@ours/ui']) {
    shelf.packages.set(each, ['1.0.0'])
    await ports.mirrors.get(name(each), 'up')
  }
  const round = async (ms: number) => {
    world.advance(ms)
    shelf.asked.length = 0
    await reconcile(ports)
    return shelf.asked.toSorted()
  }
  assert.deepEqual(await round(60_000), [])
  world.advance(25 * hourMs)
  await ports.store.mirrors.markUsed(name('used'), world.now())
  const grant = await authorize(ports, operator, 'instance:operate', '')
  await ports.store.commit(grant, { type: 'critical' }, tx => tx.catalog.addHosted('@ours/*' as never, 0))
  assert.deepEqual(await round(0), ['unused', 'used'])
  assert.deepEqual(await round(5 * 60_000), ['used'])
  shelf.isDown = true
  assert.deepEqual(await round(5 * 60_000), ['used'])
})

test('packages that cannot be read keep no others from their turn', async t => {
  const { world, shelf } = await open(t)
  const { ports } = world
  const names = Array.from({ length: 130 }, (_, i) => `p${String(i).padStart(3, '0')}`)
  for (const each of names) {
    shelf.packages.set(each, ['1.0.0'])
    await ports.mirrors.get(name(each), 'up')
  }
  // The first hundred come from elsewhere now.
  for (const each of names.slice(0, 100))
    (ports.routes as NameRoute[]).push({ pattern: each as never, origin: 'elsewhere' })
  world.advance(21 * hourMs)
  // Nobody used them within the day that counts.
  for (const each of names) await ports.store.mirrors.markUsed(name(each), 0)
  shelf.asked.length = 0
  await reconcile(ports)
  await reconcile(ports)
  assert.deepEqual(shelf.asked.toSorted(), names.slice(100))
})
