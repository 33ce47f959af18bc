// SPDX-License-Identifier: Apache-2.0

/** The strongest second factor of an account: a passkey cannot be phished, a code can. */
export type Factor = 'none' | 'code' | 'passkey'

/** What is known when somebody changes a package. */
export interface MfaFacts {
  readonly rule: 'required' | 'optional'
  /** Accounts without a second factor may still change packages until then; 0 for none. */
  readonly graceUntil: number
  readonly now: number
  readonly factor: Factor
  /** From when the package asks for passkeys, because it is critical. */
  readonly criticalFrom: number | undefined
  /** The token that skips the second factor, when one is used for what it may skip it for. */
  readonly exception: MfaException | undefined
}

/** A token that was made to skip the second factor. */
export interface MfaException {
  /** Made at the machine itself, by whoever owns the instance. */
  readonly byOperator: boolean
  /** An owner of the package made it, or allows such tokens on the package. */
  readonly isApproved: boolean
  readonly expiresAt: number | null
}

/** Whether a change may go on, and if not, what is missing. */
export type MfaVerdict =
  | 'allowed'
  | 'factor-missing'
  | 'passkey-missing'
  | 'exception-undated'
  | 'exception-unapproved'

/**
 * The rule of second factors for whoever changes a package: nothing on a password alone, passkeys only on critical
 * packages, and a token that skips presence is an exception with an end that an owner approved.
 */
export function decideMfa(facts: MfaFacts): MfaVerdict {
  const { exception, factor, now } = facts
  if (exception?.byOperator) return exception.expiresAt === null ? 'exception-undated' : 'allowed'
  if (facts.criticalFrom !== undefined && facts.criticalFrom <= now && factor !== 'passkey')
    return 'passkey-missing'
  if (facts.rule === 'required' && factor === 'none' && facts.graceUntil <= now) return 'factor-missing'
  if (exception === undefined || facts.rule === 'optional') return 'allowed'
  if (exception.expiresAt === null) return 'exception-undated'
  return exception.isApproved ? 'allowed' : 'exception-unapproved'
}
