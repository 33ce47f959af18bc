// SPDX-License-Identifier: Apache-2.0
/** Results of self-assessments, signed by this registry, and what turned red between two of them. */
import * as v from 'valibot'

const shape = v.object({
  release: v.pipe(v.string(), v.maxLength(100)),
  at: v.pipe(v.string(), v.isoTimestamp()),
  levels: v.record(v.string(), v.number()),
  capabilities: v.pipe(
    v.array(
      v.object({
        id: v.pipe(v.string(), v.maxLength(100)),
        status: v.picklist(['pass', 'fail', 'missing', 'not-applicable']),
        evidence: v.array(v.pipe(v.string(), v.maxLength(5000))),
      }),
    ),
    v.maxLength(500),
  ),
})

/** What `holdfast assess self --json` prints, as far as it is read here. */
export type AssessmentResult = v.InferOutput<typeof shape>

/** One result as it is kept. */
export interface KeptAssessment {
  /** Milliseconds since the epoch at which it was kept. */
  readonly at: number
  readonly release: string
  /** How many capabilities passed. */
  readonly passed: number
  /** The text as it came: what is signed. */
  readonly text: string
  /** The key that signed it, as `/-/npm/v1/keys` names it, and the signature as `Signer` makes it. */
  readonly keyId: string
  readonly signature: string
}

/** One of a list. */
export type ListedAssessment = Omit<KeptAssessment, 'text'>

/** What the store keeps of them. */
export interface AssessmentReads {
  /** Newest first. */
  list(limit: number): Promise<readonly ListedAssessment[]>
  /** The one that was kept at this moment. */
  find(at: number): Promise<KeptAssessment | undefined>
}

export interface AssessmentWrites {
  /** Older ones than the newest hundred go. */
  add(kept: KeptAssessment): Promise<void>
}

/** A result out of its text, or undefined where that is none. */
export function parseAssessment(text: string): AssessmentResult | undefined {
  try {
    const parsed = v.safeParse(shape, JSON.parse(text))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}

/** The capabilities that passed before and do not any more. */
export function findTurnedRed(before: AssessmentResult, now: AssessmentResult): readonly string[] {
  const passed = new Set(before.capabilities.filter(({ status }) => status === 'pass').map(({ id }) => id))
  return now.capabilities
    .filter(({ id, status }) => passed.has(id) && (status === 'fail' || status === 'missing'))
    .map(({ id }) => id)
}
