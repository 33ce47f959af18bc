// SPDX-License-Identifier: Apache-2.0
/** Versions that wait for a person's look: what speaks against each, and the two answers. */
import { type PackageDiff, type PackageName, problem, type ReasonCode, type Version } from '@holdfast/core'
import type { PackageVersion, Screening } from '../catalog/index.ts'
import { type Actor, actorId, authorize } from '../identity/index.ts'
import { defaultInspectLimits, diffTarballs } from '../integrity/index.ts'
import type { Ports } from '../ports.ts'
import { settleHold } from './hold-end.ts'
import { provePresence } from './presence.ts'
import { takeMeasure } from './respond.ts'
import { readForScreening } from './screen.ts'
import { findPrevious } from './screening.ts'

const shown = 200

/** Holds that wait, the oldest first. */
export async function listHolds(ports: Ports, actor: Actor): Promise<readonly Screening[]> {
  await authorize(ports, actor, 'instance:audit', '')
  return ports.store.screening.listHolds('open', shown)
}

/** A version with everything that it takes to decide. */
export interface HoldView {
  readonly screening: Screening
  /** Of a hosted version. */
  readonly kept: PackageVersion | undefined
  readonly diff: PackageDiff | undefined
  /** How often it was fetched here. */
  readonly fetches: number
}

/** Throws `not-found` where nothing was found out about the version. */
export async function readHold(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  version: Version,
): Promise<HoldView> {
  await authorize(ports, actor, 'instance:audit', '')
  const screening = await ports.store.screening.find(name, version)
  if (screening === undefined) throw problem('not-found')
  return {
    screening,
    kept: await ports.store.catalog.findVersion(name, version),
    diff: await compare(ports, screening),
    fetches: await ports.store.downloads.count(name, version, 0),
  }
}

async function compare(
  ports: Ports,
  { package: name, version, digest }: Screening,
): Promise<PackageDiff | undefined> {
  const previous = await findPrevious(ports, name, version)
  const limits = { ...defaultInspectLimits, maxInflatedBytes: ports.config.maxUnpackedBytes }
  const outcome = await diffTarballs(async () => {
    const after = await readForScreening(ports, digest)
    const before = previous && (await readForScreening(ports, previous))
    if (after === undefined || after === 'large' || before === 'large') return { fault: 'too large' }
    return { before, after }
  }, limits)
  return 'diff' in outcome ? outcome.diff : undefined
}

/** A responder's answer to a hold: it was harmless, or it was not. */
export type HoldAnswer = 'release' | 'confirm'

/**
 * Ends a hold. Released, the version is open to everybody within a second; confirmed, it is quarantined as malware and has a
 * case. A hold asks for one person's look, but not for that of whoever published it or could have: with their account alone
 * nobody shall both publish and release. Throws `not-found` where it is not held, `measure-needs-second`.
 */
export async function decideHold(
  ports: Ports,
  actor: Actor,
  answer: HoldAnswer,
  subject: { readonly name: PackageName; readonly version: Version },
  words: string,
): Promise<void> {
  const { name, version } = subject
  const found = await ports.store.screening.find(name, version)
  if (found?.hold !== 'open') throw problem('not-found')
  if (answer === 'release') await checkStranger(ports, actor, subject)
  const code: ReasonCode = answer === 'confirm' ? 'malware' : 'other'
  if (answer === 'release' && found.origin !== 'hosted') return releaseMirrored(ports, actor, subject, words)
  await takeMeasure(ports, actor, answer === 'confirm' ? 'quarantine' : 'release', subject, { code, words })
}

async function checkStranger(
  { store }: Ports,
  actor: Actor,
  { name, version }: { readonly name: PackageName; readonly version: Version },
): Promise<void> {
  const by = actorId(actor)
  const kept = await store.catalog.findVersion(name, version)
  const holders = await store.identity.listHolders(name)
  if (kept?.publisherId === by || holders.some(each => each.accountId === by))
    throw problem('measure-needs-second', { why: `you published ${name}, or may` })
}

/** A rule held it, and no measure: what was found does not count any more, whatever the rules say next. */
async function releaseMirrored(
  ports: Ports,
  actor: Actor,
  subject: { readonly name: PackageName; readonly version: Version },
  words: string,
): Promise<void> {
  const { name: pkg, version: ver } = subject
  const grant = await authorize(ports, actor, 'version:contain', '')
  await provePresence(ports, grant)
  const event = { type: 'release', pkg, ver, fields: { reason: 'other' }, detail: { words } } as const
  await ports.store.commit(grant, event, async tx => {
    await tx.upstream.touchMirror(pkg)
    await settleHold(tx, ports, actor, subject, 'release', words)
  })
}
