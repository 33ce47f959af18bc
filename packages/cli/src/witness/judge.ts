// SPDX-License-Identifier: Apache-2.0
/** What a witness answers to a log (C2SP tlog-witness, `add-checkpoint`). No network, no files, no clock. */
import {
  type Checkpoint,
  emptyRoot,
  formatNote,
  isProblem,
  type Note,
  type NoteSignature,
  parseCheckpoint,
  parseNote,
  parseWitnessRequest,
  type VerifierKey,
  verifyConsistency,
  verifyNote,
  type WitnessRequest,
  webCrypto,
} from '@holdfast/core'

/** Why nothing is cosigned. */
export interface Refusal {
  readonly kind: 'refused'
  readonly status: 400 | 403 | 404 | 422
  readonly say: string
}

/** A log that we know signed this. Nothing is said yet of whether it continues what was cosigned before. */
export interface Submission {
  readonly kind: 'submission'
  readonly request: WitnessRequest
  readonly checkpoint: Checkpoint
  /** The note with those signatures that hold, and no others. */
  readonly note: Note
}

export type Verdict =
  | Refusal
  | { readonly kind: 'conflict'; readonly size: number }
  | { readonly kind: 'follows' }

/** Steps 1 to 4: the body parses, its origin is known, a known key signed it, and it does not shrink. */
export async function readSubmission(
  logKeys: readonly VerifierKey[],
  body: string,
): Promise<Submission | Refusal> {
  const parsed = parseOrRefuse(body)
  if (parsed.kind === 'refused') return parsed
  const { request, checkpoint, note } = parsed
  const keys = logKeys.filter(key => key.name === checkpoint.origin)
  if (keys.length === 0) return refuse(404, 'this witness does not know this log')
  const signers = await verifyNote(webCrypto, note, keys).catch(catchProblem)
  if (signers.length === 0) return refuse(403, 'no key of this log that is known here signed it well')
  if (request.oldSize > checkpoint.size)
    return refuse(400, 'the old size is larger than that of the checkpoint')
  const signatures = note.signatures.filter(each => signers.some(key => isBy(each, key)))
  return { ...parsed, note: { text: note.text, signatures } }
}

/** Steps 5 and 6: it goes on from what was cosigned last, and has that in it. */
export async function compare(submission: Submission, heldNote: string | undefined): Promise<Verdict> {
  const { request, checkpoint } = submission
  const held = heldNote === undefined ? undefined : parseCheckpoint(parseNote(heldNote).text)
  const heldSize = held?.size ?? 0
  if (request.oldSize !== heldSize) return { kind: 'conflict', size: heldSize }
  const fromRoot = held?.root ?? emptyRoot
  if (checkpoint.size === 0 && !Buffer.from(checkpoint.root).equals(emptyRoot))
    return refuse(422, 'the root of an empty tree is another')
  const holds = await verifyConsistency(webCrypto, {
    fromSize: heldSize,
    fromRoot,
    toSize: checkpoint.size,
    toRoot: checkpoint.root,
    path: request.path,
  })
  return holds
    ? { kind: 'follows' }
    : refuse(422, 'the proof does not show that it continues what was cosigned')
}

/** The note with our signature behind those of the log, as it is kept and served. */
export function withCosignature({ note }: Submission, cosignature: NoteSignature): string {
  return formatNote({ text: note.text, signatures: [...note.signatures, cosignature] })
}

function parseOrRefuse(body: string): Submission | Refusal {
  try {
    const request = parseWitnessRequest(body)
    const note = parseNote(request.checkpoint)
    return { kind: 'submission', request, checkpoint: readCheckpoint(note.text), note }
  } catch (error) {
    if (isProblem(error)) return refuse(400, error.message)
    throw error
  }
}

/** An empty tree with the root of another is no malformed checkpoint, but one that proves itself wrong: step 6 looks at it. */
function readCheckpoint(text: string): Checkpoint {
  const isEmpty = text.split('\n')[1] === '0'
  return isEmpty ? { ...parseCheckpoint(text.replace('\n0\n', '\n1\n')), size: 0 } : parseCheckpoint(text)
}

function catchProblem(error: unknown): readonly VerifierKey[] {
  if (isProblem(error)) return []
  throw error
}

function refuse(status: Refusal['status'], say: string): Refusal {
  return { kind: 'refused', status, say }
}

function isBy(signature: NoteSignature, key: VerifierKey): boolean {
  return signature.name === key.name && signature.id === key.id
}
