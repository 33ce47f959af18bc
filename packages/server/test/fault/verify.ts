// SPDX-License-Identifier: Apache-2.0
/** What must hold of an instance after whatever happened to it. */
import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, decodeLeaf, formatIntegrity, parseIntegrity } from '@holdfast/core'
import { sql } from 'kysely'
import { openPorts, type Ports } from '../../src/main.ts'
import { configIn } from '../live.ts'
import { auditLog } from '../log-audit.ts'

/** A version whose publisher was told that it is in. */
export interface Acknowledged {
  readonly name: string
  readonly version: string
}

interface ShownVersion {
  readonly dist: {
    readonly integrity: string
    readonly tarball: string
    readonly signatures: readonly { readonly keyid: string; readonly sig: string }[]
  }
}

/** Every acknowledged version is there by HTTP: in its packument, with bytes that have its digest, signed by the key. */
export async function verifyAcknowledged(url: string, versions: readonly Acknowledged[]): Promise<void> {
  const keys = await getJson<{ keys: { keyid: string; key: string }[] }>(`${url}/npm/-/npm/v1/keys`)
  const byName = Map.groupBy(versions, ({ name }) => name)
  for (const [name, published] of byName) {
    const shown = await getJson<{ versions: Record<string, ShownVersion> }>(`${url}/npm/${name}`)
    for (const { version } of published) {
      const dist = shown.versions[version]?.dist
      assert.ok(dist, `${name}@${version} was acknowledged and is lost`)
      const bytes = Buffer.from(
        await (await fetch(`${url}/npm${new URL(dist.tarball).pathname.slice(4)}`)).arrayBuffer(),
      )
      assert.equal(formatIntegrity(digestOf(bytes)), dist.integrity, `bytes of ${name}@${version}`)
      checkSignature(keys.keys, `${name}@${version}:${dist.integrity}`, dist)
    }
  }
}

function checkSignature(
  keys: readonly { keyid: string; key: string }[],
  text: string,
  dist: ShownVersion['dist'],
): void {
  const [signature] = dist.signatures
  const key = keys.find(each => each.keyid === signature?.keyid)
  assert.ok(key && signature, `no known key signed ${text}`)
  const publicKey = createPublicKey({ key: Buffer.from(key.key, 'base64'), format: 'der', type: 'spki' })
  const isRight = verify('sha256', Buffer.from(text), publicKey, Buffer.from(signature.sig, 'base64'))
  assert.ok(isRight, `the signature of ${text}`)
}

/** Opens the folder of an instance that ended and checks all of it: nothing is half there. */
export async function verifyFolder(folder: string): Promise<void> {
  const { ports, driver, close } = await openPorts(configIn(folder))
  try {
    if (driver.dialect === 'sqlite') {
      const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(driver.db)
      assert.deepEqual(rows, [{ integrity_check: 'ok' }])
    }
    await verifyPorts(ports)
    await auditLog(ports)
    assert.deepEqual(await readdir(join(folder, 'blobs', 'incoming')), [], 'temporary files are left')
  } finally {
    await close()
  }
}

/** Versions, blobs, events and chains agree: each version has its bytes and its one event, each event its version. */
export async function verifyPorts(ports: Ports): Promise<void> {
  const published = await verifyEvents(ports)
  const found = new Map<string, string>()
  for (const name of await ports.store.catalog.listNames('', 1_000_000)) {
    for await (const page of ports.store.catalog.versions(name)) {
      for (const version of page) {
        found.set(`${name}@${version.version}`, formatIntegrity(version.digest))
        await verifyBlob(ports, version.digest, version.sizeBytes)
      }
    }
  }
  assert.deepEqual([...found].sort(), [...published].sort(), 'versions and publish events')
}

/** Positions without a gap, chains without a break; gives the integrity that each publish event says. */
async function verifyEvents(ports: Ports): Promise<ReadonlyMap<string, string>> {
  const chains = new Map<string, { seq: number; hash: string }>()
  const published = new Map<string, string>()
  let position = 0
  for (;;) {
    const events = await ports.store.events.read(position, 1000)
    if (events.length === 0) break
    for (const event of events) {
      position += 1
      assert.equal(event.position, position, 'the positions of events have a gap')
      if (event.leaf === null) continue
      const leaf = decodeLeaf(event.leaf) as Record<string, unknown>
      const dist = leaf['dist'] as { integrity: string } | undefined
      if (event.type === 'publish' && dist) published.set(`${event.pkg}@${event.ver}`, dist.integrity)
      if (event.pkg === null) continue
      const last = chains.get(event.pkg) ?? { seq: 0, hash: '' }
      assert.deepEqual([leaf['seq'], leaf['prev']], [last.seq + 1, last.hash], `the chain of ${event.pkg}`)
      chains.set(event.pkg, { seq: last.seq + 1, hash: leafHash(event.leaf) })
    }
  }
  assert.equal(await ports.store.events.head(), position)
  return published
}

async function verifyBlob(ports: Ports, digest: Digest, sizeBytes: number): Promise<void> {
  const reader = await ports.blobs.open(digest)
  assert.ok(reader, `the bytes of ${digest.slice(0, 12)} are lost`)
  try {
    assert.equal(reader.sizeBytes, sizeBytes)
    assert.equal(digestOf(await reader.read(0, Buffer.alloc(sizeBytes))), digest)
  } finally {
    await reader.close()
  }
}

function digestOf(bytes: Uint8Array): Digest {
  const digest = parseIntegrity(`sha512-${createHash('sha512').update(bytes).digest('base64')}`)
  return digest ?? assert.fail()
}

/** RFC 6962: the hash of a leaf begins with a zero byte. */
function leafHash(leaf: string): string {
  return createHash('sha256')
    .update(Buffer.from([0]))
    .update(leaf)
    .digest('base64')
}

async function getJson<T>(url: string): Promise<T> {
  const answer = await fetch(url)
  assert.equal(answer.status, 200, url)
  return (await answer.json()) as T
}
