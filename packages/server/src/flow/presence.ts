// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import type { TfaDemand } from '../catalog/index.ts'
import {
  type Grant,
  hashSecret,
  operations,
  type Person,
  type Rule,
  randomId,
  randomText,
  tfaModeOf,
  wordsOf,
} from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { checkMfaRule, factorMissing, type PresenceProof, touchWanted } from './mfa-rule.ts'
import { approvalOperation, factorWanted, isSecondFactor } from './second-factor.ts'

/** How long a wish from the command line waits for its approval. */
export const approvalWaitMs = 5 * 60_000

/**
 * The second factor of a write: passes when neither the account nor the package asks for one, else checks what the
 * request carried. Throws `otp-required`, with addresses for the browser when the client can use them; `tfa-required`
 * when the package wants what the account has not; `presence-required` when a browser's session is not fresh. An approval in
 * the browser is good for `about` and nothing else. Says whether somebody was there: a proof was shown, now or a moment ago.
 */
export async function provePresence(
  ports: Ports,
  grant: Grant,
  demand: TfaDemand = 'none',
  about: string = grant.subject,
): Promise<boolean> {
  const { actor } = grant
  if (actor.kind !== 'person') return false
  const rule: Rule = operations[grant.operation]
  if (!rule.presence) return false
  const wanted = await checkMfaRule(ports, grant)
  if (actor.credential.kind === 'session') {
    checkFresh(ports, actor, grant, wanted)
    return true
  }
  if (!isAskedFor(actor, rule, demand, wanted)) return false
  if (tfaModeOf(actor) === 'none') throw factorMissing(ports, grant.subject)
  const { otp } = actor.from
  const asked = { operation: grant.operation, subject: about }
  if (otp !== undefined && (await isSecondFactor(ports, actor, grant, otp, wanted, about))) return true
  throw await challenge(ports, actor, asked, wanted)
}

function isAskedFor(actor: Person, rule: Rule, demand: TfaDemand, wanted: PresenceProof): boolean {
  const { credential } = actor
  const tfa = tfaModeOf(actor)
  // Whoever had the password before there was a second factor may have made a token for later.
  const isProven = credential.kind !== 'token' || credential.limits.withFactor === true
  // Only for packages: a token that skips presence must not mint tokens, change owners of an organisation, or end the second factor.
  const mayBypass = rule.token === 'write' && demand !== 'always'
  if (mayBypass && isProven && credential.kind === 'token' && credential.limits.bypassTfa) return false
  if (demand !== 'none' || wanted === 'passkey') return true
  if (tfa === 'none') return false
  // Who sends the password each time signs in each time.
  return tfa === 'auth-and-writes' || credential.kind === 'password' || rule.needs.on === 'self' || !isProven
}

/** In the browser every dangerous act wants a sign-in, or a confirmation, of the last ten minutes. */
function checkFresh(ports: Ports, { credential }: Person, grant: Grant, wanted: PresenceProof): void {
  if (credential.kind !== 'session') return
  if (credential.freshUntil <= ports.clock())
    throw problem('presence-required', { operation: wordsOf(grant.operation, grant.subject) })
  if (wanted === 'passkey' && credential.byPasskey !== true) throw touchWanted(grant.subject, grant.operation)
}

/** Digits may always be sent; a page to approve on only helps a client that opens it and polls. */
async function challenge(
  ports: Ports,
  actor: Person,
  { operation, subject }: Pick<Grant, 'operation' | 'subject'>,
  wanted: PresenceProof,
) {
  if (!actor.from.web && wanted === 'passkey') return touchWanted(subject, operation)
  if (!actor.from.web) return factorWanted(ports, actor)
  const [pageSecret, doneSecret] = [randomText(32), randomText(32)]
  const now = ports.clock()
  await ports.store.upkeep.addApproval(hashSecret(pageSecret), hashSecret(doneSecret), {
    id: randomId('w_'),
    kind: 'presence',
    operation: approvalOperation(operation),
    subject,
    accountId: actor.id,
    state: 'waiting',
    tokenSealed: null,
    createdAt: now,
    expiresAt: now + approvalWaitMs,
    address: actor.from.address,
    client: actor.from.client,
  })
  return problem('otp-required', approvalAddresses(ports, pageSecret, doneSecret))
}

/** Where a person approves, and where the command line asks whether they did. */
export function approvalAddresses(
  ports: Ports,
  pageSecret: string,
  doneSecret: string,
): { authUrl: string; doneUrl: string } {
  const { publicUrl } = ports.config
  return {
    authUrl: `${publicUrl}/login/cli/${pageSecret}`,
    doneUrl: `${publicUrl}/npm/-/v1/done?authId=${doneSecret}`,
  }
}
