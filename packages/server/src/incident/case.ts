// SPDX-License-Identifier: Apache-2.0
/** The record of something that went wrong: what it is about, how bad it is, and what was done, in order. */
import type { PackageName, Version } from '@holdfast/core'
import type { Severity } from '../catalog/index.ts'
import type { IncidentRole, IncidentRoom, Indicator } from './room.ts'

/** What went wrong. */
export type CaseKind =
  /** The upstream withdrew, replaced or marked what was installed through here. */
  | 'takedown'
  /** The upstream gave what cannot be right: other bytes, nothing at all for many packages. */
  | 'upstream-fault'
  /** Somebody published a name upstream that is hosted here. */
  | 'private-name'
  /** A version is malware, or spreads like it. */
  | 'malware'
  /** A feed of advisories says nothing any more: what is new and bad is not known here. */
  | 'feed-silent'
  /** Nobody decided about a version that is held. */
  | 'hold-undecided'
  /** A feed marks as malware what has long been used here, and waits for a person. */
  | 'feed-entry'
  /** People reported a package, a version or an account. */
  | 'report'
  /** A responder heard of it elsewhere, and opened it. */
  | 'by-hand'

/** A draft was opened by the instance itself, and no person has taken it on yet. */
export type CaseState = 'draft' | 'open' | 'closed'

/** What a case is about. */
export interface CaseSubject {
  readonly package: PackageName
  /** Empty for the package as a whole. */
  readonly version: Version | ''
}

/** One line of the timeline; never changed. */
export interface CaseNote {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Id of an account, `operator`, or the part of the instance that wrote it. */
  readonly by: string
  readonly words: string
}

export interface IncidentCase {
  /** `case-` and sixteen hexadecimal digits. */
  readonly id: string
  readonly kind: CaseKind
  readonly title: string
  readonly state: CaseState
  readonly severity: Severity
  readonly openedBy: string
  readonly openedAt: number
  /** In the order of names and versions. */
  readonly subjects: readonly CaseSubject[]
  /** Oldest first. */
  readonly timeline: readonly CaseNote[]
}

/** A case in a list. */
export type CaseSummary = Omit<IncidentCase, 'subjects' | 'timeline'> & { readonly subjectCount: number }

/** What the store keeps of cases. */
export interface CaseReads {
  findCase(id: string): Promise<IncidentCase | undefined>
  /** The case of this kind and title that is not closed, the newest of several. */
  findOpenCase(kind: CaseKind, title: string): Promise<string | undefined>
  /** The newest case about a package that is not closed and that whatever else is found of it joins. */
  findOpenCaseAbout(name: PackageName): Promise<string | undefined>
  /** What people do about it; undefined where there is no such case. */
  findRoom(id: string): Promise<IncidentRoom | undefined>
  /** Packages that a case of this kind was ever about. */
  listSubjects(kind: CaseKind): Promise<readonly PackageName[]>
  /** Newest first, those before a moment. */
  listCases(openedBefore: number, limit: number): Promise<readonly CaseSummary[]>
  /** Those that are not closed, the gravest and of these the oldest first: a flood of new ones hides none. */
  listOpenCases(limit: number): Promise<readonly CaseSummary[]>
  /** Who leads, by case; without those that nobody took on. */
  listLeads(): Promise<ReadonlyMap<string, string>>
}

export interface CaseWrites {
  /** Makes others who open or change cases wait for the commit: one case of a package, or of a kind and title, is open at a time. */
  holdCases(): Promise<void>
  addCase(made: Omit<IncidentCase, 'subjects' | 'timeline'>): Promise<void>
  /** Those that it is about already are left as they are. */
  addCaseSubjects(id: string, subjects: readonly CaseSubject[]): Promise<void>
  addCaseNote(id: string, note: CaseNote): Promise<void>
  renameCase(id: string, kind: CaseKind, title: string): Promise<void>
  setCaseState(id: string, state: CaseState): Promise<void>
  /** Open from now on, with a lead; whoever led before is no longer. */
  takeCase(id: string, lead: string, at: number): Promise<void>
  /** False, and nothing changes, where it was changed since `revision`. */
  changeCase(
    id: string,
    revision: number,
    to: { readonly severity: Severity; readonly lead: string },
  ): Promise<boolean>
  /** One that is there already is left as it is. */
  addRole(id: string, role: IncidentRole, person: string): Promise<void>
  removeRole(id: string, role: IncidentRole, person: string): Promise<void>
  addTasks(id: string, playbook: string, words: readonly string[]): Promise<void>
  /** `doneBy` is empty for what is to be done again; false where it was so already, or is not there. */
  setTask(id: string, ordinal: number, doneBy: string, at: number): Promise<boolean>
  addIndicator(id: string, indicator: Indicator): Promise<void>
}
