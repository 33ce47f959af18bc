// SPDX-License-Identifier: Apache-2.0
/** Feeds of advisories, over a mirror of an OSV dump on loopback: what comes in, what waits for a person, and what silence does. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { PackageName, Version } from '@holdfast/core'
import { strToU8, zipSync } from 'fflate'
import {
  acceptWaiting,
  followAdvisories,
  listFeedStates,
  listWaiting,
  refuseWaiting,
} from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { openDesk } from '../client/client.ts'
import { startUpstream, type UpstreamRegistry } from '../upstream-registry.ts'
import { dayMs, openWorld, type World } from '../world.ts'

/** A dump as OSV lays it out. */
interface Dump {
  readonly url: string
  readonly records: Map<string, { readonly modified: string }>
  readonly asked: string[]
  /** Instead of what was asked for. */
  fault: { status: number; body: string } | undefined
}

async function startDump(t: TestContext): Promise<Dump> {
  const dump: Dump = { url: '', records: new Map(), asked: [], fault: undefined }
  const server = createServer(({ url = '' }, response) => {
    dump.asked.push(url)
    if (dump.fault !== undefined) response.writeHead(dump.fault.status).end(dump.fault.body)
    else response.end(answer(dump, url) ?? '')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close().closeAllConnections())
  return Object.assign(dump, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

function answer({ records }: Dump, url: string): Uint8Array | string | undefined {
  const all = [...records].sort(([, a], [, b]) => (a.modified < b.modified ? 1 : -1))
  if (url === '/modified_id.csv') return all.map(([id, { modified }]) => `${modified},${id}\n`).join('')
  if (url === '/all.zip')
    return zipSync(
      Object.fromEntries(all.map(([id, record]) => [`${id}.json`, strToU8(JSON.stringify(record))])),
    )
  return JSON.stringify(records.get(url.slice(1).replace('.json', '')))
}

function tell(dump: Dump, world: World, id: string, name: string, more: object = {}): void {
  const modified = new Date(world.now()).toISOString()
  const affected = [
    { package: { ecosystem: 'npm', name }, ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }] }] },
  ]
  dump.records.set(id, { id, modified, published: modified, summary: 'a test', affected, ...more } as {
    modified: string
  })
}

async function open(
  t: TestContext,
  flags: Readonly<Record<string, string>>,
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

const shown = async (world: World, name: string) =>
  Object.keys((await world.npm(`GET /${name}`)).body.versions ?? {})
const ids = (world: World, name: string) =>
  world.ports.store.policy.listAdvisories(name as PackageName).then(all => all.map(each => each.id))

/** What stands beside the answer of npm's two ways to ask. */
async function noticeOfAudit(world: World): Promise<string | null> {
  const path = '/-/npm/v1/security'
  const bulk = await world.npm(`POST ${path}/advisories/bulk`, { body: { lib: ['1.0.0'] } })
  const quick = await world.npm(`POST ${path}/audits/quick`, { body: { dependencies: {} } })
  const notice = bulk.headers.get('npm-notice')
  assert.equal(quick.headers.get('npm-notice'), notice)
  return notice
}

/** The round that the start made may still be under way and hold the lease. */
async function follow(world: World): Promise<void> {
  for (;;) {
    await followAdvisories(world.ports)
    const states = await listFeedStates(world.ports)
    if (states.every(({ feed }) => feed?.takenAt === world.now())) return
    await delay(20)
  }
}

test('the first look takes the whole dump, later ones only what changed, and a version is closed without anybody', async t => {
  const dump = await startDump(t)
  const { upstream, world } = await open(t, { advisoryFeeds: `test=${dump.url}` })
  upstream.publish('left', '1.0.0')
  upstream.publish('right', '1.0.0')
  tell(dump, world, 'MAL-2026-1', 'left')
  tell(dump, world, 'GHSA-aaaa-bbbb-cccc', 'other', { affected: [] })
  await follow(world)
  assert.deepEqual(await shown(world, 'left'), [])
  assert.deepEqual(await shown(world, 'right'), ['1.0.0'])
  assert.ok(dump.asked.includes('/all.zip'))
  dump.asked.length = 0
  world.advance(60_000)
  tell(dump, world, 'MAL-2026-2', 'right')
  await follow(world)
  assert.deepEqual(await shown(world, 'right'), [])
  assert.deepEqual([...new Set(dump.asked)], ['/modified_id.csv', '/MAL-2026-2.json'])
  world.advance(60_000)
  tell(dump, world, 'MAL-2026-2', 'right', { withdrawn: new Date(world.now()).toISOString() })
  await follow(world)
  assert.deepEqual(await shown(world, 'right'), ['1.0.0'], 'what was withdrawn counts no longer')
})

test('what would close a version that has long been used here waits for a person, who decides once', async t => {
  const dump = await startDump(t)
  const { upstream, world } = await open(t, { advisoryFeeds: `test=${dump.url}` })
  const ann = await world.someone('ann', ['responder'])
  upstream.publish('old', '1.0.0')
  upstream.publish('young', '1.0.0', { publishedAt: world.now() - 10 * dayMs })
  for (const name of ['old', 'young'])
    assert.equal((await world.npm(`GET /${name}/-/${name}-1.0.0.tgz`)).status, 200)
  await world.ports.downloads.flush()
  tell(dump, world, 'MAL-2026-1', 'old')
  tell(dump, world, 'MAL-2026-2', 'young')
  tell(dump, world, 'GHSA-aaaa-bbbb-cccc', 'old', { database_specific: { severity: 'LOW' } })
  await follow(world)
  assert.deepEqual(await ids(world, 'old'), ['GHSA-aaaa-bbbb-cccc'], 'a flaw closes nothing, and comes in')
  assert.deepEqual(await shown(world, 'young'), [], 'a worm is young')
  const [waiting] = await listWaiting(world.ports, operator)
  assert.match(waiting?.why ?? '', /old@1\.0\.0 is malware: out for more than a month/)
  const letters = await world.ports.store.mail.listRecent(10)
  assert.ok(
    letters.some(each => each.to === ann.email && each.subject.includes('MAL-2026-1 waits for a person')),
  )

  await refuseWaiting(world.ports, operator, 'MAL-2026-1')
  world.advance(60_000)
  tell(dump, world, 'MAL-2026-3', 'elsewhere')
  await follow(world)
  assert.deepEqual(
    await listWaiting(world.ports, operator),
    [],
    'what was refused does not come back as it is',
  )
  assert.deepEqual(await shown(world, 'old'), ['1.0.0'])

  world.advance(60_000)
  tell(dump, world, 'MAL-2026-1', 'old', { summary: 'looked at again' })
  await follow(world)
  await acceptWaiting(world.ports, operator, 'MAL-2026-1')
  assert.deepEqual(await shown(world, 'old'), [])
  await assert.rejects(acceptWaiting(world.ports, operator, 'MAL-2026-1'), { code: 'not-found' })
})

test('while a feed is silent for more than a day the clock of release ages stands still, and goes on with it', async t => {
  const dump = await startDump(t)
  const { upstream, world } = await open(t, { advisoryFeeds: `test=${dump.url}` })
  await world.someone('ann', ['responder'])
  tell(dump, world, 'MAL-2026-1', 'elsewhere')
  await follow(world)
  assert.equal(await noticeOfAudit(world), null)
  upstream.publish('lib', '1.0.0', { publishedAt: world.now() - 30 * dayMs })
  upstream.publish('lib', '1.1.0', { publishedAt: world.now() })
  upstream.publish('lib', '1.0.1', { publishedAt: world.now() - 2.5 * dayMs })
  dump.fault = { status: 503, body: 'down' }
  world.advance(4 * dayMs)
  await followAdvisories(world.ports)
  const [state] = await listFeedStates(world.ports)
  assert.equal(state?.isSilent, true)
  const day = new Date(world.now() - 4 * dayMs).toISOString().slice(0, 10)
  assert.equal(
    await noticeOfAudit(world),
    `Advisories are missing here: test was last read ${day}. Nothing found does not mean that nothing is known.`,
  )
  assert.match(state?.feed?.fault ?? '', /answers 503/)
  assert.deepEqual(
    (await shown(world, 'lib')).toSorted(),
    ['1.0.0', '1.0.1'],
    'what had its age when the feed fell silent passes',
  )
  const refused = await world.npm('GET /lib/-/lib-1.1.0.tgz')
  assert.match(
    refused.body.error,
    /waits longer, because what is known to be bad has not been heard for a day/,
  )
  const cases = await world.ports.store.incident.listCases(Number.MAX_SAFE_INTEGER, 10)
  assert.deepEqual(
    cases.map(each => each.kind),
    ['feed-silent'],
    'told once',
  )
  dump.fault = undefined
  await follow(world)
  assert.deepEqual((await shown(world, 'lib')).length, 3)
})

test('npm audit says on a registry that never read its feed that nothing found means nothing', async t => {
  const dump = await startDump(t)
  dump.fault = { status: 503, body: 'down' }
  const { upstream, world } = await open(t, { advisoryFeeds: `test=${dump.url}` })
  upstream.publish('lib', '1.0.0', { publishedAt: world.now() - 30 * dayMs })
  const desk = await openDesk('npm', `${world.url}/npm/`)
  t.after(() => desk.remove())
  await desk.folder('app', { name: 'app', version: '1.0.0', dependencies: { lib: '^1.0.0' } })
  await desk.run('app', ['install'])
  const { code, text } = await desk.run('app', ['audit'])
  assert.equal(code, 0, text)
  assert.match(text, /npm notice Advisories are missing here: test was never read/)
})

test('a folder is a feed: what is written there comes in, and what cannot be read is told beside it', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  t.after(() => rm(folder, { recursive: true }))
  const { world } = await open(t, { advisoryFeeds: `own=${folder}` })
  const record = {
    id: 'x_1',
    modified: '2026-01-01T00:00:00Z',
    affected: [{ package: { ecosystem: 'npm', name: 'lib' }, versions: ['1.0.0'] }],
  }
  await writeFile(join(folder, 'one.json'), JSON.stringify(record))
  await writeFile(join(folder, 'broken.json'), '{')
  const feed = async () => (await listFeedStates(world.ports))[0]?.feed
  while ((await ids(world, 'lib')).length === 0 || (await feed())?.faults !== 1) {
    await followAdvisories(world.ports)
    await delay(20)
  }
  assert.match((await feed())?.fault ?? '', /broken\.json: it is no JSON/)
  const [advisory] = await world.ports.store.policy.listAdvisories('lib' as PackageName)
  assert.equal(advisory?.range, '1.0.0' as Version)
})
