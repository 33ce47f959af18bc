// SPDX-License-Identifier: Apache-2.0
/** The whole log verified anew, as somebody who trusts nothing but its public key would. */
import assert from 'node:assert/strict'
import {
  decodeBundle,
  emptyFrontier,
  encodeHex,
  extendFrontier,
  formatTilePath,
  hashLeaf,
  listNewTiles,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  rootFromTiles,
  rootOf,
  type TileAddress,
  verifyNote,
} from '@holdfast/core'
import { nodeCrypto } from '../src/integrity/index.ts'
import type { Ports } from '../src/main.ts'

/**
 * Every event for the log is an entry, once and in order; the files give the root that the checkpoint says, by entries and by
 * tiles; nothing that can be installed is missing in it.
 */
export async function auditLog(ports: Ports): Promise<void> {
  assert.ok(await ports.log.covered(), 'the log does not get on')
  const leaves = await readLeaves(ports)
  const published = await ports.log.published()
  if (published === undefined) return assert.equal(leaves.length, 0)
  const note = parseNote(published.note)
  const key = await parseVerifierKey(nodeCrypto, ports.log.vkey)
  assert.ok((await verifyNote(nodeCrypto, note, [key])).includes(key))
  const { origin, size, root } = parseCheckpoint(note.text)
  assert.equal(origin, ports.store.instance.logOrigin)
  assert.deepEqual([size, published.size], [leaves.length, leaves.length])
  const entries = await readBundles(ports, size)
  assert.deepEqual(entries.map(decode), leaves)
  const hashes = await Promise.all(entries.map(entry => hashLeaf(nodeCrypto, entry)))
  const found = await rootOf(nodeCrypto, await extendFrontier(nodeCrypto, emptyFrontier, hashes))
  assert.equal(encodeHex(found), encodeHex(root))
  const told = await rootFromTiles(nodeCrypto, address => readTile(ports, address), size)
  assert.equal(encodeHex(told), encodeHex(root))
  await checkShown(ports, size)
}

async function readLeaves(ports: Ports): Promise<string[]> {
  const leaves: string[] = []
  for (let position = 0; ; ) {
    const events = await ports.store.events.read(position, 1000)
    leaves.push(...events.flatMap(({ leaf }) => leaf ?? []))
    const last = events.at(-1)
    if (last === undefined) return leaves
    position = last.position
  }
}

async function readBundles(ports: Ports, size: number): Promise<Uint8Array[]> {
  const entries: Uint8Array[] = []
  for (const address of listNewTiles(0, size)) {
    const bytes = await readFile(ports, formatTilePath(address))
    if (address.kind === 'hash') assert.equal(bytes.length, address.width * 32)
    else entries.push(...decodeBundle(bytes))
  }
  return entries
}

async function readTile(ports: Ports, address: TileAddress): Promise<Uint8Array> {
  return readFile(ports, formatTilePath(address))
}

async function readFile(ports: Ports, path: string): Promise<Uint8Array> {
  return (await ports.log.read(path)) ?? assert.fail(`${path} is missing`)
}

async function checkShown(ports: Ports, size: number): Promise<void> {
  for (const name of await ports.store.catalog.listNames('', 1_000_000))
    for (const { version, status } of await ports.store.catalog.listKeptFacts(name)) {
      assert.notEqual(status, 'pending', `${name}@${version} is covered and not shown`)
      const entry = await ports.store.log.findPublish(name, version)
      if (status !== 'staged')
        assert.ok((entry?.index ?? size) < size, `${name}@${version} is not in the log`)
    }
}

function decode(entry: Uint8Array): string {
  return Buffer.from(entry).toString('utf8')
}
