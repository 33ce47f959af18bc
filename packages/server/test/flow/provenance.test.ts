// SPDX-License-Identifier: Apache-2.0
/** What an upstream attests of where its versions were built, from the wire to the gate: with a real package and its attestations. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { PackageName, Version } from '@holdfast/core'
import { parseRules } from '../../src/catalog/index.ts'
import { applyPolicy, settleProvenance } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { defaultInspectLimits, inspectTarball, type ProvenanceFinding } from '../../src/integrity/index.ts'
import { packPackage } from '../fixture/tarball.ts'
import { startUpstream, type UpstreamRegistry } from '../upstream-registry.ts'
import { dayMs, openWorld, type World } from '../world.ts'

const folder = new URL('../fixture/sigstore/', import.meta.url)
const read = (file: string) => readFileSync(new URL(file, folder))
const good = read('early-certificate.json').toString()
const repository = 'https://github.com/theupdateframework/tuf-js'
const path = '/-/npm/v1/attestations/tuf-js@1.0.0'
const tarballPath = '/tuf-js/-/tuf-js-1.0.0.tgz'
const [name, version] = ['tuf-js' as PackageName, '1.0.0' as Version]
const trustRoot = fileURLToPath(new URL('trusted_root.json', folder))

const { manifest } = await inspectTarball(
  createReadStream(new URL('tuf-js-1.0.0.tgz', folder)),
  defaultInspectLimits,
)

/** What the upstream answers where its attestations should be: a text, or a status. */
type Told = string | number

interface Scene {
  readonly upstream: UpstreamRegistry
  readonly world: World
  tell(told: Told): void
}

async function open(
  t: TestContext,
  { ageDays, told, flags }: { ageDays: number; told: Told; flags?: Record<string, string> },
): Promise<Scene> {
  const upstream = await startUpstream()
  const world = await openWorld({
    origins: JSON.stringify({ up: upstream.url }),
    routes: JSON.stringify({ '*': 'up' }),
    allowPrivateHosts: '127.0.0.1',
    ...(flags ?? { sigstoreTrustRoot: trustRoot }),
  })
  t.after(async () => {
    assert.deepEqual(world.errors, [])
    await world.close()
    await upstream.close()
  })
  await applyPolicy(world.ports, operator, parseRules([{ kind: 'provenance', mode: 'enforce' }]))
  let answer = told
  upstream.answer = ({ url }, response) => {
    if (url !== path) return false
    if (typeof answer === 'number') response.writeHead(answer).end()
    else response.end(answer)
    return true
  }
  publish(upstream, world.now() - ageDays * dayMs, read('tuf-js-1.0.0.tgz'), manifest)
  return {
    upstream,
    world,
    tell(next) {
      answer = next
    },
  }
}

/** Bytes as their registry lists them. */
function publish(
  upstream: UpstreamRegistry,
  publishedAt: number,
  bytes: Buffer,
  inside: Readonly<Record<string, unknown>>,
): void {
  const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`
  const provenance = { predicateType: 'https://slsa.dev/provenance/v0.2' }
  const dist = {
    integrity,
    shasum: createHash('sha1').update(bytes).digest('hex'),
    signatures: upstream.sign(`${name}@${version}:${integrity}`),
    attestations: { url: `${upstream.url}${path}`, provenance },
  }
  upstream.publish(name, version, { manifest: inside, dist, publishedAt })
  upstream.tarballs.set(tarballPath, bytes)
}

function tampered(): string {
  const document = JSON.parse(good)
  const { dsseEnvelope } = document.attestations.find((each: { predicateType: string }) =>
    each.predicateType.includes('slsa'),
  ).bundle
  const statement = Buffer.from(dsseEnvelope.payload, 'base64').toString()
  const changed = statement.replaceAll('theupdateframework', 'theupdateframewOrk')
  dsseEnvelope.payload = Buffer.from(changed).toString('base64')
  return JSON.stringify(document)
}

const tarball = ({ world }: Scene) => world.npm(`GET ${tarballPath}`)
const attested = ({ world }: Scene) => world.npm(`GET ${path}`)
const state = async ({ world }: Scene) =>
  (await world.ports.store.mirrors.findIngested(name, version))?.provenance

async function finding({ world }: Scene): Promise<ProvenanceFinding | undefined> {
  return (await world.ports.store.provenance.find(name, version))?.finding
}

async function faults({ world }: Scene): Promise<unknown[]> {
  const events = await world.ports.store.events.read(0, 1000)
  return events.filter(({ type }) => type === 'upstream-fault').map(({ detail }) => detail['why'])
}

/** Fetches it until its bytes are kept. */
async function bringIn(scene: Scene): Promise<void> {
  do assert.equal((await tarball(scene)).status, 200)
  while ((await state(scene)) === undefined)
}

test('of a young version provenance is verified before its bytes go out, kept, and served as it came', async t => {
  const scene = await open(t, { ageDays: 5, told: good })
  assert.equal((await tarball(scene)).status, 200)
  const found = await finding(scene)
  assert.ok(found?.kind === 'verified', JSON.stringify(found))
  assert.equal(found.build.repository, repository)
  assert.equal(found.root, createHash('sha256').update(read('trusted_root.json')).digest('hex'))
  const served = await attested(scene)
  assert.equal(served.text, good)
  assert.match(served.headers.get('content-type') ?? '', /^application\/json/)
  assert.deepEqual(await faults(scene), [])
  // npm would look for the keys of the upstream's own word among ours, and fail for the whole project.
  const { body } = await scene.world.npm('GET /tuf-js')
  assert.equal(body.versions['1.0.0'].dist.attestations, undefined)
})

test('a young version whose attestation was tampered with goes to nobody, and somebody hears of it', async t => {
  const scene = await open(t, { ageDays: 5, told: tampered() })
  const refused = await tarball(scene)
  assert.equal(refused.status, 403)
  assert.equal(refused.body.code, 'version-blocked')
  assert.match(refused.body.error, /attests where it was built does not hold/)
  assert.equal(await state(scene), 'broken')
  assert.match(String((await faults(scene))[0]), /attestations do not hold/)
  assert.deepEqual((await scene.world.npm('GET /tuf-js')).body.versions, {})
  assert.equal((await attested(scene)).status, 403)
})

test('attestations of other bytes are no attestations of these', async t => {
  const scene = await open(t, { ageDays: 5, told: good })
  const others = packPackage({ name, version })
  publish(scene.upstream, scene.world.now() - 5 * dayMs, others, {})
  assert.equal((await tarball(scene)).status, 403)
  const found = await finding(scene)
  assert.ok(found?.kind === 'broken')
  assert.equal(found.why, 'it is about other bytes')
})

test('what was verified, and what did not hold, is told in words to whoever asks why', async t => {
  const scene = await open(t, { ageDays: 5, told: good })
  assert.equal((await tarball(scene)).status, 200)
  const { body } = await scene.world.ask('GET /api/v1/why/npm/tuf-js/1.0.0')
  assert.equal(body.provenance.build.repository, repository)
  for (const page of ['/why/npm/tuf-js/1.0.0', '/package/npm/tuf-js']) {
    const { text } = await scene.world.ask(`GET ${page}`)
    assert.match(text, /built from <a href="https:\/\/github\.com\/theupdateframework\/tuf-js"/)
    assert.match(text, /99624cc7ce39872e6bd08a0df59229a48562dbca/)
  }
  const other = await open(t, { ageDays: 5, told: tampered() })
  assert.equal((await tarball(other)).status, 403)
  const { text } = await other.world.ask('GET /why/npm/tuf-js/1.0.0')
  assert.match(text, /attests where it was built is not believed/)
})

test('an older version waits for nobody: what is attested of it is looked at afterwards', async t => {
  const scene = await open(t, { ageDays: 100, told: good })
  await bringIn(scene)
  assert.equal(await state(scene), 'due')
  assert.ok(!scene.upstream.asked.some(({ line }) => line.endsWith(path)))
  assert.equal((await attested(scene)).body.code, 'attestations-not-found')
  await settleProvenance(scene.world.ports)
  assert.equal(await state(scene), 'verified')
  assert.equal((await attested(scene)).text, good)
})

test('an older version whose attestation does not hold is closed when that is found', async t => {
  const scene = await open(t, { ageDays: 100, told: tampered() })
  await bringIn(scene)
  await settleProvenance(scene.world.ports)
  assert.equal((await tarball(scene)).status, 403)
  assert.equal((await faults(scene)).length, 1)
  await settleProvenance(scene.world.ports)
  assert.equal((await faults(scene)).length, 1, 'which is told once')
})

for (const [what, told] of [
  ['answers with an error', 500],
  ['has lost them', 404],
  ['shows a page', '<html>sign in</html>'],
] as const)
  test(`an upstream that ${what} where its attestations should be holds nobody up, and is asked again`, async t => {
    const scene = await open(t, { ageDays: 5, told })
    assert.equal((await tarball(scene)).status, 200)
    assert.equal(await state(scene), 'due')
    await settleProvenance(scene.world.ports)
    const asked = scene.upstream.asked.length
    await settleProvenance(scene.world.ports)
    assert.equal(scene.upstream.asked.length, asked, 'not again at once')
    scene.tell(good)
    scene.world.advance(3600_000 + 1)
    await settleProvenance(scene.world.ports)
    assert.equal(await state(scene), 'verified')
    assert.deepEqual(await faults(scene), [])
  })

test('what an upstream promises no longer is looked for nowhere, and keeps nothing else from being looked at', async t => {
  const scene = await open(t, { ageDays: 5, told: 500 })
  assert.equal((await tarball(scene)).status, 200)
  delete scene.upstream.documents.get(name)?.['versions'][version].dist.attestations
  await scene.world.ports.mirrors.refresh(name, 'up')
  const asked = scene.upstream.asked.length
  await settleProvenance(scene.world.ports)
  assert.equal(scene.upstream.asked.length, asked)
  assert.equal(await state(scene), 'due')
})

test('without a trust root attestations are kept and called unverified, and verified once there is one', async t => {
  const scene = await open(t, { ageDays: 5, told: good, flags: {} })
  assert.equal((await tarball(scene)).status, 200)
  assert.deepEqual(await finding(scene), { kind: 'unverified', why: 'no trust root is configured' })
  assert.equal((await attested(scene)).text, good)
  const { ports } = scene.world
  scene.tell(500)
  scene.world.advance(3600_000 + 1)
  await settleProvenance({ ...ports, config: { ...ports.config, sigstoreTrustRoot: [trustRoot] } })
  assert.equal(await state(scene), 'verified')
})

test('addresses of attestations that name nothing find nothing', async t => {
  const { world } = await open(t, { ageDays: 5, told: good })
  const base = 'GET /-/npm/v1/attestations'
  for (const wanted of ['tuf-js', 'tuf-js@', '@1.0.0', 'tuf-js@9.9.9', '..%2f@1.0.0', '@a%2fb@1.0.0']) {
    const { status } = await world.npm(`${base}/${wanted}`)
    assert.ok(status === 404 || status === 400, `${wanted}: ${status}`)
  }
})
