// SPDX-License-Identifier: Apache-2.0
import {
  type Account,
  type Actor,
  authorize,
  dueNotice,
  type EndingToken,
  type NoticeDays,
  noticeAheadMs,
  type Token,
} from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { addLetters, hostOf } from './letter.ts'
import { tellOrgOwners } from './robot.ts'

const pageSize = 200
const clock: Actor = { kind: 'system', id: 'token-notice' }

/** Tells the owners of tokens that end soon, 14, 3 and 1 days before, each once. Safe to run again at any time. */
export async function tellOfEndingTokens(ports: Ports): Promise<void> {
  const now = ports.clock()
  for (let after = ''; ; ) {
    const page = await ports.store.identity.listEndingTokens(now, now + noticeAheadMs, after, pageSize)
    for (const each of page) await tell(ports, each, now)
    const last = page.at(-1)
    if (last === undefined) return
    after = last.token.id
  }
}

async function tell(ports: Ports, { token, told }: EndingToken, now: number): Promise<void> {
  const days = dueNotice(token, told, now)
  if (days === undefined) return
  if (token.holder === 'robot') return tellOfRobot(ports, token, days)
  const account = await ports.store.identity.findAccount(token.accountId)
  if (account === undefined || account.disabledAt !== null) return
  const grant = await authorize(ports, clock, 'account:change', account.id)
  const detail = { account: account.id, op: 'token-ending', token: token.id, days }
  await ports.store.commit(grant, { type: 'account-change', detail }, async tx => {
    if (await tx.identity.addTokenNotice(token.id, days))
      await addLetters(tx, [account.email], subjectOf(ports, token), linesOf(ports, account, token))
  })
}

/** A robot reads no mail: the owners of its organisation are told. */
async function tellOfRobot(ports: Ports, token: Token, days: NoticeDays): Promise<void> {
  const robot = await ports.store.identity.findRobot(token.accountId)
  if (robot === undefined) return
  const grant = await authorize(ports, clock, 'org:own', robot.org)
  const detail = { org: robot.org, op: 'token-ending', robot: robot.id, token: token.id, days }
  await ports.store.commit(grant, { type: 'account-change', detail }, async tx => {
    if (!(await tx.identity.addTokenNotice(token.id, days))) return
    const what = `A token of the robot ${robot.name} of ${robot.org} ends in ${days === 1 ? '1 day' : `${days} days`}`
    await tellOrgOwners(tx, ports, robot.org, what)
  })
}

function subjectOf(ports: Ports, { name, expiresAt }: Token): string {
  const days = Math.ceil(((expiresAt ?? 0) - ports.clock()) / (24 * 3600_000))
  return `Your token '${name}' ends in ${days === 1 ? '1 day' : `${days} days`} – ${hostOf(ports.config.publicUrl)}`
}

function linesOf(ports: Ports, { login }: Account, token: Token): string[] {
  const { publicUrl } = ports.config
  const used = token.lastUsedAt === null ? 'was never used' : `was last used at ${isoOf(token.lastUsedAt)}`
  return [
    `Hello ${login},`,
    '',
    `your token '${token.name}' (${token.hint}…) on ${publicUrl} ends at ${isoOf(token.expiresAt ?? 0)}. It ${used}.`,
    '',
    'What uses it stops working then. If that is still needed, make a new token in time and put it in its place:',
    `${publicUrl}/account/tokens/new`,
    'For CI consider trusted publishing, which needs no token.',
  ]
}

function isoOf(at: number): string {
  return new Date(at).toISOString()
}
