// SPDX-License-Identifier: Apache-2.0
/** What a proof says about one version, for whoever has nothing but the proof and the log's key. */
import { type Digest, parseIntegrity } from '../digest.ts'
import { type PackageName, parsePackageName } from '../package-name.ts'
import { problem } from '../problem.ts'
import { parseVersion, type Version } from '../version.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { readLeaf } from './leaf.ts'
import type { LogCrypto } from './log-crypto.ts'
import { hashLeaf, verifyInclusion } from './merkle.ts'
import { parseNote, type VerifierKey, verifyNote } from './note.ts'
import type { LogProof } from './tlog-proof.ts'

/** A version whose entry stands in the log. */
export interface LoggedVersion {
  readonly name: PackageName
  readonly version: Version
  /** Of its tarball. */
  readonly digest: Digest
  /** When the registry accepted it, in milliseconds since the epoch, as it claims. */
  readonly at: number
  /** The log's own name. */
  readonly origin: string
}

/** Checks that a log which one of these keys signs has the entry, and reads it. Throws `proof-refused` or `note-refused`. */
export async function proveVersion(
  crypto: LogCrypto,
  proof: LogProof,
  logKeys: readonly VerifierKey[],
): Promise<LoggedVersion> {
  const note = parseNote(proof.checkpoint)
  const { origin, size, root } = parseCheckpoint(note.text)
  const signers = await verifyNote(crypto, note, logKeys)
  // The key of another log, or of a witness, says nothing about this one.
  if (!signers.some(key => key.name === origin)) throw refuse('the log itself did not sign its checkpoint')
  const { entry, index, path } = proof
  const leaf = await hashLeaf(crypto, entry)
  if (!(await verifyInclusion(crypto, { leaf, index, size, path, root })))
    throw refuse('its entry is not under the checkpoint')
  const { log, type, link, at, fields } = readLeaf(entry)
  if (log !== origin) throw refuse('its entry is of another log')
  if (type !== 'publish' && type !== 'ingest') throw refuse(`its entry is no publication but ${type}`)
  const { integrity } = Object(fields['dist']) as { readonly integrity?: unknown }
  const digest = typeof integrity === 'string' ? parseIntegrity(integrity) : undefined
  if (digest === undefined) throw refuse('its entry has no sha512')
  return { name: parsePackageName(link?.pkg), version: parseVersion(fields['ver']), digest, at, origin }
}

function refuse(why: string) {
  return problem('proof-refused', { why })
}
