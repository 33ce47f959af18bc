// SPDX-License-Identifier: Apache-2.0
/** Trusted publishers of a package: which CI jobs may publish it without a stored secret. */
import { encodeCanonical, type PackageName, problem } from '@holdfast/core'
import type { Package } from '../catalog/index.ts'
import type { CiIssuer, CiProvider, Config } from '../config.ts'
import {
  type Actor,
  actorId,
  authorize,
  type Grant,
  type PublisherPermission,
  type PublisherRule,
  randomId,
  type TrustedPublisher,
} from '../identity/index.ts'
import { type NewEvent, saltDocument } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { checkMayBeMade } from './host.ts'
import { addNotice } from './letter.ts'
import { openPackage } from './package.ts'
import { provePresence } from './presence.ts'
import { checkPublisherRule } from './publisher-rule.ts'
import { checkStillHere, endTokensOf } from './token.ts'

/** A publisher somebody wants to add. */
export interface PublisherRequest {
  readonly provider: CiProvider
  /** One of the configured issuers; undefined takes the first of this provider. */
  readonly issuer?: string | undefined
  readonly rule: PublisherRule
  readonly permissions: readonly PublisherPermission[]
}

const maxPublishers = 20
const pendingMs = 30 * 24 * 3600_000
/** Time for the other owners to read their letter: one stolen account alone must not publish at once. */
const delayMs = 24 * 3600_000

/** Those who may publish from CI, for owners. Throws `package-not-found`. */
export async function listPublishers(
  ports: Ports,
  actor: Actor,
  name: PackageName,
): Promise<readonly TrustedPublisher[]> {
  const { known } = await openTrust(ports, actor, name)
  const all = await ports.store.identity.listPublishers(name, ports.clock())
  // Until the name is there, each who waits for it sees their own.
  return all.filter(each =>
    known === undefined ? each.createdBy === actorId(actor) : each.pendingUntil === null,
  )
}

/**
 * Trusts one kind of job. For a name that is not there yet the publisher is pending: for 30 days its first publish makes
 * the package, owned by whoever added it. Where others own the package too, it lets jobs in after a day.
 */
export async function addPublisher(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  request: PublisherRequest,
): Promise<TrustedPublisher> {
  const { grant, known } = await openTrust(ports, actor, name)
  if (known === undefined) await checkMayBeMade(ports, name)
  // Only versions of a package that is there can be staged, so who may only stage would wait in vain.
  if (known === undefined && !request.permissions.includes('createPackage'))
    throw problem('publisher-invalid', {
      why: 'the first version of a name is published, so allow it to publish',
    })
  const issuer = chooseIssuer(ports.config, request)
  const rule = checkPublisherRule(issuer, request.rule)
  await provePresence(ports, grant, 'always')
  const now = ports.clock()
  const made: TrustedPublisher = {
    id: randomId('tp_'),
    package: name,
    provider: request.provider,
    issuer: issuer.issuer,
    rule,
    permissions: request.permissions,
    createdAt: now,
    createdBy: actorId(actor),
    startsAt: now + ((await hasOtherOwners(ports, actor, name)) ? delayMs : 0),
    pendingUntil: known === undefined ? now + pendingMs : null,
    lastUsedAt: null,
  }
  await ports.store.commit(grant, trustEvent(made, 'add'), async tx => {
    await checkStillHere(tx, made.createdBy)
    await checkRoom(tx, made, now)
    await tx.identity.addPublisher(made)
    const from = made.startsAt > now ? `, which works from ${new Date(made.startsAt).toISOString()} on,` : ''
    await tellOwners(
      tx,
      ports,
      made,
      `A trusted publisher was added to ${name} (${describePublisher(made)})${from}`,
    )
  })
  return made
}

async function hasOtherOwners(ports: Ports, actor: Actor, name: PackageName): Promise<boolean> {
  return (await listOwners(ports.store, name)).some(owner => owner.accountId !== actorId(actor))
}

/** Who owns a package, in their own name or through its organisation, each once. */
export async function listOwners({ identity }: Pick<Tx, 'identity'> | Ports['store'], name: PackageName) {
  const owners = (await identity.listHolders(name)).filter(
    each => each.role === 'owner' && each.disabledAt === null,
  )
  return [...new Map(owners.map(each => [each.accountId, each])).values()]
}

/** Ends the trust, and the tokens that its jobs still hold, at once. Throws `publisher-not-found`. */
export async function removePublisher(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  id: string,
): Promise<void> {
  const { grant } = await openTrust(ports, actor, name)
  const publisher = (await listPublishers(ports, actor, name)).find(each => each.id === id)
  if (publisher === undefined) throw problem('publisher-not-found', { name, id })
  await provePresence(ports, grant, 'always')
  await ports.store.commit(grant, trustEvent(publisher, 'remove'), async tx => {
    if (!(await tx.identity.removePublisher(id, ports.clock())))
      throw problem('publisher-not-found', { name, id })
    await endTokensOf(tx, id, ports.clock())
    await tellOwners(
      tx,
      ports,
      publisher,
      `A trusted publisher was removed from ${name} (${describePublisher(publisher)})`,
    )
  })
}

/** The right to see and change a package's publishers, or those of a name that this actor may make. */
async function openTrust(
  ports: Ports,
  actor: Actor,
  name: PackageName,
): Promise<{ known: Package | undefined; grant: Grant }> {
  const there = await ports.store.catalog.findPackage(name)
  if (there !== undefined) return openPackage(ports, actor, 'package:trust', name)
  return { known: undefined, grant: await authorize(ports, actor, 'name:trust', name) }
}

/** The configured issuer that was named, else the first of this provider. Throws `issuer-unknown`. */
export function chooseIssuer(
  { ciIssuers }: Config,
  { provider, issuer }: Pick<PublisherRequest, 'provider' | 'issuer'>,
): CiIssuer {
  const found = ciIssuers.find(
    each => each.provider === provider && (issuer === undefined || each.issuer === issuer),
  )
  if (found === undefined) throw problem('issuer-unknown', { provider, issuer: issuer ?? provider })
  return found
}

async function checkRoom(tx: Tx, made: TrustedPublisher, now: number): Promise<void> {
  const others = await tx.identity.listPublishers(made.package, now)
  const text = comparable(made)
  const own = others.filter(each =>
    made.pendingUntil === null ? each.pendingUntil === null : each.createdBy === made.createdBy,
  )
  if (own.some(each => comparable(each) === text)) throw problem('publisher-exists', { name: made.package })
  if (own.length >= maxPublishers)
    throw problem('publisher-limit', { limit: maxPublishers, what: `trusted publishers of ${made.package}` })
  // Names cannot be kept by waiting for many of them.
  if (made.pendingUntil !== null && (await tx.identity.countPending(made.createdBy, now)) >= maxPublishers)
    throw problem('publisher-limit', {
      limit: maxPublishers,
      what: 'pending trusted publishers of one account',
    })
}

function comparable({ issuer, rule }: TrustedPublisher): string {
  return encodeCanonical(JSON.parse(JSON.stringify({ issuer, rule })))
}

/**
 * The configuration is in the private record; the log holds the digest of a salted document, since names of private
 * repositories could be guessed. A name that is not there yet is nobody's business.
 */
export function trustEvent(publisher: TrustedPublisher, op: 'add' | 'change' | 'remove'): NewEvent {
  const { id, provider, issuer, rule, permissions } = publisher
  const configuration = { id, provider, issuer, rule, permissions }
  const document = saltDocument(configuration)
  return {
    type: 'trusted-publisher',
    ...(publisher.pendingUntil === null ? { pkg: publisher.package } : {}),
    fields: { op, config: document.digest },
    detail: { package: publisher.package, configuration },
    document,
  }
}

/** Tells all who own the package, or wait for its name. */
export async function tellOwners(
  tx: Tx,
  ports: Ports,
  { package: name, createdBy, pendingUntil }: TrustedPublisher,
  what: string,
): Promise<void> {
  const owners = pendingUntil === null ? await listOwners(tx, name) : []
  for (const owner of owners) await addNotice(tx, ports, owner, what)
  if (owners.some(each => each.accountId === createdBy)) return
  const account = await tx.identity.findAccount(createdBy)
  if (account !== undefined && account.disabledAt === null) await addNotice(tx, ports, account, what)
}

/** One publisher in a few words: `github: acme/widget, publish.yml`. */
export function describePublisher({ provider, issuer, rule }: TrustedPublisher): string {
  const claims = Object.entries(rule.claims ?? {}).map(([name, value]) => `${name}=${value}`)
  const where = provider === 'generic' ? [issuer, ...claims] : [rule.repository, rule.workflow]
  return `${provider}: ${[...where, rule.environment, rule.ref].filter(Boolean).join(', ')}`
}
