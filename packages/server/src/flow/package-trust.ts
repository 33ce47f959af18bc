// SPDX-License-Identifier: Apache-2.0
/** A package's trust never silently drops (provenance reference, section 13): what its versions proved, the next one must. */
import { excerpt, type PackageName, problem, type Version } from '@holdfast/core'
import { type Actor, authorize } from '../identity/index.ts'
import {
  explainDowngrade,
  isLowerTrust,
  type NewEvent,
  noTrust,
  type PackageTrust,
  raiseTrust,
  readDeclaredSource,
  saltDocument,
  type TrustLevel,
  trustLevelAt,
} from '../integrity/index.ts'
import type { KeptProvenance, Ports, Tx } from '../ports.ts'
import { addNotice } from './letter.ts'
import { openPackage } from './package.ts'
import { provePresence } from './presence.ts'
import { listOwners } from './trust.ts'

type PolicyOp = 'raise' | 'lower' | 'hold' | 'source-add' | 'source-remove'

/** Time for owners and for those who use the package to see it coming. */
const loweringMs = 72 * 3600_000
const maxSources = 10

type Named = { readonly name: PackageName; readonly version: Version }

/** What the package's versions must prove now, which this one does. Throws `trust-downgrade`. */
export async function checkTrust(
  { trust }: Pick<Tx, 'trust'> | Ports['store'],
  isByJob: boolean,
  { name, version }: Named,
  proof: KeptProvenance | undefined,
  now: number,
): Promise<PackageTrust> {
  const held = (await trust.findTrust(name)) ?? noTrust
  const why = explainDowngrade(held, { isByJob, build: proof?.build }, now)
  if (why !== undefined) throw problem('trust-downgrade', { name, version, why })
  return held
}

/**
 * Keeps the provenance of a version that comes in, and what later ones may not fall below. Asked in the transaction of the
 * publish, where nobody else changes the package. Throws `trust-downgrade`.
 */
export async function holdTrust(
  tx: Tx,
  isByJob: boolean,
  upload: Named,
  proof: KeptProvenance | undefined,
  now: number,
): Promise<void> {
  const { name, version } = upload
  const trust = await checkTrust(tx, isByJob, upload, proof, now)
  const shown = { isByJob, build: proof?.build }
  if (proof !== undefined) await tx.trust.addProvenance(name, version, proof)
  const raised = raiseTrust(trust, shown, now)
  if (JSON.stringify(raised) === JSON.stringify(trust)) return
  await tx.trust.setTrust(name, raised)
  tx.record(policyEvent(name, 'raise', raised))
}

/** What the next version of a package must prove, for whoever may read it. */
export async function readTrust(ports: Ports, actor: Actor, name: PackageName): Promise<PackageTrust> {
  await authorize(ports, actor, 'package:read', name)
  return (await ports.store.trust.findTrust(name)) ?? noTrust
}

/** Lets versions prove less from 72 hours on, until one proves more again. Throws `trust-unchanged` where that is no less. */
export async function lowerTrust(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  level: TrustLevel,
): Promise<void> {
  const what = `In 72 hours versions of ${name} may prove less: ${level}, by a change that was made`
  await change(ports, actor, name, 'lower', what, (trust, now) => {
    const before = trustLevelAt(trust, now)
    if (!isLowerTrust(level, before))
      throw problem('trust-unchanged', { name, why: `${level} is not less than ${before}` })
    return { ...trust, level: before, lowering: { level, startsAt: now + loweringMs } }
  })
}

/** Takes a lowering back that has not begun. */
export async function holdLevel(ports: Ports, actor: Actor, name: PackageName): Promise<void> {
  const what = `Versions of ${name} must prove what they did: a lowering was taken back`
  await change(ports, actor, name, 'hold', what, (trust, now) => {
    if (trust.lowering === null || trust.lowering.startsAt <= now)
      throw problem('trust-unchanged', { name, why: 'nothing is about to be lowered' })
    return { ...trust, lowering: null }
  })
}

/** From 72 hours on builds may come from this repository too: for a package that moves. */
export async function addSource(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  { repository: said, issuer }: { readonly repository: string; readonly issuer: string },
): Promise<void> {
  const repository = /^https:\/\//.test(said) ? readDeclaredSource(said) : undefined
  if (repository === undefined)
    throw problem('trust-unchanged', { name, why: `'${excerpt(said)}' is no https address of a repository` })
  const what = `In 72 hours versions of ${name} may be built from ${repository}, by a change that was made`
  await change(ports, actor, name, 'source-add', what, (trust, now) => {
    checkSource(name, trust, repository, listIssuers(ports, trust).includes(issuer))
    const added = { issuer, repository, repositoryId: '', ownerId: '', startsAt: now + loweringMs }
    return { ...trust, sources: [...trust.sources, added] }
  })
}

/** The issuers that a source may have: those configured, and those that versions were built under. */
export function listIssuers({ config }: Pick<Ports, 'config'>, { sources }: PackageTrust): readonly string[] {
  return [...new Set([...sources, ...config.ciIssuers].map(each => each.issuer))]
}

function checkSource(name: PackageName, trust: PackageTrust, repository: string, isIssuer: boolean): void {
  const refuse = (why: string) => problem('trust-unchanged', { name, why })
  if (trust.sources.length === 0) throw refuse('no version of it proved a repository yet')
  if (!isIssuer) throw refuse('its issuer is none that is known here')
  if (trust.sources.length >= maxSources) throw refuse(`it has ${maxSources} repositories already`)
  if (trust.sources.some(each => each.repository.toLowerCase() === repository))
    throw refuse(`${repository} is among its repositories`)
}

/** Ends what builds from a repository count for, at once. The last one stays. */
export async function removeSource(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  repository: string,
): Promise<void> {
  const what = `Versions of ${name} may no longer be built from ${excerpt(repository)}, by a change that was made`
  await change(ports, actor, name, 'source-remove', what, (trust, now) => {
    const sources = trust.sources.filter(each => each.repository !== repository)
    if (sources.length === trust.sources.length)
      throw problem('trust-unchanged', { name, why: 'that is none of its repositories' })
    if (!sources.some(each => each.startsAt <= now))
      throw problem('trust-unchanged', { name, why: 'no other repository counts yet' })
    return { ...trust, sources }
  })
}

/** One change by an owner with a fresh proof, logged at once and told to all owners. */
async function change(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  op: PolicyOp,
  what: string,
  work: (trust: PackageTrust, now: number) => PackageTrust,
): Promise<void> {
  const { grant } = await openPackage(ports, actor, 'package:trust', name)
  await provePresence(ports, grant, 'always')
  const now = ports.clock()
  await ports.store.commit(grant, [], async tx => {
    // Writing first makes others who change the package wait, so that what is read next stays true.
    await tx.catalog.touch(name, now)
    const trust = work((await tx.trust.findTrust(name)) ?? noTrust, now)
    await tx.trust.setTrust(name, trust)
    tx.record(policyEvent(name, op, trust))
    for (const owner of await listOwners(tx, name)) await addNotice(tx, ports, owner, what)
  })
}

/** The demand is in the private record; the log holds the digest of a salted document, since names of private repositories could be guessed. */
function policyEvent(name: PackageName, op: PolicyOp, trust: PackageTrust): NewEvent {
  const document = saltDocument({ ...trust })
  return { type: 'policy', pkg: name, fields: { op, config: document.digest }, detail: { trust }, document }
}
