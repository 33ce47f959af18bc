// SPDX-License-Identifier: Apache-2.0
import { isProblem, type Problem, problem } from '@holdfast/core'
import {
  type Account,
  findTotpStep,
  type Grant,
  hashRecoveryCode,
  hashSecret,
  isRecoveryCode,
  type Person,
  type TfaMode,
  tfaModeOf,
} from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { guess } from './guess.ts'
import { addNotice } from './letter.ts'
import type { PresenceProof } from './mfa-rule.ts'

/** What lies sealed with an account: the seed, and the mode it is or will be enrolled for. */
export interface SealedTotp {
  readonly seed: string
  readonly mode: Exclude<TfaMode, 'none'>
}

export function openTotp(ports: Ports, sealed: string): SealedTotp {
  return JSON.parse(ports.sealer.open(sealed)) as SealedTotp
}

/**
 * Whether what somebody sent with a request proves a second factor for this very operation: digits of the authenticator,
 * a recovery code (used up by that), or the token of an approval in the browser. Nothing is trimmed or folded.
 */
export async function isSecondFactor(
  ports: Ports,
  actor: Person,
  grant: Grant,
  otp: string,
  wanted: PresenceProof = 'any',
  about: string = grant.subject,
): Promise<boolean> {
  // A code can be phished, and so can what a code approved.
  const asked = { operation: grant.operation, subject: about }
  if (wanted === 'passkey') return isApproved(ports, actor, asked, otp, true)
  if (/^\d{6}$/.test(otp)) return isTotp(ports, actor, otp)
  if (isRecoveryCode(otp)) return useRecoveryCode(ports, actor, grant, otp)
  return isApproved(ports, actor, asked, otp)
}

/** Whether the digits are right, now, and for the first time. */
export async function isTotp(ports: Ports, actor: Person, code: string, sealed?: string): Promise<boolean> {
  const account = await ports.store.identity.findAccount(actor.id)
  // A seed that was only begun proves nothing, though a passkey makes this account one of those that are asked.
  const kept = sealed ?? (account?.tfa === 'none' ? null : account?.totpSealed)
  if (kept == null) return false
  const { seed } = openTotp(ports, kept)
  return guess(ports, 'totp', actor.id, actor.from.address, async () => {
    const step = findTotpStep(seed, code, ports.clock())
    // The step is taken in the store: of two who bring one code at once, to whatever replica, one passes.
    return step !== undefined && ports.store.upkeep.useTotpStep(actor.id, step)
  })
}

/** What to ask for where a second factor is missing: a code where there can be one, else the passkey. */
export async function factorWanted(ports: Ports, who: Pick<Account, 'id' | 'tfa'>): Promise<Problem> {
  const hasCode = who.tfa !== 'none' || (await ports.store.identity.countRecoveryCodes(who.id)) > 0
  return problem(hasCode ? 'otp-required' : 'passkey-must-confirm')
}

async function useRecoveryCode(ports: Ports, actor: Person, grant: Grant, code: string): Promise<boolean> {
  const account = await ports.store.identity.findAccount(actor.id)
  if (account === undefined || tfaModeOf(account) === 'none') return false
  const hash = hashRecoveryCode(actor.id, code)
  return guess(ports, 'recovery', actor.id, actor.from.address, () =>
    takeRecoveryCode(ports, account, grant, hash),
  )
}

async function takeRecoveryCode(
  ports: Ports,
  account: Account,
  grant: Grant,
  hash: string,
): Promise<boolean> {
  const event = { type: 'account-change', detail: { account: account.id, op: 'recovery-code-used' } } as const
  try {
    await ports.store.commit(grant, event, async tx => {
      if (!(await tx.identity.useRecoveryCode(account.id, hash))) throw problem('otp-required')
      await addNotice(tx, ports, account, 'A recovery code of your account was used')
    })
    return true
  } catch (error) {
    // A wrong code rolls back, and leaves no event.
    if (isProblem(error) && error.code === 'otp-required') return false
    throw error
  }
}

/** The token of an approval is good for what was approved, for its account, for five minutes: one command is several requests. */
async function isApproved(
  ports: Ports,
  actor: Person,
  { operation, subject }: Pick<Grant, 'operation' | 'subject'>,
  token: string,
  byPasskey = false,
): Promise<boolean> {
  const approval = await ports.store.identity.findApprovalByDone(hashSecret(token))
  if (approval?.kind !== 'presence' || approval.state !== 'granted' || approval.tokenSealed === null)
    return false
  if (approval.accountId !== actor.id || approval.subject !== subject) return false
  if (approval.operation !== approvalOperation(operation)) return false
  const granted = openGrantedApproval(ports, approval.tokenSealed)
  return granted.until > ports.clock() && (granted.byPasskey || !byPasskey)
}

/** What lies sealed with a granted approval. */
export interface GrantedApproval {
  readonly accountId: string
  /** From where it was granted: the owner reads it beside where it was asked for. */
  readonly address: string
  readonly until: number
  /** By a touch, and not by a code. */
  readonly byPasskey: boolean
}

export function openGrantedApproval(ports: Ports, sealed: string): GrantedApproval {
  return JSON.parse(ports.sealer.open(sealed)) as GrantedApproval
}

/** The first publish of a name and the next ones are one thing to whoever approves. */
export function approvalOperation(operation: Grant['operation']): string {
  return operation === 'package:create' ? 'package:publish' : operation
}
