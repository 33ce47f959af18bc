// SPDX-License-Identifier: Apache-2.0
/** Signing in at the command line: by a page in the browser, or by a password typed there. */
import { problem } from '@holdfast/core'
import {
  type Account,
  type Actor,
  type Approval,
  authorize,
  type Grant,
  hashSecret,
  isSameNetwork,
  type Person,
  randomId,
  randomText,
  tfaModeOf,
  toPerson,
  type Whence,
} from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { checkPassword } from './account.ts'
import { noteLeak } from './leaked-password.ts'
import { addNotice } from './letter.ts'
import { answerMiss, takeTurn } from './limit.ts'
import { takesCode, touchWanted } from './mfa-rule.ts'
import type { PasskeyAnswer } from './passkey-challenge.ts'
import { proveApproval } from './passkey-sign-in.ts'
import { approvalAddresses, approvalWaitMs } from './presence.ts'
import { factorWanted, type GrantedApproval, isSecondFactor, openGrantedApproval } from './second-factor.ts'
import { proveSignIn } from './session.ts'
import { checkStillHere, keepToken, makeNewToken, type NewToken, tokenCreated } from './token.ts'

const tokenUseMs = 5 * 60_000
const maxWishes = 200

/** What the command line gets when it asks whether its wish was granted. */
export type Poll = { readonly state: 'waiting' } | { readonly state: 'granted'; readonly token: string }

/** A wish to sign in: a page to open and an address to poll, both unguessable. */
export async function beginLogin(ports: Ports, from: Whence): Promise<{ loginUrl: string; doneUrl: string }> {
  const now = ports.clock()
  // Anybody may ask, and each wish is a row: bounded for each address.
  await takeTurn(ports, 'wish', from.address, maxWishes)
  const [pageSecret, doneSecret] = [randomText(32), randomText(32)]
  await ports.store.upkeep.addApproval(hashSecret(pageSecret), hashSecret(doneSecret), {
    id: randomId('w_'),
    kind: 'login',
    operation: 'login',
    subject: '',
    accountId: null,
    state: 'waiting',
    tokenSealed: null,
    createdAt: now,
    expiresAt: now + approvalWaitMs,
    address: from.address,
    client: from.client,
  })
  const { authUrl, doneUrl } = approvalAddresses(ports, pageSecret, doneSecret)
  return { loginUrl: authUrl, doneUrl }
}

/** Whether a wish was granted. A login's token is made when it is fetched, so that no secret waits in the store. Throws `approval-over`. */
export async function pollApproval(ports: Ports, doneSecret: string, from: Whence): Promise<Poll> {
  const approval = await ports.store.identity.findApprovalByDone(hashSecret(doneSecret))
  if (approval === undefined) throw await answerMiss(ports, 'link', from.address, problem('approval-over'))
  if (approval.state === 'waiting' && approval.expiresAt > ports.clock()) return { state: 'waiting' }
  if (approval.state !== 'granted' || approval.tokenSealed === null) throw problem('approval-over')
  const granted = openGrantedApproval(ports, approval.tokenSealed)
  if (granted.until <= ports.clock()) throw problem('approval-over')
  if (approval.kind === 'presence') return { state: 'granted', token: doneSecret }
  const { secret } = await takeLogin(ports, approval, granted, from)
  return { state: 'granted', token: secret }
}

/** The wish behind a page, for somebody who is signed in: anybody may take a login, only its account a presence. Throws `approval-over`. */
export async function findApprovalForPage(ports: Ports, actor: Actor, pageSecret: string): Promise<Approval> {
  if (actor.kind !== 'person' || actor.credential.kind !== 'session') throw problem('unauthenticated')
  const approval = await ports.store.identity.findApproval(hashSecret(pageSecret))
  if (approval === undefined || approval.state !== 'waiting' || approval.expiresAt <= ports.clock())
    throw problem('approval-over')
  if (approval.accountId !== null && approval.accountId !== actor.id) throw problem('approval-over')
  return approval
}

/** How whoever approves shows that they mean it. */
export interface ApprovalProof {
  /** A touch for this very command. */
  readonly passkey?: PasskeyAnswer
  /** A code instead, for accounts that have one. */
  readonly otp?: string
  /** They say that they started the command in that other network. */
  readonly knowsNetwork?: boolean
}

/**
 * Grants it: a login gets a token of this account, a presence counts as the second factor. Wants a touch or a code from
 * accounts with a passkey, a fresh session from others. Throws `passkey-must-confirm`, `presence-required`, `other-network`.
 */
export async function grantApproval(
  ports: Ports,
  actor: Actor,
  pageSecret: string,
  proof: ApprovalProof = {},
): Promise<Approval> {
  const approval = await findApprovalForPage(ports, actor, pageSecret)
  const person = personOf(actor)
  const grant = await authorize(ports, person, 'session:create', person.id)
  // The link is a phishing device: a thief starts the command elsewhere and has the victim open it.
  if (isElsewhere(approval, person) && proof.knowsNetwork !== true)
    throw problem('other-network', { address: approval.address })
  await checkProof(ports, grant, person, approval, proof)
  const { address } = person.from
  const until = ports.clock() + tokenUseMs
  const byPasskey = proof.passkey !== undefined
  const granted: GrantedApproval = { accountId: person.id, address, until, byPasskey }
  await move(ports, grant, approval, 'granted', ports.sealer.seal(JSON.stringify(granted)))
  return approval
}

/** Whether a command was started in another network than the one its page is open in. */
export function isElsewhere(approval: Approval, { from }: Person): boolean {
  return !isSameNetwork(approval.address, from.address)
}

async function checkProof(
  ports: Ports,
  grant: Grant,
  person: Person,
  approval: Approval,
  { passkey, otp = '' }: ApprovalProof,
): Promise<void> {
  if (!person.hasPasskey) return checkFresh(ports, person, approval)
  if (passkey !== undefined) return proveApproval(ports, person, approval, passkey)
  if (!(await isApprovedByCode(ports, approval))) throw touchWanted(approval.subject, approval.operation)
  if (otp === '' || !(await isSecondFactor(ports, person, grant, otp)))
    throw await factorWanted(ports, person)
}

/** Whether somebody with a passkey may type a code instead of touching it. */
export async function isApprovedByCode(
  ports: Ports,
  { kind, operation, subject }: Approval,
): Promise<boolean> {
  return kind === 'login' || takesCode(ports, operation, subject)
}

/** Refuses it: the command line ends at once. */
export async function denyApproval(ports: Ports, actor: Actor, pageSecret: string): Promise<void> {
  const approval = await findApprovalForPage(ports, actor, pageSecret)
  const grant = await authorize(ports, actor, 'session:create', personOf(actor).id)
  await move(ports, grant, approval, 'denied', null)
}

/** A token for a password, and the second factor where there is one: npm's older way to sign in. */
export async function loginByPassword(
  ports: Ports,
  typed: { login: string; password: string },
  from: Whence,
): Promise<NewToken> {
  const account = await checkPassword(ports, typed.login, typed.password, from)
  const grant = await proveSignIn(ports, account, from.otp ?? '', from)
  checkNoLeak(ports, await noteLeak(ports, account, typed.password, from))
  const notice = `A command line at ${from.address} signed in to your account`
  return addLoginToken(ports, grant, account, from, notice)
}

/** npm cannot change it, so it says where to. */
function checkNoLeak(ports: Ports, account: Account): void {
  if (account.passwordLeakedAt !== null)
    throw problem('password-leaked', { link: `${ports.config.publicUrl}/account/password` })
}

async function takeLogin(
  ports: Ports,
  approval: Approval,
  granted: GrantedApproval,
  from: Whence,
): Promise<NewToken> {
  const account = await ports.store.identity.findAccount(granted.accountId)
  if (account === undefined || account.disabledAt !== null) throw problem('approval-over')
  const grant = await authorize(
    ports,
    toPerson(account, { kind: 'password' }, from),
    'session:create',
    account.id,
  )
  const notice = `A command line at ${approval.address} signed in to your account, approved from ${granted.address},`
  return addLoginToken(ports, grant, account, from, notice, async tx => {
    // Of two who poll at once one gets a token.
    if (!(await tx.identity.moveApproval(approval.id, 'granted', 'taken', null)))
      throw problem('approval-over')
  })
}

async function addLoginToken(
  ports: Ports,
  grant: Grant,
  account: Account,
  from: Whence,
  notice: string,
  before: (tx: Tx) => Promise<void> = async () => {},
): Promise<NewToken> {
  const made = makeNewToken(ports, account.id, {
    name: `login with ${from.client.split(' ')[0] || 'an unknown client'}`,
    origin: 'login',
    limits: { permission: 'read-write', bypassTfa: false, withFactor: tfaModeOf(account) !== 'none' },
  })
  await ports.store.commit(grant, tokenCreated(made.token), async tx => {
    await before(tx)
    await checkStillHere(tx, account.id)
    await keepToken(tx, made)
    await addNotice(tx, ports, account, notice)
  })
  return made
}

async function move(
  ports: Ports,
  grant: Grant,
  approval: Approval,
  to: 'granted' | 'denied',
  sealed: string | null,
): Promise<void> {
  const { id, kind, operation, subject, address } = approval
  const event = { type: 'approval', detail: { approval: id, kind, operation, subject, to, address } } as const
  await ports.store.commit(grant, event, async tx => {
    if (!(await tx.identity.moveApproval(id, 'waiting', to, sealed))) throw problem('approval-over')
    if (kind === 'presence' && to === 'granted')
      await tellOfPresence(tx, ports, personOf(grant.actor), approval)
  })
}

/** A login is told when its token is fetched, a command when it is approved; both letters name both addresses. */
async function tellOfPresence(tx: Tx, ports: Ports, person: Person, approval: Approval): Promise<void> {
  const account = await tx.identity.findAccount(person.id)
  if (account === undefined) return
  const { operation, subject, address } = approval
  const what = `${operation} of ${subject === person.id ? 'your account' : subject}`
  await addNotice(
    tx,
    ports,
    account,
    `A command at ${address} (${what}) was approved from ${person.from.address}`,
  )
}

/** Whoever found an open browser must not be able to hand out tokens. */
function checkFresh(ports: Ports, actor: Person, approval: Approval): void {
  if (actor.credential.kind === 'session' && actor.credential.freshUntil > ports.clock()) return
  throw problem('presence-required', { operation: approval.operation })
}

function personOf(actor: Actor): Person {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  return actor
}
