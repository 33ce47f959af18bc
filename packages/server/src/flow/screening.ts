// SPDX-License-Identifier: Apache-2.0
/** Screening in the life of a version: before it is published, when it comes in, and again when the rules change. */
import {
  compareVersions,
  type Digest,
  matchesName,
  type PackageName,
  problem,
  type Version,
} from '@holdfast/core'
import type { Finding, OriginName, Screening } from '../catalog/index.ts'
import { defaultInspectLimits, inspectTarball } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { hostOf, tellStaffOf } from './letter.ts'
import type { Upload } from './publish.ts'
import { gatherForScreening, openForScreening, type ScreenWords, screenTarball } from './screen.ts'
import { currentPolicy } from './view.ts'

/** What is known of a version when it is decided whether a person must look. */
export interface Screened {
  readonly words: ScreenWords
  /** Why it is held, in general words; empty where it is not. */
  readonly reason: string
}

/** Why a version is held, as everybody may read it: what was found exactly is for those who respond. */
export const holdReasons = {
  screening: 'screening found in it what malware does, and a responder has to look at it',
  unscreened: 'it could not be screened yet',
  behaviour: 'how it was published breaks with the habit of the package, and a responder has to look at it',
} as const

/** Screens what somebody wants published, and says whether it has to be held. Throws `known-malware` alone. */
export async function screenUpload(ports: Ports, upload: Upload, digest: Digest): Promise<Screened> {
  const { name, version, tarball } = upload
  const bad = (await ports.store.policy.listBadDigests([digest])).get(digest)
  if (bad !== undefined) throw problem('known-malware', { name, version, why: bad })
  const bytes = await gatherForScreening(ports, () => tarball.read(), tarball.digests().sizeBytes)
  const previous = await findPrevious(ports, name, version)
  const words = await screenTarball(ports, bytes, previous && (await openForScreening(ports, previous)))
  const isEnforced = await isEnforcedAtPublish(ports, 'screening', name)
  return { words, reason: isEnforced ? reasonOf(words.state) : '' }
}

/** The same of bytes that are kept and wait for an approval. */
export async function screenKept(
  ports: Ports,
  name: PackageName,
  version: Version,
  digest: Digest,
): Promise<Screened & { readonly hasInstallScript: boolean }> {
  const bytes = await openForScreening(ports, digest)
  const previous = await findPrevious(ports, name, version)
  const words = await screenTarball(ports, bytes, previous && (await openForScreening(ports, previous)))
  const isEnforced = await isEnforcedAtPublish(ports, 'screening', name)
  const limits = { ...defaultInspectLimits, maxInflatedBytes: ports.config.maxUnpackedBytes, maxTokens: 0 }
  const { hasInstallScript } =
    bytes instanceof Uint8Array ? await inspectTarball(bytes, limits) : { hasInstallScript: false }
  return { words, reason: isEnforced ? reasonOf(words.state) : '', hasInstallScript }
}

/** Whether a rule of this kind holds what is published under a name; else it only watches. */
export async function isEnforcedAtPublish(
  ports: Pick<Ports, 'store'>,
  kind: 'screening' | 'behaviour',
  name: PackageName,
): Promise<boolean> {
  return (await currentPolicy(ports)).rules.some(
    rule =>
      rule.kind === kind &&
      rule.mode === 'enforce' &&
      rule.action !== 'warn' &&
      rule.origins.includes('hosted') &&
      rule.packages.some(pattern => matchesName(pattern, name)) &&
      !rule.except.some(pattern => matchesName(pattern, name)),
  )
}

function reasonOf(state: ScreenWords['state']): string {
  if (state === 'hold') return holdReasons.screening
  return state === 'failed' ? holdReasons.unscreened : ''
}

/** The bytes of the newest older version that is open, else of the newest one. */
export async function findPrevious(
  { store }: Pick<Ports, 'store'>,
  name: PackageName,
  version: Version,
): Promise<Digest | undefined> {
  const open = (await store.catalog.listKeptFacts(name))
    .filter(({ status }) => status === 'live' || status === 'yanked' || status === 'pending')
    .filter(each => each.version !== version)
    .toSorted((a, b) => compareVersions(a.version, b.version))
  const found = open.findLast(each => compareVersions(each.version, version) < 0) ?? open.at(-1)
  return found?.traits.digest
}

/** Screens what came in from an upstream, beside what came in of it before. */
export async function screenArrival(
  ports: Pick<Ports, 'config' | 'store' | 'blobs'>,
  name: PackageName,
  publishedAt: number,
  digest: Digest,
): Promise<Screened> {
  const older = (await ports.store.mirrors.listIngested(name)).filter(each => each.publishedAt < publishedAt)
  const previous = older.toSorted((a, b) => b.publishedAt - a.publishedAt)[0]?.digest
  const bytes = await openForScreening(ports, digest)
  const words = await screenTarball(ports, bytes, previous && (await openForScreening(ports, previous)))
  return { words, reason: reasonOf(words.state) }
}

/** An established version that is screened later, and is open meanwhile. */
export function keepDue(subject: ScreenSubject, at: number): Screening {
  const words: ScreenWords = { state: 'failed', score: 0, rules: '', findings: [], fault: '', news: [] }
  return { ...toScreening(subject, { words, reason: '' }, at, false), state: 'due' }
}

/** Which version was screened. */
export interface ScreenSubject {
  readonly name: PackageName
  readonly version: Version
  readonly origin: OriginName
  readonly digest: Digest
}

/** Puts what a registry says otherwise than the package itself beside what screening found: a hidden script or dependency is what a responder looks for first. */
export function withDisagreement(screened: Screened, disagreement: string): Screened {
  if (disagreement === '') return screened
  const { words } = screened
  const finding: Finding = {
    ...{ rule: 'manifest-confusion', file: 'package.json', line: 1, excerpt: disagreement.slice(0, 200) },
    ...{ why: 'its registry says something else of it than the package itself', weight: confusionWeight },
  }
  const state = words.state === 'allow' ? 'warn' : words.state
  const findings = [finding, ...words.findings]
  return { ...screened, words: { ...words, state, score: words.score + confusionWeight, findings } }
}

/** Enough to warn; that nobody gets it is decided by `findRecall`. */
const confusionWeight = 40

/** A row of what was found, before anybody decided anything. */
export function toScreening(
  { name, version, origin, digest }: ScreenSubject,
  { words, reason }: Screened,
  at: number,
  mayHold: boolean,
): Screening {
  const { state, score, rules, findings, fault } = words
  return {
    ...{ package: name, version, origin, digest, state, score, rules, findings, fault, mayHold },
    screenedAt: at,
    hold: reason === '' ? 'none' : 'open',
    heldAt: reason === '' ? null : at,
    reminders: 0,
    ...{ decidedBy: '', decidedAt: null, words: '' },
  }
}

/** Keeps what was found of a hosted version inside the commit that lets it in, and holds it there: nobody ever sees it open. */
export async function keepScreening(
  tx: Tx,
  ports: Pick<Ports, 'config' | 'clock'>,
  subject: ScreenSubject,
  screened: Screened,
): Promise<void> {
  const { name, version } = subject
  const at = ports.clock()
  await tx.screening.set(toScreening(subject, screened, at, true))
  if (screened.reason === '') return
  await tx.catalog.setStatus(name, version, 'held', screened.reason, at)
  tx.record(holdEvent(name, version, screened.reason))
  await tellOfHold(tx, ports, subject, screened.reason, screened.words.findings)
}

/** That a version is held, for the log; the words stay in the record. */
export function holdEvent(pkg: PackageName, ver: Version, words: string) {
  return { type: 'hold', pkg, ver, fields: { reason: 'security' }, detail: { words } } as const
}

async function tellOfHold(
  tx: Tx,
  ports: Pick<Ports, 'config'>,
  { name, version }: ScreenSubject,
  reason: string,
  findings: readonly Finding[],
): Promise<void> {
  const { publicUrl } = ports.config
  await tellStaffOf(tx, ports, [name], `${name}@${version} is held – ${hostOf(publicUrl)}`, [
    `${name}@${version} is held on ${publicUrl}: ${reason}.`,
    '',
    ...findings.slice(0, 5).map(({ rule, file, line, why }) => `${rule} (${file}:${line}): ${why}`),
    '',
    `Release or confirm it: ${publicUrl}/operate/holds/${name}/${version}`,
  ])
}
