// SPDX-License-Identifier: Apache-2.0
/** What people report, how much their word weighs, and when it closes a version without a person. */
import type { PackageName, Version } from '@holdfast/core'

/** What somebody says is wrong. */
export type ReportKind = (typeof reportKinds)[number]
/** Every kind there is, the gravest first. */
export const reportKinds = [
  'malware',
  'look-alike',
  'dependency-confusion',
  'secret',
  'impersonation',
  'spam',
  'other',
] as const

/** Until its mailbox is confirmed a report `waiting` counts for nothing; a responder's look ends one that is `open`. */
export type ReportState = 'waiting' | 'open' | ReportOutcome
/** How a report ended: it was right, it was wrong, or it was neither. */
export type ReportOutcome = 'confirmed' | 'dismissed' | 'closed'

/** One person's word about one subject. */
export interface Report {
  /** `rep_` and sixteen hexadecimal digits. */
  readonly id: string
  /** Empty where an account is reported. */
  readonly package: PackageName | ''
  /** Empty for the package as a whole. */
  readonly version: Version | ''
  /** The user name of the account that is reported, else empty. */
  readonly login: string
  readonly kind: ReportKind
  /** A stranger's. */
  readonly words: string
  /** Likewise: addresses, file names, what was seen. */
  readonly evidence: string
  /** `account a_…`, or `mailbox` and a digest. */
  readonly reporter: string
  /** Where the outcome is told; empty once it was. */
  readonly mailbox: string
  /** The case that it joined; empty while it waits. */
  readonly incident: string
  readonly state: ReportState
  readonly madeAt: number
}

/** What became of somebody's reports, one for each case: three about one package are one word. */
export interface ReporterRecord {
  readonly reporter: string
  readonly confirmed: number
  readonly dismissed: number
  /** A responder said so. */
  readonly isMarked: boolean
}

/** What the store keeps of reports. */
export interface ReportReads {
  find(id: string): Promise<Report | undefined>
  /** Whose link this is, by the hash of its secret. */
  findBySecret(hash: string): Promise<Report | undefined>
  /** Of a case, oldest first, without those that wait. */
  ofCase(incident: string): Promise<readonly Report[]>
  /** Reports that are open, by case. */
  countOpen(): Promise<ReadonlyMap<string, number>>
  record(reporter: string): Promise<ReporterRecord>
  /** Everybody who was ever right, wrong or marked, the most reliable first. */
  listRecords(limit: number): Promise<readonly ReporterRecord[]>
}

export interface ReportWrites {
  /** `secretHash` is empty where no mailbox has to be confirmed. */
  add(report: Report, secretHash: string): Promise<void>
  /** It counts from now on; false when it did before. */
  count(id: string, reporter: string, incident: string): Promise<boolean>
  /** Ends one that is open, and forgets its mailbox; false when it is not. */
  settle(id: string, outcome: ReportOutcome): Promise<boolean>
  setMarked(reporter: string, isMarked: boolean): Promise<void>
  /** Forgets those that nobody confirmed. */
  dropWaiting(madeBefore: number): Promise<void>
}

/** Between 0 and 1: how likely the next word of this reporter is right (Laplace's rule of succession). */
export function weightOf({ confirmed, dismissed }: ReporterRecord): number {
  return (confirmed + 1) / (confirmed + dismissed + 2)
}

const earnedWeight = 0.8
const lostWeight = 0.4

/** Whoever was right three times and never wrong has earned it; a responder's mark ends for whoever is mostly wrong. */
export function isTrusted(record: ReporterRecord): boolean {
  const weight = weightOf(record)
  return weight >= earnedWeight || (record.isMarked && weight > lostWeight)
}

/** What decides whether reports close a version by themselves. */
export interface AutomaticFacts {
  readonly kind: ReportKind
  /** Of those whose reports of malware in this version are open, each once. */
  readonly reporters: readonly { readonly isTrusted: boolean }[]
  /** The package came into being less than a day ago. */
  readonly isYoung: boolean
  /** Why a person must look first: long out, or much used; empty for neither. */
  readonly breaker: string
}

/** Whether the reports quarantine by themselves, and why or why not, in words. */
export function judgeReports({ kind, reporters, isYoung, breaker }: AutomaticFacts): {
  readonly closes: boolean
  readonly why: string
} {
  const not = (why: string) => ({ closes: false, why })
  if (kind !== 'malware') return not('only malware is quarantined without a person')
  if (!reporters.some(each => each.isTrusted)) return not('no trusted reporter is among them')
  if (breaker !== '') return not(`a person must look first: ${breaker}`)
  if (isYoung)
    return { closes: true, why: 'a trusted reporter says so, and the package is younger than a day' }
  if (reporters.length < 2) return not('of a package older than a day two reporters must say so')
  return { closes: true, why: `${reporters.length} reporters say so, a trusted one among them` }
}
