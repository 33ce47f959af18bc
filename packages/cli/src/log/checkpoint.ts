// SPDX-License-Identifier: Apache-2.0
import {
  type Checkpoint,
  isProblem,
  keyType,
  type Note,
  parseCheckpoint,
  parseNote,
  readCosignatureTime,
  type VerifierKey,
  verifyNote,
  type WitnessPolicy,
} from '@holdfast/core'
import { Misbehaviour } from './misbehaviour.ts'
import { nodeCrypto } from './node-crypto.ts'

// Clocks differ.
const maxAheadMs = 5 * 60_000

/** Whose signatures count. */
export interface Believed {
  readonly origin: string
  readonly logKeys: readonly VerifierKey[]
  readonly policy: WitnessPolicy
}

/** A checkpoint that the log signed, and as many witnesses as the policy asks for. */
export interface VerifiedCheckpoint extends Checkpoint {
  /** The signed note. */
  readonly note: string
  readonly witnesses: readonly VerifierKey[]
  /** Milliseconds since the epoch of the newest cosignature; undefined without any. */
  readonly cosignedAt: number | undefined
}

/** Reads a checkpoint and checks its signatures, or throws `Misbehaviour`. */
export async function verifyCheckpoint(believed: Believed, text: string): Promise<VerifiedCheckpoint> {
  try {
    const note = parseNote(text)
    const checkpoint = parseCheckpoint(note.text)
    if (checkpoint.origin !== believed.origin)
      throw refuse(`it is of the log ${checkpoint.origin}, not ${believed.origin}`)
    const witnessKeys = believed.policy.witnesses.map(each => each.key)
    const signers = await verifyNote(nodeCrypto, note, [...believed.logKeys, ...witnessKeys])
    if (!signers.some(key => believed.logKeys.includes(key))) throw refuse('the log itself did not sign it')
    const witnesses = signers.filter(key => witnessKeys.includes(key))
    if (!believed.policy.isMet(witnesses)) throw refuse('fewer witnesses signed it than the policy asks for')
    return { ...checkpoint, note: text, witnesses, cosignedAt: newestTime(note, witnesses) }
  } catch (error) {
    throw isProblem(error) ? refuse(error.message) : error
  }
}

/** A checkpoint that this machine verified before, read again: its form alone is looked at. Throws `Misbehaviour` for another log's. */
export function readVerified(origin: string, text: string): VerifiedCheckpoint {
  try {
    const checkpoint = parseCheckpoint(parseNote(text).text)
    if (checkpoint.origin !== origin) throw refuse(`it is of the log ${checkpoint.origin}, not ${origin}`)
    return { ...checkpoint, note: text, witnesses: [], cosignedAt: undefined }
  } catch (error) {
    throw isProblem(error) ? refuse(error.message) : error
  }
}

function newestTime(note: Note, witnesses: readonly VerifierKey[]): number | undefined {
  const times = note.signatures
    .filter(({ name, id }) =>
      witnesses.some(key => key.name === name && key.id === id && key.type === keyType.cosignature),
    )
    .map(signature => readCosignatureTime(signature) * 1000)
  if (times.length === 0) return undefined
  const newest = Math.max(...times)
  if (newest > Date.now() + maxAheadMs) throw refuse('a witness signed it in the future')
  return newest
}

function refuse(why: string): Misbehaviour {
  return new Misbehaviour(
    `the checkpoint of the log cannot be believed: ${why}`,
    'Ask the operator, by another way than this registry, whether its keys changed.',
  )
}
