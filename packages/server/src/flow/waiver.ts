// SPDX-License-Identifier: Apache-2.0
/** Exceptions from the policy: asked for by whoever needs them, decided by responders, for one version and with an end. */
import { type PackageName, problem, type Version } from '@holdfast/core'
import type { Waiver } from '../catalog/index.ts'
import { type Actor, actorId, authorize, randomId } from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { addLetters, hostOf, tellStaff } from './letter.ts'
import { takeTurn } from './limit.ts'
import { provePresence } from './presence.ts'
import { isWaivable, openVersion } from './why.ts'

const dayMs = 24 * 3600_000
const maxDays = 365
const maxReason = 1000
const asksAtOnce = 30
const noticeMs = 3 * dayMs

/** Asks responders to let a version in. Who asks twice for the same has one wish. Throws `waiver-pointless`. */
export async function askWaiver(
  ports: Ports,
  actor: Actor,
  subject: { readonly name: PackageName; readonly version: Version },
  reason: string,
): Promise<Waiver> {
  const grant = await authorize(ports, actor, 'waiver:ask', '')
  const { name, version } = subject
  const { facts } = await openVersion(ports, actor, name, version)
  const words = reason.replaceAll('\0', '').toWellFormed().trim().slice(0, maxReason)
  if (words === '') throw problem('invalid-body', { why: 'it says no reason' })
  if (!isWaivable(facts)) {
    const why = facts.rule === '' ? 'no rule closed it' : 'it is known malware'
    throw problem('waiver-pointless', { name, version, why })
  }
  const closing = facts.hits.filter(hit => hit.isEnforced && hit.action !== 'warn')
  const rules = closing.map(hit => hit.rule)
  const grounds = closing.flatMap(hit => hit.grounds ?? []).flat()
  const askedBy = actorId(actor)
  const open = (await ports.store.policy.listWaivers(name)).find(
    each =>
      each.version === version &&
      each.state === 'asked' &&
      each.askedBy === askedBy &&
      rules.every(rule => each.rules.includes(rule)) &&
      grounds.every(ground => each.grounds.includes(ground)),
  )
  if (open !== undefined) return open
  await takeTurn(ports, 'waiver', 'from' in actor ? actor.from.address : '', asksAtOnce)
  const waiver: Waiver = {
    id: randomId('wv_'),
    package: name,
    version,
    rules,
    grounds,
    reason: words,
    state: 'asked',
    askedBy,
    askedAt: ports.clock(),
    decidedBy: '',
    decidedAt: null,
    endsAt: null,
    notifiedAt: null,
  }
  const event = askedEvent(waiver, 'ask', { words, rules })
  await ports.store.commit(grant, event, async tx => {
    await tx.policy.setWaiver(waiver)
    await tellOfWaivers(tx, ports, `A waiver is asked for ${name}@${version}`, [
      `Rules: ${rules.join(', ')}`,
      `Why it is closed: ${facts.reason}`,
      `Why it is needed: ${words}`,
    ])
  })
  return waiver
}

/** What a responder says to a wish; `days` from now on. */
export type Verdict =
  | { readonly kind: 'grant'; readonly days: number; readonly words: string }
  | { readonly kind: 'refuse'; readonly words: string }
  | { readonly kind: 'end'; readonly words: string }

/**
 * Grants, refuses, or ends a waiver before its time; effective on every path within a second. Throws `waiver-not-found`,
 * `waiver-decided`, `waiver-own`.
 */
export async function decideWaiver(
  ports: Ports,
  actor: Actor,
  id: string,
  verdict: Verdict,
): Promise<Waiver> {
  const grant = await authorize(ports, actor, 'waiver:decide', '')
  await provePresence(ports, grant)
  const at = ports.clock()
  if (verdict.kind === 'grant' && !(verdict.days > 0 && verdict.days <= maxDays))
    throw problem('invalid-body', { why: `a waiver lasts at most ${maxDays} days` })
  const found = await ports.store.policy.findWaiver(id)
  if (found === undefined) throw problem('waiver-not-found')
  // The machine's owner is the second person where there is no other.
  if (verdict.kind === 'grant' && actor.kind === 'person' && found.askedBy === actor.id)
    throw problem('waiver-own')
  const decided = settle(found, verdict, actorId(actor), at)
  return ports.store.commit(grant, verdictEvent(decided, verdict), async tx => {
    // Asked again while others wait: of two responders one is first.
    const now = await tx.policy.findWaiver(id)
    if (now?.state !== (verdict.kind === 'end' ? 'granted' : 'asked'))
      throw problem('waiver-decided', { state: now?.state ?? 'ended' })
    await tx.policy.setWaiver(decided)
    if ((await tx.catalog.findPackage(found.package)) !== undefined) await tx.catalog.touch(found.package, at)
    await tellAsker(tx, ports, decided, verdict)
    return decided
  })
}

function settle(waiver: Waiver, verdict: Verdict, decidedBy: string, at: number): Waiver {
  if (verdict.kind === 'end') return { ...waiver, state: 'ended', endsAt: at }
  const decided = { ...waiver, decidedBy, decidedAt: at }
  return verdict.kind === 'grant'
    ? { ...decided, state: 'granted', endsAt: at + verdict.days * dayMs }
    : { ...decided, state: 'refused' }
}

/** What changes the gate stands in the log, without the words and the people; the rest in the record. */
function verdictEvent(waiver: Waiver, { kind, words }: Verdict): NewEvent {
  const record = askedEvent(waiver, kind, { words, endsAt: waiver.endsAt })
  if (kind === 'refuse') return record
  return {
    ...record,
    type: 'waiver',
    fields: { op: kind, waiver: waiver.id, until: waiver.endsAt ?? 0 },
  }
}

/** What leaves the gate as it is: a wish, a refusal, a notice. */
function askedEvent(waiver: Waiver, op: string, detail: Readonly<Record<string, unknown>>): NewEvent {
  return {
    type: 'waiver-ask',
    pkg: waiver.package,
    ver: waiver.version,
    detail: { op, waiver: waiver.id, ...detail },
  }
}

/** A waiver with the names of those behind it, as they are now; empty for accounts that are gone. */
export interface NamedWaiver extends Waiver {
  readonly asker: string
  readonly decider: string
}

/** Every waiver there is, or those in one state, newest first, for staff. */
export async function listWaivers(
  ports: Ports,
  actor: Actor,
  state: Waiver['state'] | undefined,
  limit: number,
): Promise<readonly NamedWaiver[]> {
  await authorize(ports, actor, 'policy:read', '')
  const all = await ports.store.policy.listAllWaivers(state, limit)
  const logins = new Map<string, string>([['operator', 'the operator']])
  for (const id of new Set(all.flatMap(each => [each.askedBy, each.decidedBy]))) {
    const account = await ports.store.identity.findAccount(id)
    if (account !== undefined) logins.set(id, account.login)
  }
  const named = (id: string) => logins.get(id) ?? ''
  return all.map(each => ({ ...each, asker: named(each.askedBy), decider: named(each.decidedBy) }))
}

/** Tells of waivers that end within three days, once, and ends those whose time is over. Safe to run again at any time. */
export async function tellOfEndingWaivers(ports: Ports): Promise<void> {
  const now = ports.clock()
  const grant = await authorize(ports, { kind: 'system', id: 'waiver-notice' }, 'waiver:decide', '')
  for (const waiver of await ports.store.policy.listWaiversEnding(now + noticeMs)) {
    const isOver = (waiver.endsAt ?? 0) <= now
    if (!isOver && waiver.notifiedAt !== null) continue
    const told: Waiver = { ...waiver, notifiedAt: now, state: isOver ? 'ended' : waiver.state }
    const what = `The waiver for ${waiver.package}@${waiver.version} ${isOver ? 'has ended' : `ends ${isoOf(waiver.endsAt)}`}`
    const event = askedEvent(told, isOver ? 'over' : 'ending', { endsAt: waiver.endsAt })
    await ports.store.commit(grant, event, async tx => {
      await tx.policy.setWaiver(told)
      const asker = await tx.identity.findAccount(waiver.askedBy)
      await tellOfWaivers(
        tx,
        ports,
        what,
        [`It was given because: ${waiver.reason}`],
        asker === undefined ? [] : [asker.email],
      )
    })
  }
}

async function tellOfWaivers(
  tx: Tx,
  ports: Ports,
  what: string,
  lines: readonly string[],
  also: readonly string[] = [],
): Promise<void> {
  const { publicUrl } = ports.config
  const text = [`${what} on ${publicUrl}.`, '', ...lines, '', `${publicUrl}/operate/waivers`]
  await tellStaff(tx, ports, what, text, also)
}

async function tellAsker(tx: Tx, ports: Ports, waiver: Waiver, verdict: Verdict): Promise<void> {
  const asker = await tx.identity.findAccount(waiver.askedBy)
  if (asker === undefined) return
  const { publicUrl } = ports.config
  const outcome = {
    grant: `granted until ${isoOf(waiver.endsAt)}`,
    refuse: 'refused',
    end: 'ended before its time',
  }
  const what = `Your waiver for ${waiver.package}@${waiver.version} was ${outcome[verdict.kind]}`
  await addLetters(tx, [asker.email], `${what} – ${hostOf(publicUrl)}`, [
    `Hello ${asker.login},`,
    '',
    `${what}.`,
    ...(verdict.words === '' ? [] : [`Because: ${verdict.words}`]),
    '',
    `${publicUrl}/why/npm/${waiver.package}/${waiver.version}`,
  ])
}

function isoOf(at: number | null): string {
  return new Date(at ?? 0).toISOString()
}
