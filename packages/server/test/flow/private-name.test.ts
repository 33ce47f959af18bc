// SPDX-License-Identifier: Apache-2.0
/** Names that are ours and appear upstream are told, once, and without asking anybody for them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { appendFile, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { parseNamePattern } from '@holdfast/core'
import {
  askUpstreams,
  followNames,
  hostNames,
  nameCursor,
  reconcile,
  unhostNames,
} from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { startUpstream } from '../upstream-registry.ts'
import { openWorld, type World } from '../world.ts'

async function open(t: TestContext, flags: Readonly<Record<string, string>>): Promise<World> {
  const world = await openWorld(flags)
  t.after(() => world.close())
  await unhostNames(world.ports, operator, [parseNamePattern('*')])
  await hostNames(world.ports, operator, ['@acme/*', 'left-pad'].map(parseNamePattern))
  return world
}

async function freshFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

async function told({ ports }: World): Promise<string[]> {
  const cases = await ports.store.incident.listCases(Number.MAX_SAFE_INTEGER, 100)
  return cases.map(each => `${each.kind} ${each.title}`).reverse()
}

test('a list in a file, of any form, tells names that are ours: at first all at once, then each new one once', async t => {
  const file = join(await freshFolder(t), 'names.json')
  const world = await open(t, { upstreamNames: file })
  await writeFile(file, '[\n  "lodash",\n  "@acme/stolen",\n  "left-pad","acme","@acmeother/ui"\n]')
  const ann = await world.someone('ann', ['responder'])
  await followNames(world.ports)
  await followNames(world.ports)
  assert.deepEqual(await told(world), [
    'private-name @acme/stolen and 1 more names of this registry were published upstream',
  ])
  const letters = (await world.ports.store.mail.listRecent(10)).filter(each =>
    each.subject.includes('stolen'),
  )
  assert.deepEqual(
    letters.map(each => each.to),
    [ann.email],
  )
  await appendFile(file, '\n@acme/fresh')
  await utimes(file, new Date(), new Date(Date.now() + 60_000))
  world.advance(1000)
  await followNames(world.ports)
  assert.deepEqual((await told(world)).slice(1), ['private-name @acme/fresh was published upstream'])
})

test('a name cut in two by the reading is found, and a file that is no list does no harm', async t => {
  const file = join(await freshFolder(t), 'names.txt')
  const names = Array.from({ length: 120_000 }, (_, i) => `package-${i}`)
  for (let i = 20_000; i < names.length; i += 20_000) names[i] = `@acme/n${i}`
  const world = await open(t, { upstreamNames: file })
  await writeFile(file, names.join('\n'))
  await followNames(world.ports)
  const [made] = await world.ports.store.incident.listCases(Number.MAX_SAFE_INTEGER, 10)
  assert.equal(made?.subjectCount, 5)
  await writeFile(file, Buffer.alloc(3_000_000, 'x'))
  await utimes(file, new Date(), new Date(Date.now() + 60_000))
  await followNames(world.ports)
  await rm(file)
  await followNames(world.ports)
  assert.equal((await told(world)).length, 1)
})

test('where every name is hosted here only packages that are here count', async t => {
  const file = join(await freshFolder(t), 'names.txt')
  const world = await openWorld({ upstreamNames: file })
  t.after(() => world.close())
  await world.publish(await world.someone('ann'), 'ours', '1.0.0')
  await writeFile(file, 'lodash\nours\n')
  await followNames(world.ports)
  assert.deepEqual(await told(world), ['private-name ours was published upstream'])
})

test('a feed of changes is read on from where it was, page by page; one that lies is tried again', async t => {
  const asked: string[] = []
  // The round that the start itself makes finds nothing.
  let answer = (_since: string): unknown => 'not yet'
  const feed = createServer((request, response) => {
    const since = new URL(request.url ?? '', 'http://feed').searchParams.get('since') ?? ''
    asked.push(since)
    response.end(JSON.stringify(answer(since)))
  }).listen(0, '127.0.0.1')
  await once(feed, 'listening')
  t.after(() => feed.close())
  const upstreamNames = `http://127.0.0.1:${(feed.address() as AddressInfo).port}/_changes`
  const world = await open(t, { upstreamNames, allowPrivateHosts: '127.0.0.1' })
  const cursor = nameCursor(world.ports.nameSources[0] ?? { id: '' })
  answer = () => ({ results: [], last_seq: 100 })
  // That round may still be under way, and hold the lease.
  while (asked.length === 0) await delay(20)
  // With a pause, since SQLite answers without one: the other round would never get its turn.
  while ((await world.ports.store.leases.position(cursor)) === 0) {
    await followNames(world.ports)
    await delay(20)
  }
  asked.length = 0
  await followNames(world.ports)
  answer = since =>
    since === '100'
      ? { results: Array.from({ length: 1000 }, (_, i) => ({ seq: i, id: `p${i}` })), last_seq: '1100-abc' }
      : {
          results: [
            { seq: 1101, id: '@acme/stolen' },
            { seq: 1102, id: '_design/app' },
          ],
          last_seq: 1102,
        }
  await followNames(world.ports)
  assert.deepEqual(asked, ['100', '100', '1100'])
  assert.deepEqual(await told(world), ['private-name @acme/stolen was published upstream'])
  answer = () => ({ results: 'all of them', last_seq: {} })
  await followNames(world.ports)
  answer = () => ({ results: [], last_seq: 1102 })
  await followNames(world.ports)
  assert.deepEqual(asked.slice(3), ['1102', '1102'])
})

test('upstreams are asked for names that the operator allows, and for no others', async t => {
  const upstream = await startUpstream()
  t.after(() => upstream.close())
  upstream.publish('@acme/ui', '1.0.0')
  upstream.publish('@acme/secret-plan', '1.0.0')
  const world = await open(t, {
    origins: JSON.stringify({ npm: upstream.url }),
    askUpstreamsAbout: '@acme/ui',
    allowPrivateHosts: '127.0.0.1',
  })
  const ann = await world.someone('ann')
  for (const name of ['@acme/ui', '@acme/secret-plan', '@acme/other']) await world.publish(ann, name, '1.0.0')
  await askUpstreams(world.ports)
  assert.deepEqual(await told(world), ['private-name @acme/ui was published upstream'])
  assert.ok(!upstream.asked.some(({ line }) => /secret|other/.test(line)))
})

test('what a feed says changed is asked of its upstream in the next round, and before it is given again', async t => {
  const upstream = await startUpstream()
  t.after(() => upstream.close())
  upstream.publish('left-pad', '1.0.0')
  upstream.publish('lodash', '1.0.0')
  upstream.answer = (request, response) => {
    if (request.url?.startsWith('/_changes') !== true) return false
    const since = new URL(request.url, upstream.url).searchParams.get('since')
    const results = since === 'now' ? [] : [{ id: 'left-pad' }, { id: 'never-asked-for' }]
    response.end(JSON.stringify({ results, last_seq: since === 'now' ? 1 : 2 }))
    return true
  }
  const world = await openWorld({
    origins: JSON.stringify({ up: upstream.url }),
    upstreamNames: `${upstream.url}/_changes`,
    allowPrivateHosts: '127.0.0.1',
  })
  t.after(() => world.close())
  for (const name of ['left-pad', 'lodash']) assert.equal((await world.npm(`GET /${name}`)).status, 200)
  const asked = () =>
    upstream.asked.filter(({ line }) => /left-pad|lodash|never/.test(line)).map(({ line }) => line)
  const before = asked().length
  const cursor = nameCursor(world.ports.nameSources[0] ?? { id: '' })
  while ((await world.ports.store.leases.position(cursor)) < 2) {
    await followNames(world.ports)
    await delay(20)
  }
  await reconcile(world.ports)
  assert.deepEqual(asked().slice(before), ['GET /left-pad'])
})

test('no request that anybody makes tells an upstream a private name, published here or not', async t => {
  const upstream = await startUpstream()
  t.after(() => upstream.close())
  const world = await open(t, {
    origins: JSON.stringify({ up: upstream.url }),
    routes: JSON.stringify({ '*': 'up' }),
    allowPrivateHosts: '127.0.0.1',
  })
  const ann = await world.someone('ann')
  const { token } = ann
  await world.publish(ann, '@acme/secret', '1.0.0', {
    manifest: { dependencies: { '@acme/planned': '^1.0.0', chalk: '*' } },
  })
  upstream.publish('chalk', '1.0.0')
  // As npm writes it: a scoped name with its slash escaped, or not; another case; a version of a moment ago.
  for (const name of ['@acme/secret', '@acme/planned', '@acme%2fplanned', '@Acme/planned']) {
    const base = name.split(/\/|%2f/)[1]
    for (const path of [
      `/${name}`,
      `/${name}/latest`,
      `/${name}/2.0.0`,
      `/${name}/-/${base}-2.0.0.tgz`,
      `/-/package/${name}/dist-tags`,
      `/-/npm/v1/attestations/${name}@1.0.0`,
      `/-/v1/search?text=${name}`,
    ])
      await world.npm(`GET ${path}`, { token })
    for (const path of [`/package/npm/${name}`, `/why/npm/${name}/1.0.0`, `/api/v1/why/npm/${name}/1.0.0`])
      await world.ask(`GET ${path}`, { token })
  }
  const tree = { '@acme/secret': { version: '1.0.0' }, '@acme/planned': { version: '1.0.0' } }
  const lists = { '@acme/secret': ['1.0.0'], '@acme/planned': ['1.0.0'], chalk: ['1.0.0'] }
  await world.npm('POST /-/npm/v1/security/advisories/bulk', { token, body: lists })
  await world.npm('POST /-/npm/v1/security/audits/quick', {
    token,
    body: { name: '@acme/app', version: '1.0.0', requires: {}, dependencies: tree },
  })
  assert.equal((await world.npm('GET /chalk', { token })).status, 200)
  world.advance(25 * 3600_000)
  await reconcile(world.ports)
  await followNames(world.ports)
  await askUpstreams(world.ports)
  assert.ok(upstream.asked.some(({ line }) => line === 'GET /chalk'))
  const told = upstream.asked.filter(each => /acme|secret|planned/i.test(JSON.stringify(each)))
  assert.deepEqual(told, [])
})
