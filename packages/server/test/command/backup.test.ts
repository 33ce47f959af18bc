// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Digest, parsePackageName, parseVersion } from '@holdfast/core'
import { authorize, operator } from '../../src/identity/index.ts'
import type { Ports } from '../../src/main.ts'
import { ingestEvent } from '../ingest-event.ts'
import { freshPath, holdfast, withPorts } from './command-line.ts'
import { blobPath, flipByte, makeInstance, publishOne } from './instance.ts'

test('a backup made while a publisher runs is whole, and so is what is restored from it', async () => {
  const { data } = await makeInstance()
  const to = freshPath()
  let isDone = false
  const backup = holdfast('backup', '--data', data, '--to', to, '--json').finally(() => {
    isDone = true
  })
  await withPorts(data, async ({ ports }) => {
    for (let at = 0; !isDone; at++) await publishOne(ports, '@acme/busy', `1.${at}.0`)
  })
  const { code, out, err } = await backup
  assert.equal(code, 0, err)
  const manifest = JSON.parse(out)
  const checked = await holdfast('restore', '--from', to, '--verify')
  assert.equal(checked.code, 0, checked.out + checked.err)
  const restored = freshPath()
  const done = await holdfast('restore', '--from', to, '--data', restored, '--verify')
  assert.equal(done.code, 0, done.out + done.err)
  await withPorts(restored, async ({ ports: { store, blobs } }) => {
    assert.equal(store.instance.id, manifest.instance)
    let versions = 0
    for (const name of await store.catalog.listNames('', 10)) {
      for await (const page of store.catalog.versions(name)) {
        versions += page.length
        for (const { digest, sizeBytes } of page) assert.equal(await blobs.size(digest), sizeBytes)
      }
    }
    assert.equal(versions, manifest.versions)
  })
})

test('a second backup into the same folder copies only what is new, and leaves one database', async () => {
  const { data } = await makeInstance()
  const to = freshPath()
  assert.equal(JSON.parse((await holdfast('backup', '--data', data, '--to', to, '--json')).out).fresh, 3)
  await withPorts(data, ({ ports }) => publishOne(ports, '@acme/widget', '2.0.0'))
  const second = JSON.parse((await holdfast('backup', '--data', data, '--to', to, '--json')).out)
  assert.deepEqual([second.fresh, second.versions, second.blobs.count], [1, 4, 4])
  assert.deepEqual((await readdir(to)).sort(), ['backup.json', 'blobs', 'log', second.database.name].sort())
})

test('keys are left out unless asked for, and come back with their mode', async () => {
  const { data } = await makeInstance()
  const [without, withKeys] = [freshPath(), freshPath()]
  await holdfast('backup', '--data', data, '--to', without)
  assert.equal(existsSync(join(without, 'keys')), false)
  await holdfast('backup', '--data', data, '--to', withKeys, '--with-keys')
  const restored = freshPath()
  const { code, out, err } = await holdfast('restore', '--from', withKeys, '--data', restored)
  assert.equal(code, 0, out + err)
  for (const name of ['npm.pem', 'secret.key']) {
    assert.deepEqual(await readFile(join(restored, 'keys', name)), await readFile(join(data, 'keys', name)))
    assert.equal((await stat(join(restored, 'keys', name))).mode & 0o777, 0o600)
  }
})

test('a flipped byte is found, wherever it is, with exit code 3', async () => {
  const { data, digests } = await makeInstance()
  const to = freshPath()
  await holdfast('backup', '--data', data, '--to', to)
  const [digest = assert.fail()] = digests
  await flipByte(blobPath(to, digest))
  const checked = await holdfast('restore', '--from', to, '--verify', '--json')
  assert.equal(checked.code, 3, checked.err)
  assert.deepEqual(JSON.parse(checked.out).damage, [{ what: digest, kind: 'changed' }])
  const restored = await holdfast('restore', '--from', to, '--data', freshPath())
  assert.equal(restored.code, 3)
  assert.ok(restored.out.includes(digest), restored.out)
  const { database } = JSON.parse(await readFile(join(to, 'backup.json'), 'utf8'))
  await flipByte(join(to, database.name))
  const target = freshPath()
  assert.equal((await holdfast('restore', '--from', to, '--data', target)).code, 3)
  assert.equal(existsSync(target), false)
})

test('a tarball that changed in the instance is not copied as if it were whole', async () => {
  const { data, digests } = await makeInstance()
  const to = freshPath()
  const [digest = assert.fail()] = digests
  await flipByte(blobPath(data, digest))
  const { code, out } = await holdfast('backup', '--data', data, '--to', to)
  assert.equal(code, 3)
  assert.ok(out.includes(`changed: ${digest}`), out)
  assert.equal(existsSync(blobPath(to, digest)), false)
})

test('nothing is written over: not into a folder in use, nor over a backup of another instance', async () => {
  const [one, other] = [await makeInstance(), await makeInstance()]
  const to = freshPath()
  await holdfast('backup', '--data', one.data, '--to', to)
  const mixed = await holdfast('backup', '--data', other.data, '--to', to)
  assert.equal(mixed.code, 2)
  assert.match(mixed.err, /another instance/)
  const over = await holdfast('restore', '--from', to, '--data', other.data)
  assert.equal(over.code, 2)
  assert.match(over.err, /not empty/)
  const strange = freshPath()
  await mkdir(strange)
  await writeFile(join(strange, 'letter.txt'), 'mine')
  assert.equal((await holdfast('backup', '--data', one.data, '--to', strange)).code, 2)
})

test('an instance on PostgreSQL is told what to do instead', async () => {
  const { data } = await makeInstance()
  const config = `${freshPath()}.yaml`
  await writeFile(config, 'database: postgres://localhost/holdfast\n')
  const { code, err } = await holdfast('backup', '--data', data, '--config', config, '--to', freshPath())
  assert.equal(code, 2)
  assert.match(err, /pg_dump/)
})

test('what is cached of upstreams stays out, and evidence goes in', async () => {
  const { data } = await makeInstance()
  const digest = await withPorts(data, async ({ ports }) => {
    await ingest(ports, 'cached', Buffer.from('can be had again'))
    return ingest(ports, 'evidence', Buffer.from('was withdrawn'), 'quarantined')
  })
  const to = freshPath()
  assert.equal((await holdfast('backup', '--data', data, '--to', to)).code, 0)
  const restored = freshPath()
  const { code, out, err } = await holdfast('restore', '--from', to, '--data', restored, '--verify')
  assert.equal(code, 0, out + err)
  await withPorts(restored, async ({ ports: { store, blobs } }) => {
    assert.equal(await blobs.size(digest), 'was withdrawn'.length)
    const cached = await store.mirrors.findIngested(parsePackageName('cached'), parseVersion('1.0.0'))
    assert.ok(cached !== undefined && (await blobs.size(cached.digest)) === undefined)
  })
})

async function ingest(ports: Ports, name: string, bytes: Buffer, status?: 'quarantined'): Promise<Digest> {
  const writer = await ports.blobs.begin()
  await writer.write(bytes)
  const written = await writer.keep()
  const pin = { package: parsePackageName(name), version: parseVersion('1.0.0') }
  const times = { publishedAt: 1, ingestedAt: 1, lastUsedAt: 1 }
  const made = {
    ...pin,
    ...written,
    origin: 'up',
    hasInstallScript: false,
    ...times,
    provenance: 'none',
  } as const
  const grant = await authorize(ports, operator, 'instance:operate', '')
  await ports.store.commit(grant, ingestEvent(made), async tx => {
    await tx.upstream.addIngested(made)
    const measure = status === undefined ? undefined : { ...pin, status, reason: 'withdrawn', at: 1 }
    await tx.upstream.setMeasure(pin.package, pin.version, measure)
  })
  return written.digest
}
