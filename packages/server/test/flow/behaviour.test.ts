// SPDX-License-Identifier: Apache-2.0
/** Who publishes against a habit is stopped, and a real release is not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listHolds } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { type BodyWishes, publishDocument } from '../live.ts'
import { dayMs, openWorld } from '../world.ts'

async function openFamily(t: { after(work: () => Promise<void>): void }, size: number) {
  const world = await openWorld()
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
