// SPDX-License-Identifier: Apache-2.0
/** What is cached of upstreams stays within its quota, and nothing goes that could not come again. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { parsePackageName, parseVersion } from '@holdfast/core'
import { keepWithinQuota, takeMeasure } from '../../src/flow/index.ts'
import { authorize, operator } from '../../src/identity/index.ts'
import { startUpstream } from '../upstream-registry.ts'
import { dayMs, openWorld } from '../world.ts'

const hourMs = 3600_000
const version = parseVersion('1.0.0')
const names = ['evidence', 'locked', 'submitted', 'withdrawn', 'oldest', 'older', 'newest']

test('the least recently used goes first; evidence, lock files and what cannot come again stay; what went comes again', async t => {
  const upstream = await startUpstream()
  t.after(() => upstream.close())
  const world = await openWorld({
    origins: JSON.stringify({ up: upstream.url }),
    allowPrivateHosts: '127.0.0.1',
  })
  t.after(() => world.close())
  const { store, blobs, downloads } = world.ports
  // Bytes on the disk have the time of this machine, which must be past.
  world.advance(3000 * dayMs)
  for (const name of names) upstream.publish(name, version, { files: { 'data.bin': randomBytes(100_000) } })
  const fetchOf = (name: string) => world.npm(`GET /${name}/-/${name}-${version}.tgz`)
  for (const name of [...names, 'oldest']) {
    assert.equal((await fetchOf(name)).status, 200)
    while ((await store.mirrors.findIngested(parsePackageName(name), version)) === undefined) await delay(20)
    world.advance(2 * hourMs)
    await downloads.flush()
  }
  const isKept = async (name: string) => {
    const found = await store.mirrors.findIngested(parsePackageName(name), version)
    return found !== undefined && (await blobs.size(found.digest)) !== undefined
  }
  const kept = async () => {
    const each = await Promise.all(names.map(async name => ((await isKept(name)) ? [name] : [])))
    return each.flat()
  }
  const evidence = { name: parsePackageName('evidence'), version }
  await takeMeasure(world.ports, operator, 'quarantine', evidence, { code: 'malware', words: '' })
  const grant = await authorize(world.ports, operator, 'instance:operate', '')
  await store.commit(grant, { type: 'policy', fields: { op: 'keep' } }, tx =>
    tx.policy.grandfather([{ package: parsePackageName('locked'), version }], world.now()),
  )
  const ann = await world.someone('ann')
  const packages = {
    '': { name: 'shop', version: '1.0.0', dependencies: { submitted: version } },
    'node_modules/submitted': { version },
  }
  const lockfile = JSON.stringify({ name: 'shop', version: '1.0.0', lockfileVersion: 3, packages })
  const body = { branch: 'main', lockfile }
  const sent = await world.ask('POST /api/v1/projects/shop/lockfiles', { token: ann.token, body })
  assert.ok(sent.status < 300, JSON.stringify(sent.body))
  upstream.publish('withdrawn', '1.1.0')
  delete upstream.documents.get('withdrawn').versions[version]
  // The first may join a question that was asked before the version went.
  for (let asked = 0; asked < 2; asked++)
    await world.ports.mirrors.refresh(parsePackageName('withdrawn'), 'up')
  await takeMeasure(
    world.ports,
    operator,
    'release',
    { name: parsePackageName('withdrawn'), version },
    {
      code: 'other',
      words: '',
    },
  )

  world.advance(2 * hourMs)
  // Each is some 100 kB, so that five of seven fit; the instance itself has no quota and does not come between.
  await keepWithinQuota({ ...world.ports, config: { ...world.ports.config, cacheQuotaBytes: 550_000 } })
  // The second fetch of 'oldest' made it the newest but one.
  assert.deepEqual(await kept(), ['evidence', 'locked', 'submitted', 'withdrawn', 'oldest'])
  assert.ok((await store.mirrors.sumKeptBytes()) <= 550_000)
  const [about] = await store.mirrors.summarise()
  assert.deepEqual([about?.origin, about?.packages, about?.versions], ['up', 7, 5])

  assert.equal((await fetchOf('older')).status, 200)
  while (!(await isKept('older'))) await delay(20)
  assert.deepEqual(await kept(), ['evidence', 'locked', 'submitted', 'withdrawn', 'oldest', 'older'])
  // Its digest stayed pinned: other bytes under the same version do not come in.
  upstream.publish('newest', version, { files: { 'data.bin': randomBytes(100_000) } })
  await world.ports.mirrors.refresh(parsePackageName('newest'), 'up')
  assert.equal((await fetchOf('newest')).status, 403)
  assert.deepEqual(world.errors, [])
})
