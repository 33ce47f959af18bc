// SPDX-License-Identifier: Apache-2.0
/** What an upstream withdrew, found by comparing what it says now with what it said before and with the bytes that came in. */
import type { ReasonCode, Version } from '@holdfast/core'
import type { Ingested, Mirror, Severity, UpstreamVersion } from '../catalog/index.ts'

/** What an upstream says of a package, as far as it matters here. */
export type Told = Pick<Mirror, 'versions' | 'description' | 'isGone'>

/** One version whose bytes are here and which the upstream no longer stands by. */
export interface Withdrawal {
  readonly version: Version
  readonly how: WithdrawalKind
  /** For people: what was found, with the figures. */
  readonly words: string
}

export type WithdrawalKind =
  /** The package was replaced by a placeholder of the upstream's security team. */
  | 'placeholder'
  /** The version is now marked as malicious. */
  | 'marked'
  /** Other bytes under the same version. */
  | 'changed'
  /** The version is gone and others are still there. */
  | 'removed'
  /** The whole package is gone. */
  | 'gone'

/** What each kind says of why: absence alone may be its author's doing, or a fault of the upstream. */
export const withdrawalTable: Readonly<
  Record<
    WithdrawalKind,
    { readonly severity: Severity; readonly reason: ReasonCode; readonly isAbsence: boolean }
  >
> = {
  placeholder: { severity: 'critical', reason: 'malware', isAbsence: false },
  marked: { severity: 'critical', reason: 'malware', isAbsence: false },
  changed: { severity: 'critical', reason: 'security', isAbsence: false },
  removed: { severity: 'high', reason: 'security', isAbsence: true },
  gone: { severity: 'high', reason: 'security', isAbsence: true },
}

const hourMs = 3600_000
/** Until when authors may take back a version at the public registry, whoever uses it. */
const ownersTimeMs = 72 * hourMs
const malwareWords =
  /\bmalware\b|\bmalicious (?:code|version|package|release|publish|content)|\bcompromised\b|\bbackdoor|\btrojan\b|security holding/i

/**
 * Versions of which bytes came in and which the upstream withdrew between two readings. What it withdrew before the
 * first of them is not found again, so that what a person released stays released. `leftOut` names versions that
 * are still listed and not believed.
 */
export function findWithdrawals(
  before: Told,
  after: Told,
  ingested: readonly Ingested[],
  leftOut: readonly string[],
  now: number,
): readonly Withdrawal[] {
  if (before.isGone) return []
  const was = new Map(before.versions.map(each => [each.version, each]))
  const is = new Map(after.isGone ? [] : after.versions.map(each => [each.version, each]))
  const isPlaceholder = looksLikePlaceholder(after) && !looksLikePlaceholder(before)
  return ingested.flatMap(held => {
    const old = was.get(held.version)
    if (old === undefined || leftOut.includes(held.version)) return []
    const how = howWithdrawn(held, old, is.get(held.version), isPlaceholder, is.size === 0)
    return how === undefined
      ? []
      : [{ version: held.version, how, words: explain(how, old, is.get(held.version), now) }]
  })
}

/** Versions that the upstream lacked and offers again, with the very bytes that came in. */
export function findReturned(before: Told, after: Told, ingested: readonly Ingested[]): readonly Version[] {
  if (after.isGone) return []
  const was = new Set(before.isGone ? [] : before.versions.map(each => each.version))
  const is = new Map(after.versions.map(each => [each.version, each]))
  const isBack = (held: Ingested) => {
    const told = is.get(held.version)
    return (
      !was.has(held.version) &&
      told !== undefined &&
      isSame(held, told) &&
      !malwareWords.test(told.deprecated)
    )
  }
  return ingested.filter(isBack).map(each => each.version)
}

function isSame(held: Ingested, told: UpstreamVersion): boolean {
  return told.digest === undefined ? told.shasum === held.shasum : told.digest === held.digest
}

function howWithdrawn(
  held: Ingested,
  before: UpstreamVersion,
  after: UpstreamVersion | undefined,
  isPlaceholder: boolean,
  isNothingLeft: boolean,
): WithdrawalKind | undefined {
  if (after !== undefined && differs(held, after) && !differs(held, before)) return 'changed'
  if (after !== undefined && malwareWords.test(after.deprecated) && !malwareWords.test(before.deprecated))
    return 'marked'
  if (isPlaceholder) return 'placeholder'
  if (after !== undefined) return undefined
  return isNothingLeft ? 'gone' : 'removed'
}

function differs(held: Ingested, told: UpstreamVersion): boolean {
  return told.digest === undefined
    ? told.shasum !== '' && told.shasum !== held.shasum
    : told.digest !== held.digest
}

/** `0.0.1-security` and its like, under which nothing of the package is left. */
function looksLikePlaceholder({ versions, description, isGone }: Told): boolean {
  if (isGone || versions.length === 0) return false
  return (
    versions.every(each => /^0\.0\.\d+-security(\.\d+)?$/.test(each.version)) ||
    /^security holding package$/i.test(description)
  )
}

function explain(
  how: WithdrawalKind,
  before: UpstreamVersion,
  after: UpstreamVersion | undefined,
  now: number,
): string {
  switch (how) {
    case 'placeholder':
      return 'the upstream replaced the package by a security placeholder'
    case 'marked':
      return `the upstream now says of it: ${after?.deprecated.slice(0, 200)}`
    case 'changed':
      return 'the upstream now names other bytes for it than those that came in'
    case 'removed':
      return `the upstream removed it ${explainAge(before, now)}`
    case 'gone':
      return `the upstream removed the whole package ${explainAge(before, now)}`
  }
}

/** Who can have removed it. */
function explainAge({ publishedAt }: UpstreamVersion, now: number): string {
  const hours = Math.max(0, Math.floor((now - publishedAt) / hourMs))
  return now - publishedAt < ownersTimeMs
    ? `${hours} hours after it was published: its author may have, or those who look after the upstream`
    : 'when its author could no longer do so alone at most registries'
}

/** The gravest of several findings. */
export function gravest(withdrawals: readonly Withdrawal[]): Severity {
  return withdrawals.some(({ how }) => withdrawalTable[how].severity === 'critical') ? 'critical' : 'high'
}
