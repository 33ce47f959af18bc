// SPDX-License-Identifier: Apache-2.0
/** A name changes hands: asked, answered by its owner, granted by responders, taken, and in effect after a wait. */
import { type PackageName, problem, scopeOf } from '@holdfast/core'
import { amend, type PackagePerson } from '../catalog/index.ts'
import {
  answerTransfer,
  beginTransfer,
  confirmTransfer,
  finishTransfer,
  grantTransfer,
  type NameTransfer,
  refuseTransfer,
  stopTransfer,
} from '../community/index.ts'
import { type Account, type Actor, authorize, type Grant, may, randomId } from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { ownerEvent, userOf } from './leaf.ts'
import { addLetters, addNotice, hostOf, tellStaff } from './letter.ts'
import { takeTurn } from './limit.ts'
import { endForeignGrants } from './people.ts'
import { provePresence } from './presence.ts'
import { endTokensOf } from './token.ts'
import { trustEvent } from './trust.ts'

const asksAtOnce = 10
const dueAtOnce = 100

type Person = Extract<Actor, { kind: 'person' }>

/** A step that somebody takes. */
export type TransferAct = 'yes' | 'no' | 'grant' | 'refuse' | 'confirm' | 'stop'

/** Asks for a name that somebody else owns. Throws `transfer-open`, `transfer-refused`. */
export async function askTransfer(
  ports: Ports,
  actor: Person,
  name: PackageName,
  reason: string,
): Promise<NameTransfer> {
  const grant = await authorize(ports, actor, 'transfer:ask', '')
  await authorize(ports, actor, 'package:read', name)
  await checkTransferable(ports, actor, name)
  const told = beginTransfer({ id: randomId('nt_'), package: name, askedBy: actor.id }, reason, ports.clock())
  await takeTurn(ports, 'transfer', actor.from.address, asksAtOnce)
  const event = { type: 'transfer', pkg: name, detail: { op: 'ask', transfer: told.id } } as const
  await ports.store.commit(grant, event, async tx => {
    // Held, so that of two who ask at once one is first.
    await tx.catalog.touch(name, ports.clock())
    if (await tx.community.findOpenTransfer(name)) throw problem('transfer-open', { name })
    await tx.community.setTransfer(told)
    const what = `Somebody asks for the name ${name}`
    const lines = [
      `${what}: ${actor.login}.`,
      `You have until ${isoOf(told.answerBy)} to answer: ${pageOf(ports, name)}`,
    ]
    await addLetters(tx, await ownerMails(tx, name), `${what} – ${hostOf(ports.config.publicUrl)}`, lines)
    await tellStaff(tx, ports, what, [`${what}: ${actor.login}.`, '', pageOf(ports, name)])
  })
  return told
}

async function checkTransferable(ports: Ports, actor: Person, name: PackageName): Promise<void> {
  const { catalog, identity } = ports.store
  const known = await catalog.findPackage(name)
  if (known === undefined) throw problem('package-not-found', { name })
  const org = scopeOf(name)?.slice(1)
  if (org !== undefined && (await identity.orgExists(org)))
    throw problem('transfer-refused', { name, why: `it is in the scope of the organisation ${org}` })
  if (await may(ports, actor, 'package:own', name))
    throw problem('transfer-refused', { name, why: 'it is yours' })
}

/** What waits for a name, for its owners, the asker, and responders; undefined for all others. */
export async function readTransfer(
  ports: Ports,
  actor: Actor,
  name: PackageName,
): Promise<NameTransfer | undefined> {
  const told = await ports.store.community.findOpenTransfer(name)
  if (told === undefined || actor.kind !== 'person') return undefined
  const isOurs =
    told.askedBy === actor.id ||
    (await may(ports, actor, 'package:own', name)) ||
    (await may(ports, actor, 'transfer:decide', ''))
  return isOurs ? told : undefined
}

/** Everything that waits, for responders. */
export async function listTransfers(ports: Ports, actor: Actor): Promise<readonly NameTransfer[]> {
  await authorize(ports, actor, 'transfer:decide', '')
  return ports.store.community.listOpenTransfers(dueAtOnce)
}

/** Takes one step of what waits for a name. Throws `transfer-not-found`, `transfer-step`. */
export async function stepTransfer(
  ports: Ports,
  actor: Person,
  name: PackageName,
  act: TransferAct,
): Promise<NameTransfer> {
  const told = await readTransfer(ports, actor, name)
  if (told === undefined) throw problem('transfer-not-found', { name })
  const { grant, step } = await openStep(ports, actor, told, act)
  await provePresence(ports, grant)
  return keepStep(ports, grant, told.id, name, act, step)
}

interface OpenStep {
  readonly grant: Grant
  readonly step: (told: NameTransfer) => NameTransfer
}

/** Who may take a step, and what it does. */
async function openStep(
  ports: Ports,
  actor: Person,
  { package: name, askedBy }: NameTransfer,
  act: TransferAct,
): Promise<OpenStep> {
  const now = ports.clock()
  const asOwner = () => authorize(ports, actor, 'package:own', name)
  const asResponder = () => authorize(ports, actor, 'transfer:decide', '')
  switch (act) {
    case 'yes':
    case 'no':
      return { grant: await asOwner(), step: told => answerTransfer(told, act) }
    case 'grant': {
      const isOwner = await may(ports, actor, 'package:own', name)
      if (isOwner) throw problem('transfer-step', { name, why: 'its owner does not decide' })
      return { grant: await asResponder(), step: told => grantTransfer(told, actor.id, now) }
    }
    case 'refuse':
      return { grant: await asResponder(), step: refuseTransfer }
    case 'confirm':
      if (askedBy !== actor.id)
        throw problem('transfer-step', { name, why: 'only who asked for it takes it' })
      return {
        grant: await authorize(ports, actor, 'account:change', actor.id),
        step: told => confirmTransfer(told, now),
      }
    case 'stop':
      return openStop(ports, actor, name, askedBy)
  }
}

async function openStop(ports: Ports, actor: Person, name: PackageName, askedBy: string): Promise<OpenStep> {
  if (askedBy === actor.id)
    return {
      grant: await authorize(ports, actor, 'account:change', actor.id),
      step: told => stopTransfer(told, 'asker'),
    }
  if (await may(ports, actor, 'transfer:decide', ''))
    return {
      grant: await authorize(ports, actor, 'transfer:decide', ''),
      step: told => stopTransfer(told, 'responder'),
    }
  return {
    grant: await authorize(ports, actor, 'package:own', name),
    step: told => stopTransfer(told, 'owner'),
  }
}

/** Held to what stands there inside the commit: of two steps at once the second meets what the first left. */
function keepStep(
  ports: Ports,
  grant: Grant,
  id: string,
  name: PackageName,
  op: TransferAct,
  step: (told: NameTransfer) => NameTransfer,
): Promise<NameTransfer> {
  const event = { type: 'transfer', pkg: name, detail: { op, transfer: id } } as const
  return ports.store.commit(grant, event, async tx => {
    await tx.catalog.touch(name, ports.clock())
    const now = await tx.community.findTransfer(id)
    if (now === undefined) throw problem('transfer-not-found', { name })
    const after = step(now)
    await tx.community.setTransfer(after)
    await tellStep(tx, ports, after, op)
    return after
  })
}

const stepWords: Readonly<Record<TransferAct, string>> = {
  yes: 'An owner agreed that the name changes hands',
  no: 'An owner did not agree that the name changes hands',
  grant: 'A responder granted that the name changes hands',
  refuse: 'A responder refused that the name changes hands',
  confirm: 'The name will change hands',
  stop: 'The name will not change hands: it was stopped',
}

async function tellStep(tx: Tx, ports: Ports, told: NameTransfer, op: TransferAct): Promise<void> {
  const name = told.package
  const asker = await tx.identity.findAccount(told.askedBy)
  const when = told.effectAt === null ? [] : [`It takes effect at ${isoOf(told.effectAt)}.`]
  const lines = [`${stepWords[op]}: ${name}.`, ...when, '', pageOf(ports, name)]
  const to = [...(await ownerMails(tx, name)), asker?.email ?? '']
  await addLetters(tx, to, `${stepWords[op]}: ${name} – ${hostOf(ports.config.publicUrl)}`, lines)
}

/** The job: names whose wait is over get their new owner. Safe to run again at any time. */
export async function finishTransfers(ports: Ports): Promise<void> {
  const now = ports.clock()
  for (const told of await ports.store.community.listOpenTransfers(dueAtOnce))
    if (told.state === 'waiting' && (told.effectAt ?? now) <= now) await finish(ports, told)
}

/** Everybody who had a role of their own goes, and so do the jobs that published by their word. */
async function finish(ports: Ports, told: NameTransfer): Promise<void> {
  const { id, package: name } = told
  // While responders keep it, or whoever wants it, closed, it waits.
  const scope = scopeOf(name)
  const closed = [
    'registry',
    `package:${name}`,
    `account:${told.askedBy}`,
    ...(scope ? [`scope:${scope}`] : []),
  ]
  if ((await ports.store.measures.findFreeze(closed)) !== undefined) return
  const grant = await authorize(ports, { kind: 'system', id: 'transfer' }, 'package:own', name)
  const now = ports.clock()
  const event = { type: 'transfer', pkg: name, detail: { op: 'done', transfer: id } } as const
  await ports.store.commit(grant, event, tx =>
    amend(tx.catalog, name, now, async () => {
      const still = await tx.community.findTransfer(id)
      const asker = await tx.identity.findAccount(told.askedBy)
      // Stopped meanwhile, or whoever asked is gone: nothing changes hands.
      if (still?.state !== 'waiting') return
      if (asker === undefined || asker.disabledAt !== null)
        return tx.community.setTransfer({ ...still, state: 'stopped' })
      await tx.community.setTransfer(finishTransfer(still, now))
      await handOver(tx, ports, name, asker)
    }),
  )
}

async function handOver(tx: Tx, ports: Ports, name: PackageName, to: Account): Promise<void> {
  const people = await tx.catalog.listPeople(name)
  const had = people.some(each => each.accountId === to.id)
  tx.record(ownerEvent(name, had ? 'role' : 'add', userOf(to.id), 'owner'))
  await tx.catalog.setRole(name, to.id, 'owner')
  for (const person of people.filter(each => each.accountId !== to.id)) await leave(tx, ports, name, person)
  for (const publisher of await tx.identity.listPublishers(name, ports.clock())) {
    tx.record(trustEvent(publisher, 'remove'))
    await tx.identity.removePublisher(publisher.id, ports.clock())
    await endTokensOf(tx, publisher.id, ports.clock())
  }
  await endForeignGrants(tx, name)
  await addNotice(tx, ports, to, `You are now the owner of ${name}`)
}

async function leave(tx: Tx, ports: Ports, name: PackageName, person: PackagePerson): Promise<void> {
  tx.record(ownerEvent(name, 'remove', userOf(person.accountId), person.role))
  await tx.catalog.setRole(name, person.accountId, undefined)
  await addNotice(tx, ports, person, `${name} changed hands, and you are no longer ${person.role} of it`)
}

async function ownerMails(tx: Tx, name: PackageName): Promise<readonly string[]> {
  const people = await tx.catalog.listPeople(name)
  return people.filter(each => each.role === 'owner').map(each => each.email)
}

function pageOf({ config }: Ports, name: PackageName): string {
  return `${config.publicUrl}/transfer/npm/${name}`
}

function isoOf(at: number): string {
  return new Date(at).toISOString()
}
