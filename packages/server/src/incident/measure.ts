// SPDX-License-Identifier: Apache-2.0
import {
  type Digest,
  isPackageName,
  type PackageName,
  parseDigest,
  parseIntegrity,
  parsePackageName,
  parseVersion,
  problem,
  type ReasonCode,
  type Status,
  type Version,
} from '@holdfast/core'

/** How long what one person closed stays closed, until a second one confirms it. */
export const measureLifeMs = 4 * 60 * 60_000

/** Something that people closed, and how that ended. */
export interface TakenMeasure {
  readonly id: string
  readonly kind: 'freeze' | 'quarantine'
  /** What a freeze closes (`package:ui`, `registry`), or in words what a quarantine looked for. */
  readonly subject: string
  readonly reason: ReasonCode
  /** For people; may be shown to whoever is refused. */
  readonly words: string
  readonly actor: string
  /** The case it belongs to, empty for none. */
  readonly incident: string
  readonly madeAt: number
  /** Ends by itself then; null once confirmed. */
  readonly lapsesAt: number | null
  readonly confirmedBy: string
  readonly undoAskedBy: string
  readonly undoneBy: string
  readonly undoneAt: number | null
  /** How many versions it named when it was taken. */
  readonly wanted: number
  /** When all of them were closed; null while that is under way. */
  readonly finishedAt: number | null
}

/** One version. */
export interface MeasureVersion {
  readonly name: PackageName
  readonly version: Version
}

/** One that a measure closed, and what it was before. */
export interface ClosedVersion extends MeasureVersion {
  /** `none` for an upstream's version about which nothing had been decided here. */
  readonly was: Status | 'none'
  /** Why it was that, in words; empty for no reason. */
  readonly why: string
}

/** What is let in nowhere: a freeze of the subject `hash:…` or `indicator:…` that holds. */
export interface Block {
  /** Of the measure. */
  readonly id: string
  /** A SHA-512, or text that stands in a package. */
  readonly value: string
  /** For whoever is refused. */
  readonly why: string
}

/** Which versions to close: all that is said must hold. */
export interface VersionQuery {
  readonly package?: PackageName
  readonly version?: Version
  /** `hosted`, or the name of an upstream. */
  readonly origin?: string
  /** The id of an account, a CI publisher or a robot; with an upstream, who published it there. */
  readonly publisher?: string
  readonly token?: string
  readonly since?: number
  readonly until?: number
  readonly digest?: Digest
  /** Text that stands in the published manifest, in capitals or not. */
  readonly indicator?: string
}

/** What of a query comes from outside, as text. */
type QueryText = { readonly [K in keyof VersionQuery]?: string | undefined } & {
  readonly hash?: string | undefined
}

/** What a query may say. */
export const versionQueryKeys = [
  'package',
  'version',
  'origin',
  'publisher',
  'token',
  'since',
  'until',
  'hash',
  'indicator',
] as const

/** Reads a query; an empty one means every version. Throws `measure-invalid` and what names and versions throw. */
export function parseVersionQuery(text: QueryText): VersionQuery {
  const { origin, publisher, token, indicator, hash } = text
  if (indicator) checkIndicator(indicator)
  return {
    ...(text.package ? { package: parsePackageName(text.package) } : {}),
    ...(text.version ? { version: parseVersion(text.version) } : {}),
    ...(origin ? { origin } : {}),
    ...(publisher ? { publisher } : {}),
    ...(token ? { token } : {}),
    ...(text.since ? { since: parseTime(text.since) } : {}),
    ...(text.until ? { until: parseTime(text.until) } : {}),
    ...(hash ? { digest: readDigest(hash) } : {}),
    ...(indicator ? { indicator } : {}),
  }
}

const plain = new Set(['registry', 'publishing', 'sign-up', 'proxying'])

/** Reads what a freeze closes; accounts are named by login here. Throws `measure-invalid`. */
export function parseFreezeSubject(text: string): string {
  const at = text.indexOf(':')
  const rest = text.slice(at + 1)
  if (plain.has(text)) return text
  if (text.length > 300 || at < 0 || rest === '') throw unknownSubject()
  switch (text.slice(0, at)) {
    case 'package':
      return `package:${parsePackageName(rest)}`
    case 'scope':
      if (!isPackageName(`${rest}/x`)) throw unknownSubject()
      return text
    case 'hash':
      return `hash:${readDigest(rest)}`
    case 'indicator':
      checkIndicator(rest)
      return text
    case 'account':
    case 'publisher':
    case 'origin':
    case 'issuer':
      return text
    default:
      throw unknownSubject()
  }
}

function unknownSubject() {
  const why =
    'name registry, publishing, sign-up, proxying, or package:, scope:, account:, publisher:, origin:, issuer:, hash: or indicator: with what it is'
  return problem('measure-invalid', { why })
}

/** A shorter one would be met everywhere. */
function checkIndicator(text: string): void {
  if (text.length >= 4) return
  throw problem('measure-invalid', { why: 'an indicator has four characters at least' })
}

function readDigest(text: string): Digest {
  return parseIntegrity(text) ?? parseDigest(text)
}

/** Milliseconds since the epoch. Throws `measure-invalid`. */
export function parseTime(text: string): number {
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw problem('measure-invalid', { why: 'a time is like 2026-01-31T12:00:00Z' })
  return at
}

/** Questions about measures. */
export interface MeasureReads {
  find(id: string): Promise<TakenMeasure | undefined>
  /** Newest first, those that hold before those that ended. */
  list(limit: number): Promise<readonly TakenMeasure[]>
  /** One that closes any of these subjects now. */
  findFreeze(subjects: readonly string[]): Promise<TakenMeasure | undefined>
  /** Quarantines and freezes whose time is over and that nobody ended. */
  listLapsed(now: number, limit: number): Promise<readonly TakenMeasure[]>
  /** What is blocked now, by hash or by what stands in it. */
  listBlocks(by: 'hash' | 'indicator'): Promise<readonly Block[]>
  /** Hosted versions that a query names and that are not removed, staged or blocked, in the order of names, without those that a measure has listed. */
  match(query: VersionQuery, limit: number, besides?: string): Promise<readonly MeasureVersion[]>
  countMatches(query: VersionQuery): Promise<number>
  /** Those that hold and whose closing was begun before a time and is not done. */
  listUnfinished(madeBefore: number): Promise<readonly TakenMeasure[]>
  /** How many versions each of these closes. */
  countVersions(ids: readonly string[]): Promise<ReadonlyMap<string, number>>
  /** Versions of a package that measures which hold have closed, each with the newest of these. */
  listClosing(name: PackageName): Promise<ReadonlyMap<Version, string>>
  /** Versions that a measure closed. */
  listVersions(id: string, limit: number): Promise<readonly ClosedVersion[]>
}

/** Changes to measures, inside a transaction. */
export interface MeasureWrites {
  add(measure: TakenMeasure): Promise<void>
  /** False when it has ended, or somebody has confirmed it. */
  confirm(id: string, by: string): Promise<boolean>
  /** False when it has ended, or somebody has asked. */
  askUndo(id: string, by: string): Promise<boolean>
  /** False when it has ended. */
  end(id: string, by: string, at: number): Promise<boolean>
  /** Makes others who change it wait; undefined when it has ended. */
  hold(id: string): Promise<TakenMeasure | undefined>
  /** Nothing more is closed by it. */
  finish(id: string, at: number): Promise<void>
  /** One that is listed already is left as it is. */
  addVersions(id: string, versions: readonly ClosedVersion[]): Promise<void>
  dropVersions(id: string, name: PackageName, versions: readonly Version[]): Promise<void>
  /** Which of these another measure that holds closes too: it now remembers what they were. */
  passOn(id: string, name: PackageName, versions: readonly ClosedVersion[]): Promise<ReadonlySet<Version>>
}
