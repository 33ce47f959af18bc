// SPDX-License-Identifier: Apache-2.0
/** Who publishes against a habit is stopped, and a real release is not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePackageName, parseVersion } from '@holdfast/core'
import { listHolds } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { readConfig, startInstance } from '../../src/main.ts'
import { type BodyWishes, publishDocument } from '../live.ts'
import { startPostgres } from '../postgres.ts'
import { dayMs, openWorld } from '../world.ts'

async function openFamily(t: { after(work: () => Promise<void>): void }, size: number, flags = {}) {
  const world = await openWorld(flags)
  t.after(async () => {
    assert.deepEqual(world.errors, [])
    await world.check()
    await world.close()
  })
  const alice = await world.someone('alice')
  const names = Array.from({ length: size }, (_, i) => `family-${i}`)
  const release = async (version: string, token: string, wishes: (i: number) => BodyWishes) => {
    const statuses: number[] = []
    for (const [i, name] of names.entries()) {
      const body = publishDocument(name, version, wishes(i))
      statuses.push((await world.npm(`PUT /${name}`, { token, body })).status)
    }
    return statuses
  }
  const plain = (i: number) => ({ files: { 'index.js': `module.exports = ${i}\n` } })
  await release('1.0.0', alice.token, plain)
  world.advance(30 * dayMs)
  const held = async () => (await listHolds(world.ports, operator)).map(each => each.package)
  return { world, alice, names, release, plain, held }
}

test('a worm that takes the same file through a family is stopped at the second package, with its token', {
  timeout: 180_000,
}, async t => {
  const { world, alice, release, plain, held } = await openFamily(t, 30)
  const stolen = await world.token(alice)
  const statuses = await release('1.0.1', stolen, i => ({
    files: { ...plain(i).files, 'lib/helper.js': 'module.exports = process.env\n' },
  }))
  assert.deepEqual(statuses, [201, 201, ...Array(28).fill(401)])
  assert.deepEqual((await held()).sort(), ['family-0', 'family-1'])
  for (const name of ['family-0', 'family-1'])
    assert.equal((await world.npm(`GET /${name}/-/${name}-1.0.1.tgz`)).status, 403)
  const [made] = await world.ports.store.incident.listCases(Number.MAX_SAFE_INTEGER, 1)
  assert.deepEqual([made?.kind, made?.subjectCount], ['malware', 2])
})

test('a real release of a family passes, and one far beyond what it ever released is held', {
  timeout: 180_000,
}, async t => {
  const { world, alice, release, plain, held } = await openFamily(t, 30)
  const next = (i: number) => ({ files: { 'index.js': `${plain(i).files['index.js']}// next\n` } })
  assert.deepEqual([...new Set(await release('1.1.0', alice.token, next))], [201])
  assert.deepEqual(await held(), [])
  const bob = await world.someone('bob')
  await world.publish(bob, 'single', '1.0.0')
  world.advance(30 * dayMs)
  for (let i = 0; i < 12; i++) await world.publish(bob, `burst-${i}`, '1.0.0')
  assert.deepEqual(await held(), ['burst-10', 'burst-11'])
})

test('the first install script of a package with a history is held, of one without it is not', async t => {
  const world = await openWorld()
  t.after(() => world.close())
  const alice = await world.someone('alice')
  const scripts = { manifest: { scripts: { postinstall: 'node setup.js' } } }
  await world.publish(alice, 'fresh', '1.0.0')
  await world.publish(alice, 'fresh', '1.0.1', scripts)
  for (const version of ['1.0.0', '1.0.1', '1.0.2']) await world.publish(alice, 'old', version)
  world.advance(10 * dayMs)
  await world.publish(alice, 'old', '1.0.3', scripts)
  const held = (await listHolds(world.ports, operator)).map(each => `${each.package}@${each.version}`)
  assert.deepEqual(held, ['old@1.0.3'])
})

const drivers: Readonly<Record<string, () => Promise<Record<string, string>>>> = {
  SQLite: async () => ({}),
  PostgreSQL: async () => {
    const server = await startPostgres()
    return { database: server.url(await server.createDatabase()) }
  },
}

for (const [driver, flags] of Object.entries(drivers))
  test(`${driver}: thirty packages of a worm at the same moment, over two processes, are stopped after two`, {
    timeout: 180_000,
  }, async t => {
    const database = await flags()
    const { world, alice, names, plain, held } = await openFamily(t, 30, database)
    const { data } = world.ports.config
    const second = await startInstance(
      readConfig({ data, port: '0', mfa: 'optional', ...database }, {}),
      { request() {}, say() {}, flush() {} },
      world.now,
    )
    t.after(() => second.stop())
    const stolen = await world.token(alice)
    const replies = await Promise.all(
      names.map(async (name, i) => {
        const files = { ...plain(i).files, 'lib/helper.js': 'module.exports = process.env\n' }
        return fetch(`${i % 2 === 0 ? world.url : second.url}/npm/${name}`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${stolen}` },
          body: JSON.stringify(publishDocument(name, '1.0.1', { files })),
        })
      }),
    )
    const statuses = replies.map(each => each.status).sort()
    assert.deepEqual(statuses, [201, 201, ...Array(28).fill(401)])
    assert.equal((await held()).length, 2)
    const open: string[] = []
    for (const name of names)
      if ((await world.npm(`GET /${name}/-/${name}-1.0.1.tgz`)).status === 200) open.push(name)
    assert.deepEqual(open, [])
  })

test('a release of sixty siblings passes; with one file put into two of them all that went out is held', {
  timeout: 240_000,
}, async t => {
  const { world, alice, names, release, plain, held } = await openFamily(t, 60)
  const next = (i: number) => ({ files: { 'index.js': `${plain(i).files['index.js']}// next\n` } })
  assert.deepEqual([...new Set(await release('1.1.0', alice.token, next))], [201])
  assert.deepEqual(await held(), [])
  world.advance(dayMs)
  const injected = new Set([7, 11])
  const statuses = await release('1.2.0', await world.token(alice), i => ({
    files: {
      'index.js': `${plain(i).files['index.js']}// more\n`,
      ...(injected.has(i) ? { 'lib/helper.js': 'module.exports = process.env\n' } : {}),
    },
  }))
  assert.deepEqual(statuses, [...Array(12).fill(201), ...Array(48).fill(401)])
  assert.deepEqual((await held()).sort(), names.slice(0, 12).sort())
  const [made] = await world.ports.store.incident.listCases(Number.MAX_SAFE_INTEGER, 1)
  assert.deepEqual([made?.kind, made?.severity, made?.subjectCount], ['malware', 'critical', 12])
})

test('a new hand and a new token are held on an established package where nobody showed a second factor; a new network alone is not', async t => {
  const world = await openWorld({ trustedProxies: '127.0.0.1' })
  t.after(() => world.close())
  const [alice, bob] = [await world.someone('alice'), await world.someone('bob')]
  const put = async (version: string, token: string, address: string, name = 'old') => {
    const body = publishDocument(name, version, { files: { 'index.js': `// ${version}\n` } })
    const headers = { 'x-forwarded-for': address }
    const { status } = await world.npm(`PUT /${name}`, { token, body, headers })
    assert.equal(status, 201)
    const found = await world.ports.store.screening.find(parsePackageName(name), parseVersion(version))
    return [found?.hold, ...(found?.findings ?? []).map(each => each.rule)]
  }
  const home = '198.51.100.1'
  for (const version of ['1.0.0', '1.0.1', '1.0.2']) await put(version, alice.token, home)
  await put('1.0.0', bob.token, '203.0.113.9', 'bobs')
  await world.npm('PUT /-/package/old/owners', { token: alice.token, body: { user: 'bob' } })
  world.advance(10 * dayMs)
  assert.deepEqual(await put('1.0.3', alice.token, '198.51.100.77'), ['none'])
  assert.deepEqual(await put('1.0.4', alice.token, '192.0.2.1'), ['none', 'new-network'])
  const rotated = await world.token(alice)
  assert.deepEqual(await put('1.0.5', rotated, home), ['open', 'new-token'])
  assert.deepEqual(await put('1.0.6', rotated, home), ['none'], 'it is known from then on')
  assert.deepEqual(await put('1.0.7', bob.token, '203.0.113.9'), ['open', 'new-maintainer'])
  world.advance(100 * dayMs)
  assert.deepEqual(await put('1.0.8', alice.token, home), ['open', 'idle-token'])
})
