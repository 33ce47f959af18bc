// SPDX-License-Identifier: Apache-2.0
/** `kill -9` at each point of bytes that come in from an upstream: they are recorded whole or not at all, and come in again. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { PackageName, Version } from '@holdfast/core'
import { openPorts } from '../../src/main.ts'
import { configIn, startLive } from '../live.ts'
import { startUpstream } from '../upstream-registry.ts'
import { startVictim } from './child.ts'
import { points } from './point.ts'
import { verifyFolder } from './verify.ts'

const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
const upstream = await startUpstream()
const flags = {
  origins: JSON.stringify({ up: upstream.url }),
  routes: JSON.stringify({ '*': 'up' }),
  allowPrivateHosts: '127.0.0.1',
}
const version = '1.0.0' as Version
let victim = await startVictim(folder, flags)
const arrived: PackageName[] = []
after(async () => {
  await victim.kill()
  await upstream.close()
  await rm(folder, { recursive: true, force: true })
})

for (const point of points.filter(each => !each.startsWith('cursor'))) {
  test(`an arrival killed at ${point} leaves nothing half done, and comes in again`, async () => {
    const name = `killed-at-${point.replace(':', '-')}` as PackageName
    upstream.publish(name, version, { files: { 'data.bin': randomBytes(200_000) } })
    const path = `/${name}/-/${name}-${version}.tgz`
    const wanted = upstream.tarballs.get(path) ?? Buffer.alloc(0)
    await victim.arm(point)
    // Whether the answer comes through or breaks off: what was sent to its end is right.
    const got = await fetchBytes(`${victim.url}/npm${path}`).catch(() => wanted)
    assert.deepEqual(got, wanted)
    assert.equal(await victim.ended, 'SIGKILL')
    await verifyFolder(folder)
    await verifyIngested(name)
    for (const each of arrived) assert.equal(await verifyIngested(each), true, each)

    victim = await startVictim(folder, flags)
    assert.deepEqual(await fetchBytes(`${victim.url}/npm${path}`), wanted)
    while (!(await isIngested(name))) await delay(50)
    arrived.push(name)
  })
}

test('what went out before a stop is recorded by its end', async t => {
  const home = await mkdtemp(join(tmpdir(), 'holdfast-'))
  t.after(() => rm(home, { recursive: true, force: true }))
  const names = Array.from({ length: 8 }, (_, at) => `stopped-${at}` as PackageName)
  for (const name of names) upstream.publish(name, version, { files: { 'data.bin': randomBytes(20_000) } })
  const live = await startLive({ folder: home, flags })
  await Promise.all(names.map(name => fetchBytes(`${live.url}/npm/${name}/-/${name}-${version}.tgz`)))
  await live.stop()
  const { ports, close } = await openPorts(configIn(home, flags))
  t.after(close)
  assert.deepEqual(await ports.store.mirrors.filterIngested(names), names)
})

test('what came in stays when the instance is killed while it rests', async () => {
  await victim.kill()
  for (const each of arrived) assert.equal(await verifyIngested(each), true, each)
})

async function fetchBytes(url: string): Promise<Buffer> {
  const answer = await fetch(url)
  assert.equal(answer.status, 200)
  return Buffer.from(await answer.arrayBuffer())
}

async function isIngested(name: PackageName): Promise<boolean> {
  const { ports, close } = await openPorts(configIn(folder, flags))
  try {
    return (await ports.store.mirrors.findIngested(name, version)) !== undefined
  } finally {
    await close()
  }
}

/** The row, its event and its bytes are there together, or neither row nor event; says if they are. */
async function verifyIngested(name: PackageName): Promise<boolean> {
  const { ports, close } = await openPorts(configIn(folder, flags))
  try {
    const row = await ports.store.mirrors.findIngested(name, version)
    const events = (await ports.store.events.ofPackage(name)).filter(({ type }) => type === 'ingest')
    assert.equal(events.length, row === undefined ? 0 : 1)
    if (row === undefined) return false
    const reader = await ports.blobs.open(row.digest)
    const bytes = await reader?.read(0, Buffer.alloc(row.sizeBytes))
    await reader?.close()
    assert.equal(
      createHash('sha512')
        .update(bytes ?? '')
        .digest('hex'),
      row.digest,
    )
    return true
  } finally {
    await close()
  }
}
