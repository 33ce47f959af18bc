// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import {
  type Account,
  type Actor,
  authorize,
  checkNewPassword,
  type Grant,
  hashPassword,
  hashRecoveryCode,
  makeRecoveryCodes,
  makeTotpSeed,
  type Person,
  type TfaMode,
  tfaModeOf,
  totpAddress,
} from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { proveOwner } from './account.ts'
import { checkNotLeaked } from './leaked-password.ts'
import { addNotice } from './letter.ts'
import { factorMissing } from './mfa-rule.ts'
import { provePresence } from './presence.ts'
import { isTotp, openTotp } from './second-factor.ts'

type Mode = Exclude<TfaMode, 'none'>

/** The account of whoever asks. */
export async function readAccount(ports: Ports, actor: Actor): Promise<Account> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  await authorize(ports, actor, 'account:read', actor.id)
  return accountOf(ports, actor)
}

/** What the profile says of the second factor: none, begun but not finished, or its mode. */
export function tfaState(ports: Ports, account: Account): { mode: Mode; pending: boolean } | undefined {
  if (account.tfa !== 'none') return { mode: account.tfa, pending: false }
  return account.totpSealed === null
    ? undefined
    : { mode: openTotp(ports, account.totpSealed).mode, pending: true }
}

/** Replaces the given fields of the profile; an empty value removes one. */
export async function changeProfile(
  ports: Ports,
  actor: Actor,
  fields: Readonly<Record<string, string>>,
): Promise<Account> {
  const { grant, account } = await beginChange(ports, actor)
  const merged = Object.entries({ ...account.profile, ...fields }).filter(([, value]) => value !== '')
  const profile = Object.fromEntries(merged)
  await change(ports, grant, account, 'profile', undefined, tx => tx.identity.setProfile(account.id, profile))
  return { ...account, profile }
}

/** Sets a new password; the old one proves it is the owner. All other sessions end. */
export async function changePassword(ports: Ports, actor: Actor, old: string, wanted: string): Promise<void> {
  const { grant, account, person } = await beginChange(ports, actor, 'account:password')
  await proveOwner(ports, person, old)
  checkNewPassword(wanted, [account.login, account.email, account.email.split('@')[0] ?? ''])
  await checkNotLeaked(ports, wanted)
  const hash = await hashPassword(wanted)
  const kept = person.credential.kind === 'session' ? person.credential.id : ''
  await change(ports, grant, account, 'password', 'The password of your account was changed', async tx => {
    await tx.identity.setPassword(account.id, hash)
    for (const session of await tx.identity.listSessions(account.id))
      if (session.id !== kept) await tx.identity.removeSession(session.id)
  })
}

/**
 * Begins the second factor: gives the address for the authenticator app. Where one is enrolled already, only its mode
 * changes, and nothing is given.
 */
export async function beginTfa(
  ports: Ports,
  actor: Actor,
  password: string,
  mode: Mode,
): Promise<string | undefined> {
  const { grant, account, person } = await beginChange(ports, actor)
  await proveOwner(ports, person, password)
  if (account.tfa !== 'none') {
    const what = `Two-factor authentication of your account is now ${mode}`
    await change(ports, grant, account, 'tfa-mode', what, tx =>
      tx.identity.setTfa(account.id, mode, account.totpSealed),
    )
    return undefined
  }
  const seed = makeTotpSeed()
  const sealed = ports.sealer.seal(JSON.stringify({ seed, mode }))
  await change(ports, grant, account, 'tfa-begun', undefined, tx =>
    tx.identity.setTfa(account.id, 'none', sealed),
  )
  return totpAddress(seed, account.login, new URL(ports.config.publicUrl).host)
}

/** Finishes it with the first code; gives the recovery codes, told this once. Throws `otp-required` for a wrong code. */
export async function finishTfa(ports: Ports, actor: Actor, code: string): Promise<readonly string[]> {
  const { grant, account, person } = await beginChange(ports, actor)
  const { totpSealed } = account
  if (account.tfa !== 'none' || totpSealed === null)
    throw problem('invalid-body', { why: 'no second factor was begun' })
  if (!(await isTotp(ports, person, code, totpSealed))) throw problem('otp-required')
  const codes = makeRecoveryCodes()
  const { mode } = openTotp(ports, totpSealed)
  await change(
    ports,
    grant,
    account,
    'tfa-on',
    'Two-factor authentication of your account was switched on',
    async tx => {
      await tx.identity.setTfa(account.id, mode, totpSealed)
      await tx.identity.setRecoveryCodes(account.id, hashesOf(account, codes))
    },
  )
  return codes
}

/** Ends the second factor, or forgets one that was only begun. */
export async function disableTfa(ports: Ports, actor: Actor, password: string): Promise<void> {
  const { grant, account, person } = await beginChange(ports, actor)
  await proveOwner(ports, person, password)
  // Passkeys stay, so an answer of `off` would not be true.
  if (account.totpSealed === null && account.hasPasskey) throw problem('passkey-must-stay')
  const what =
    account.tfa === 'none' ? undefined : 'Two-factor authentication of your account was switched OFF'
  await change(ports, grant, account, 'tfa-off', what, async tx => {
    await tx.identity.setTfa(account.id, 'none', null)
    if (!account.hasPasskey) await tx.identity.setRecoveryCodes(account.id, [])
  })
}

/** New recovery codes, for whoever has a second factor of any kind; the old ones are void. */
export async function renewRecoveryCodes(ports: Ports, actor: Actor): Promise<readonly string[]> {
  const { grant, account } = await beginChange(ports, actor)
  if (tfaModeOf(account) === 'none') throw factorMissing(ports, account.login)
  const codes = makeRecoveryCodes()
  await change(ports, grant, account, 'recovery-codes', 'New recovery codes were made for your account', tx =>
    tx.identity.setRecoveryCodes(account.id, hashesOf(account, codes)),
  )
  return codes
}

async function beginChange(
  ports: Ports,
  actor: Actor,
  operation: 'account:change' | 'account:password' = 'account:change',
): Promise<{ grant: Grant; account: Account; person: Person }> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  const grant = await authorize(ports, actor, operation, actor.id)
  await provePresence(ports, grant)
  return { grant, account: await accountOf(ports, actor), person: actor }
}

async function change(
  ports: Ports,
  grant: Grant,
  account: Account,
  op: string,
  notice: string | undefined,
  work: (tx: Tx) => Promise<void>,
): Promise<void> {
  await ports.store.commit(
    grant,
    { type: 'account-change', detail: { account: account.id, op } },
    async tx => {
      await work(tx)
      if (notice !== undefined) await addNotice(tx, ports, account, notice)
    },
  )
}

async function accountOf(ports: Ports, actor: Person): Promise<Account> {
  const account = await ports.store.identity.findAccount(actor.id)
  if (account === undefined) throw problem('unauthenticated')
  return account
}

function hashesOf(account: Account, codes: readonly string[]): string[] {
  return codes.map(code => hashRecoveryCode(account.id, code))
}
