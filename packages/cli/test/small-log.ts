// SPDX-License-Identifier: Apache-2.0
/** A log of a few entries with a key of its own, which tests may fork as they like. */
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import {
  encodeBase64,
  formatCheckpoint,
  formatNote,
  formatVerifierKey,
  formatWitnessRequest,
  hashLeaf,
  keyType,
  makeVerifierKey,
  proveConsistency,
  rootFromTiles,
  type VerifierKey,
  webCrypto,
} from '@holdfast/core'

/** A tree of fewer than 256 entries. */
export interface SmallLog {
  readonly key: VerifierKey
  readonly vkey: string
  /** The signed note of its first entries. */
  checkpoint(size: number): Promise<string>
  prove(from: number, to: number): Promise<readonly Uint8Array[]>
  /** The body of an `add-checkpoint`. */
  request(from: number, to: number): Promise<string>
  /** The same key over a log that is another from this entry on. */
  fork(from: number): SmallLog
}

/** Makes one; the same name and seed make the same log. */
export async function makeSmallLog(origin: string, seed = `key of ${origin}`): Promise<SmallLog> {
  const raw = createHash('sha256').update(seed).digest()
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), raw])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).subarray(-32)
  const key = await makeVerifierKey(webCrypto, origin, keyType.ed25519, publicKey)
  const signNote = (text: string) =>
    formatNote({
      text,
      signatures: [{ name: origin, id: key.id, bytes: sign(null, Buffer.from(text), privateKey) }],
    })
  return withEntries(key, signNote, at => `entry-${at}`)
}

function withEntries(
  key: VerifierKey,
  signNote: (text: string) => string,
  entryAt: (index: number) => string,
): SmallLog {
  const readTile = async ({ width }: { readonly width: number }) =>
    Buffer.concat(
      await Promise.all(
        Array.from({ length: width }, (_, at) => hashLeaf(webCrypto, Buffer.from(entryAt(at)))),
      ),
    )
  const checkpoint = async (size: number) => {
    const root = await rootFromTiles(webCrypto, readTile, size)
    return signNote(formatCheckpoint({ origin: key.name, size, root }))
  }
  const prove = (from: number, to: number) => proveConsistency(webCrypto, readTile, from, to)
  return {
    key,
    vkey: formatVerifierKey(key),
    checkpoint,
    prove,
    request: async (from, to) =>
      formatWitnessRequest({
        oldSize: from,
        path: from > to ? [] : await prove(from, to),
        checkpoint: await checkpoint(to),
      }),
    fork: from => withEntries(key, signNote, at => (at < from ? entryAt(at) : `fork-${at}`)),
  }
}

/** One bit of a base64 signature in a note is another. */
export function spoilSignature(note: string): string {
  const end = note.lastIndexOf(' ') + 1
  const bytes = Buffer.from(note.slice(end), 'base64')
  bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20)
  return `${note.slice(0, end)}${encodeBase64(bytes)}\n`
}
