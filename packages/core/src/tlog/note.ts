// SPDX-License-Identifier: Apache-2.0
/**
 * Signed notes, by C2SP signed-note: text, a blank line, and lines that sign the text.
 *
 *     registry.example/log
 *     5
 *     cjkowesyKcdFJjGkxMuWO6KeOlDpyHVCkSIiti11Hio=
 *
 *     — registry.example/log ElGbNupOOGfljHXq76hdoqoEkXdcz1tJpMX8g/BuKBH6nt7w…
 */
import { excerpt, problem } from '../problem.ts'
import { concatBytes, decodeBase64, encodeBase64, encodeHex } from './bytes.ts'
import { cosignedMessage, readCosignatureTime } from './cosignature.ts'
import type { LogCrypto } from './log-crypto.ts'

const maxNoteLength = 65_536
const maxSignatures = 32

/** What a key may sign: notes as it is, or checkpoints with the time at which it saw them. */
export const keyType = { ed25519: 1, cosignature: 4 } as const

/** A public key with the name of who signs with it. */
export interface VerifierKey {
  readonly name: string
  /** 8 hexadecimal characters that follow from all the rest. */
  readonly id: string
  readonly type: number
  readonly publicKey: Uint8Array
}

/** One signature line of a note; `bytes` come after the key's id. */
export interface NoteSignature {
  readonly name: string
  readonly id: string
  readonly bytes: Uint8Array
}

/** A note that was parsed but not verified; `text` is what the signatures are about. */
export interface Note {
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** Reads a note, or throws `note-refused`; its signatures still prove nothing. */
export function parseNote(text: string): Note {
  if (text.length > maxNoteLength) throw refuse(`it is longer than ${maxNoteLength} characters`)
  if (!text.isWellFormed() || hasControls(text)) throw refuse('it has characters that no note has')
  // The text may have blank lines of its own: only the last one ends it.
  const end = text.lastIndexOf('\n\n') + 1
  if (end === 0 || !text.endsWith('\n')) throw refuse('it has no signature lines')
  const lines = text.slice(end + 1, -1).split('\n')
  if (lines.length > maxSignatures) throw refuse(`it has more than ${maxSignatures} signatures`)
  return { text: text.slice(0, end), signatures: lines.map(parseSignature) }
}

function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) < 0x20 && text[at] !== '\n') return true
  }
  return false
}

function parseSignature(line: string): NoteSignature {
  const [, name = '', base64 = ''] = /^\u2014 ([^ ]+) ([^ ]+)$/.exec(line) ?? []
  const bytes = decodeBase64(base64)
  if (!isKeyName(name) || bytes === undefined || bytes.length < 5)
    throw refuse(`this is no signature line: ${excerpt(line)}`)
  return { name, id: encodeHex(bytes.subarray(0, 4)), bytes: bytes.subarray(4) }
}

/** Writes a note, the inverse of `parseNote`. */
export function formatNote({ text, signatures }: Note): string {
  return `${text}\n${signatures.map(formatSignature).join('')}`
}

/** One signature as a line of a note. */
export function formatSignature({ name, id, bytes }: NoteSignature): string {
  return `\u2014 ${name} ${encodeBase64(concatBytes(decodeId(id), bytes))}\n`
}

/**
 * The keys that signed this note. Signatures of keys that are not among these are ignored; throws `note-refused` when
 * a known key's signature is wrong, or when no known key signed.
 */
export async function verifyNote(
  crypto: LogCrypto,
  note: Note,
  keys: readonly VerifierKey[],
): Promise<readonly VerifierKey[]> {
  const verified = new Set<VerifierKey>()
  for (const signature of note.signatures) {
    for (const key of keys) {
      if (key.name !== signature.name || key.id !== signature.id || !isVerifiable(key)) continue
      if (!(await isSigned(crypto, note.text, signature, key)))
        throw refuse(`the signature of ${excerpt(key.name)} is wrong`)
      verified.add(key)
    }
  }
  if (verified.size === 0) throw refuse('no key that is trusted signed it')
  return [...verified]
}

// Newer kinds of keys may stand beside those that this code can check.
function isVerifiable({ type }: VerifierKey): boolean {
  return type === keyType.ed25519 || type === keyType.cosignature
}

async function isSigned(
  crypto: LogCrypto,
  text: string,
  signature: NoteSignature,
  { type, publicKey }: VerifierKey,
): Promise<boolean> {
  const { bytes } = signature
  if (type === keyType.ed25519)
    return bytes.length === 64 && (await crypto.verifyEd25519(publicKey, encodeText(text), bytes))
  if (bytes.length !== 72) return false
  const message = cosignedMessage(readCosignatureTime(signature), text)
  return crypto.verifyEd25519(publicKey, message, bytes.subarray(8))
}

/** Reads `name+id+base64`, or throws `note-refused`; the id must follow from the name and the key. */
export async function parseVerifierKey(crypto: LogCrypto, text: string): Promise<VerifierKey> {
  // The base64 may hold further plus signs.
  const [, name = '', id = '', base64 = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text) ?? []
  const bytes = decodeBase64(base64)
  const [type, ...publicKey] = bytes ?? []
  if (type === undefined || text.length > 4096) throw refuse(`this is no verifier key: ${excerpt(text)}`)
  const key = await makeVerifierKey(crypto, name, type, Uint8Array.from(publicKey))
  if (key.id !== id) throw refuse(`the id of the verifier key ${excerpt(text)} is not that of its key`)
  return key
}

/** The key with its id, or throws `note-refused` for a name or length that no such key has. */
export async function makeVerifierKey(
  crypto: LogCrypto,
  name: string,
  type: number,
  publicKey: Uint8Array,
): Promise<VerifierKey> {
  if (!isKeyName(name)) throw refuse(`${excerpt(name)} is no name of a key`)
  const isSane = isVerifiable({ name, id: '', type, publicKey })
    ? publicKey.length === 32
    : publicKey.length > 0
  if (!isSane) throw refuse(`the key of ${excerpt(name)} has ${publicKey.length} bytes`)
  const hash = await crypto.sha256(concatBytes(encodeText(`${name}\n`), Uint8Array.of(type), publicKey))
  return { name, id: encodeHex(hash.subarray(0, 4)), type, publicKey }
}

/** Writes a key as `name+id+base64`, the inverse of `parseVerifierKey`. */
export function formatVerifierKey({ name, id, type, publicKey }: VerifierKey): string {
  return `${name}+${id}+${encodeBase64(concatBytes(Uint8Array.of(type), publicKey))}`
}

// White space would split the line, and a plus sign the verifier key.
function isKeyName(name: string): boolean {
  return /^[^\s\x85+]+$/.test(name) && !hasControls(name) && name.isWellFormed()
}

function decodeId(id: string): Uint8Array {
  return Uint8Array.from(id.match(/../g) ?? [], pair => Number.parseInt(pair, 16))
}

function encodeText(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function refuse(why: string) {
  return problem('note-refused', { why })
}
