// SPDX-License-Identifier: Apache-2.0
/** Verifies everything an instance kept, trusting nothing but the events and the bytes. */
import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { decodeLeaf, formatIntegrity, type PackageName, type Version } from '@holdfast/core'
import type { PackageVersion } from '../src/catalog/index.ts'
import type { StoredEvent } from '../src/integrity/index.ts'
import type { Ports } from '../src/main.ts'
import { checkLeaves } from './leaf-check.ts'
import { auditLog } from './log-audit.ts'
import { checkReplay } from './replay-check.ts'

/** Bytes under every digest, signatures, one chain of leaves a package, no person in a leaf, and an event for each change. */
export async function checkWorld(ports: Ports): Promise<void> {
  const events = await readAll(ports)
  for (const [index, event] of events.entries()) assert.equal(event.position, index + 1)
  checkChains(ports, events)
  await checkLeaves(ports, events)
  await auditLog(ports)
  await checkReplay(ports, events)
  for (const name of await ports.store.catalog.listNames('', 10_000)) await checkPackage(ports, name)
}

async function readAll(ports: Ports): Promise<StoredEvent[]> {
  const all: StoredEvent[] = []
  for (;;) {
    const page = await ports.store.events.read(all.length, 1000)
    if (page.length === 0) return all
    all.push(...page)
  }
}

function checkChains(ports: Ports, events: readonly StoredEvent[]): void {
  const heads = new Map<string, { seq: number; hash: string }>()
  for (const event of events) {
    if (event.leaf === null) continue
    const leaf = decodeLeaf(event.leaf)
    assert.deepEqual(
      [leaf['v'], leaf['log'], leaf['id'], leaf['at'], leaf['type']],
      [1, ports.store.instance.logOrigin, event.id, event.at, event.type],
    )
    if (event.pkg === null) continue
    const head = heads.get(event.pkg) ?? { seq: 0, hash: '' }
    assert.deepEqual([leaf['seq'], leaf['prev']], [head.seq + 1, head.hash], `${event.pkg} has a gap`)
    heads.set(event.pkg, { seq: head.seq + 1, hash: hashLeaf(event.leaf) })
  }
}

async function checkPackage(ports: Ports, name: PackageName): Promise<void> {
  const events = await ports.store.events.ofPackage(name)
  const versions = await readVersions(ports, name)
  for (const version of versions) await checkVersion(ports, version, events)
  await checkSettings(ports, name, events)
  await checkTrust(ports, name, events)
}

/** What the next version must prove is what the last event said, and the leaf names that by its digest. */
async function checkTrust(ports: Ports, name: PackageName, events: readonly StoredEvent[]): Promise<void> {
  const last = events.findLast(({ type, detail }) => type === 'policy' && detail['trust'] !== undefined)
  const trust = last?.detail['trust'] as Record<string, unknown> | undefined
  assert.deepEqual(
    (await ports.store.trust.findTrust(name)) ?? {},
    trust ?? {},
    `trust of ${name} without an event`,
  )
  if (trust === undefined || last === undefined) return
  const named = await readLeafDocument(ports, decodeLeaf(last.leaf ?? '')['config'])
  const { salt: _, ...said } = named as Record<string, unknown>
  assert.deepEqual(said, trust)
}

/** Who may read a package, and what it asks of who changes it, is what the last event said of it. */
async function checkSettings(ports: Ports, name: PackageName, events: readonly StoredEvent[]): Promise<void> {
  const known = await ports.store.catalog.findPackage(name)
  const { access, requiresTfa } = events.findLast(event => event.type === 'access')?.detail ?? {}
  assert.equal(known?.requiresTfa, requiresTfa ?? 'none', `settings of ${name} without an event`)
  if (access !== undefined) assert.equal(known?.access, access, `access to ${name} without an event`)
}

async function readVersions(ports: Ports, name: PackageName): Promise<PackageVersion[]> {
  const all: PackageVersion[] = []
  for await (const page of ports.store.catalog.versions(name)) all.push(...page)
  return all
}

async function checkVersion(
  ports: Ports,
  version: PackageVersion,
  events: readonly StoredEvent[],
): Promise<void> {
  const { package: name, version: ver, digest } = version
  const bytes = await readBlob(ports, version)
  assert.equal(createHash('sha512').update(bytes).digest('hex'), digest)
  assert.equal(createHash('sha1').update(bytes).digest('hex'), version.shasum)
  const published = events.filter(event => event.type === 'publish' && event.ver === ver)
  assert.equal(published.length, 1, `${name}@${ver} has ${published.length} publish events`)
  const leaf = decodeLeaf(published[0]?.leaf ?? '{}') as { dist?: { integrity?: string } }
  assert.equal(leaf.dist?.integrity, formatIntegrity(digest))
  const born = published[0]?.position ?? 0
  const removed = events.some(event => isRemovalOf(event, ver, born))
  assert.equal(version.status === 'removed', removed, `${name}@${ver} is ${version.status}`)
  const deprecated = events.findLast(event => event.type === 'deprecate' && event.ver === ver)
  const message = await messageOf(ports, deprecated)
  assert.equal(version.deprecated, message, `${name}@${ver} is deprecated without an event`)
  checkSignatures(ports, version)
}

/** Without a version all are meant that were there. */
function isRemovalOf(event: StoredEvent, version: Version, born: number): boolean {
  return event.type === 'unpublish' && event.position > born && (event.ver === version || event.ver === null)
}

async function readBlob(ports: Ports, version: PackageVersion): Promise<Uint8Array> {
  const reader = await ports.blobs.open(version.digest)
  assert.ok(reader !== undefined, `${version.package}@${version.version} has no bytes`)
  try {
    return await reader.read(0, Buffer.alloc(reader.sizeBytes))
  } finally {
    await reader.close()
  }
}

function checkSignatures(ports: Ports, version: PackageVersion): void {
  const signatures = JSON.parse(version.signatures) as { keyid: string; sig: string }[]
  assert.ok(signatures.length > 0)
  for (const { keyid, sig } of signatures) {
    const known = ports.signer.publicKeys.find(key => key.keyid === keyid)
    const key = createPublicKey({ key: Buffer.from(known?.key ?? '', 'base64'), format: 'der', type: 'spki' })
    const text = `${version.package}@${version.version}:${formatIntegrity(version.digest)}`
    assert.ok(verify('sha256', Buffer.from(text), key, Buffer.from(sig, 'base64')))
  }
}

async function messageOf(ports: Ports, event: StoredEvent | undefined): Promise<string> {
  const digest = decodeLeaf(event?.leaf ?? '{"msg":""}')['msg']
  return digest === '' ? '' : ((await readLeafDocument(ports, digest)) as { message: string }).message
}

/** The document that a leaf names is there, is that one, and cannot be guessed. */
async function readLeafDocument(ports: Ports, digest: unknown): Promise<unknown> {
  const text = (await ports.store.leafDocuments.find(String(digest))) ?? ''
  assert.equal(`sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}`, digest)
  const document = JSON.parse(text) as { salt?: string }
  assert.match(document.salt ?? '', /^[0-9a-f]{32}$/)
  return document
}

function hashLeaf(leaf: string): string {
  return createHash('sha256').update(Uint8Array.of(0)).update(leaf, 'utf8').digest('base64')
}
