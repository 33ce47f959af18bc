// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import {
  type Account,
  type Actor,
  authorize,
  checkNewPassword,
  hashPassword,
  type InstanceRole,
  isPassword,
  type Passkey,
  type Person,
  parseEmail,
  parseLogin,
  randomId,
  type Whence,
} from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { guess } from './guess.ts'
import { checkNotLeaked } from './leaked-password.ts'
import { takeTurn } from './limit.ts'
import { readSignUp, toPasskey } from './passkey.ts'
import type { PasskeyAnswer } from './passkey-challenge.ts'
import { addClaim } from './verification.ts'

const signUpsAtOnce = 30

/** Who somebody wants to be. */
export interface Applicant {
  readonly login: string
  readonly email: string
  /** May be empty where a passkey comes. */
  readonly password: string
  readonly passkey?: PasskeyAnswer & { readonly name: string }
}

/** An account ready to be added, with the passkey it begins with. */
export interface Prepared {
  readonly account: Account
  readonly passkey?: Passkey
}

/**
 * The account behind a login (or its address) and a password. The same work is done for accounts that do not exist.
 * Throws `bad-credentials`, or `rate-limited` without looking at the password.
 */
export async function checkPassword(
  ports: Ports,
  login: string,
  password: string,
  from: Whence,
): Promise<Account> {
  const { identity } = ports.store
  const name = login.slice(0, 254)
  const account = await (name.includes('@')
    ? identity.findAccountByEmail(name)
    : identity.findAccountByLogin(name))
  const counted = account?.id ?? name.toLowerCase()
  const right = await guess(ports, 'password', counted, from.address, () =>
    isPassword(password, account?.passwordHash ?? null),
  )
  // A disabled account answers like a wrong password: nothing is learned about it.
  if (!right || account === undefined || account.disabledAt !== null) throw problem('bad-credentials')
  return account
}

/**
 * The account of somebody who asks for what a thief of their session or token must not have: by the password or, where
 * there is none, by the passkey that they were asked for anyway. Throws `bad-credentials`, `rate-limited`.
 */
export async function proveOwner(ports: Ports, person: Person, password: string): Promise<Account> {
  const account = await ports.store.identity.findAccount(person.id)
  if (account?.passwordHash === null && account.hasPasskey) return account
  return checkPassword(ports, person.login, password, person.from)
}

/**
 * Makes an account for anyone, where the operator allows that; its address is proven by a link in a letter. An address
 * that somebody else has proven changes nothing but the letter: no stranger learns who is here.
 */
export async function signUp(ports: Ports, applicant: Applicant, from: Whence): Promise<Account> {
  if (ports.config.signUp !== 'open') throw problem('sign-up-closed')
  // Each costs a slow hash and a letter, and tells which names are taken.
  await takeTurn(ports, 'sign-up', from.address, signUpsAtOnce)
  checkMailDomain(ports.config, applicant.email)
  const prepared = await prepareAccount(ports, applicant, { verified: false, roles: [] })
  const { account } = prepared
  const holder = await ports.store.identity.findAccountByEmail(account.email)
  const actor: Actor = { kind: 'nobody', from }
  const grant = await authorize(ports, actor, 'account:create', '')
  await ports.store.commit(grant, accountCreated(account, 'sign-up'), async tx => {
    await addAccount(tx, prepared)
    await addClaim(tx, ports, account, account.email, holder)
  })
  return account
}

/** Open sign-up may be kept to the company's own people: the address is proven by a letter to it. */
function checkMailDomain({ signUpDomains }: Ports['config'], email: string): void {
  const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase()
  if (signUpDomains.length === 0 || signUpDomains.some(each => each.toLowerCase() === domain)) return
  throw problem('mail-domain-refused', { domains: signUpDomains.join(', ') })
}

/** The account of this name; made by the machine's owner when it is missing, verified and without a password. */
export async function ensureAccount(ports: Ports, actor: Actor, login: string): Promise<Account> {
  const known = await ports.store.identity.findAccountByLogin(login)
  if (known !== undefined) return known
  const account = newAccount(ports, {
    login: parseLogin(login),
    email: `${login}@localhost`,
    passwordHash: null,
    verified: true,
    roles: [],
  })
  const grant = await authorize(ports, actor, 'instance:operate', '')
  await ports.store.commit(grant, accountCreated(account, 'operator'), tx => addAccount(tx, { account }))
  return account
}

/** An account ready to be added: everything checked, the password hashed outside any transaction. */
export async function prepareAccount(
  ports: Ports,
  applicant: Applicant,
  as: { verified: boolean; roles: readonly InstanceRole[] },
): Promise<Prepared> {
  const login = parseLogin(applicant.login)
  const email = parseEmail(applicant.email)
  const { password, passkey } = applicant
  const isWithout = passkey !== undefined && password === ''
  if (!isWithout) checkNewPassword(password, [login, email, email.split('@')[0] ?? ''])
  if (!isWithout) await checkNotLeaked(ports, password)
  await checkUnused(ports, login)
  // Whoever has the invitation reads that mailbox, so this tells nobody else.
  if (as.verified && (await ports.store.identity.findAccountByEmail(email)) !== undefined)
    throw problem('address-taken')
  const made = passkey === undefined ? undefined : await readSignUp(ports, passkey)
  const passwordHash = isWithout ? null : await hashPassword(password)
  const account = newAccount(ports, { login, email, passwordHash, ...as })
  if (made === undefined) return { account }
  // The id was in the challenge: the authenticator keeps it beside the key.
  const { accountId } = made
  const kept = toPasskey(ports, made, passkey?.name ?? '')
  return { account: { ...account, id: accountId, hasPasskey: true }, passkey: kept }
}

/** Adds it inside a transaction; of two at once for one name or address one wins. */
export async function addAccount(tx: Tx, { account, passkey }: Prepared): Promise<void> {
  // A user's name is their scope: it must not be somebody's organisation, nor become one in this moment.
  await tx.identity.holdScope(account.login)
  if (await tx.identity.orgExists(account.login)) throw problem('user-exists', { user: account.login })
  await tx.identity.addAccount(account)
  if (passkey !== undefined) await tx.identity.addPasskey(passkey)
}

export function accountCreated(account: Account, how: string): NewEvent {
  return { type: 'account-create', detail: { account: account.id, how, roles: account.roles } }
}

/** User names are public anyway. */
async function checkUnused(ports: Ports, login: string): Promise<void> {
  const known = await ports.store.identity.findAccountByLogin(login)
  if (known !== undefined) throw problem('user-exists', { user: login })
}

/** An account as it begins, under an id of its own. */
export function newAccount(
  ports: Ports,
  made: Pick<Account, 'login' | 'email' | 'passwordHash' | 'roles'> & { verified: boolean },
): Account {
  const { verified, ...rest } = made
  const at = ports.clock()
  return {
    ...rest,
    id: randomId('a_'),
    emailVerifiedAt: verified ? at : null,
    tfa: 'none',
    totpSealed: null,
    totpStep: 0,
    passwordLeakedAt: null,
    hasPasskey: false,
    profile: {},
    createdAt: at,
    disabledAt: null,
  }
}
