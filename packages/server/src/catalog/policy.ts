// SPDX-License-Identifier: Apache-2.0
/** The policy's shapes: what rules there are, what they ask, what they answer. `judge.ts` is the one that applies them. */
import type { Digest, NamePattern, PackageName, Version } from '@holdfast/core'
import type { OriginName } from './upstream.ts'

/** What a rule does with what it hits: says so, hides it until a person looks, or hides it. */
export type RuleAction = 'warn' | 'hold' | 'block'
/** Counted and shown only, or carried out. */
export type RuleMode = 'monitor' | 'enforce'

/** What a rule looks at. */
export type RuleKind =
  /** Younger than `days`; passes by itself (status `cooling`). Fix-aware. */
  | { readonly kind: 'release-age'; readonly days: number }
  /** A known-bad digest, or an advisory that says malware. Knows no grandfathering. */
  | { readonly kind: 'malware' }
  | { readonly kind: 'advisory'; readonly severity: Severity }
  | { readonly kind: 'install-script' }
  | { readonly kind: 'deprecated' }
  /** No signature, or a broken one, where the upstream publishes keys. */
  | { readonly kind: 'signature'; readonly allow: 'none' | 'missing' }
  /** `required`, or only never weaker than an earlier version of the package. */
  | { readonly kind: 'provenance'; readonly demand: 'required' | 'not-downgraded' }
  /** Published by somebody who published no earlier version of it. */
  | { readonly kind: 'publisher-change' }
  /** The package itself is younger than `days`. */
  | { readonly kind: 'new-name'; readonly days: number }
  /** Likely taken for a well-used name, and younger than `days`. */
  | { readonly kind: 'look-alike'; readonly days: number }
  /** Not among the well-used names of the list the operator gives. */
  | { readonly kind: 'unpopular' }
  /**
   * Screening found what malware does, or could not look: of upstreams in what is young, or new and little used. What is hosted
   * here is held when it is published, and is open or closed by its status from then on.
   */
  | { readonly kind: 'screening' }
  /** Published here against the habits of its package or of whoever publishes, once there are any. */
  | { readonly kind: 'behaviour' }
  /** Denied by name; `versions` as `readVersionRange` takes it. Knows no grandfathering: who says it means it. */
  | { readonly kind: 'deny'; readonly versions: string }
  /** What is not listed here is hit. */
  | { readonly kind: 'allow-only' }

export type Severity = 'low' | 'moderate' | 'high' | 'critical'

/** One rule of the list. */
export type Rule = RuleKind & {
  /** Unique in the policy; the kind where none is given. What people read in refusals. */
  readonly name: string
  readonly action: RuleAction
  readonly mode: RuleMode
  /** Names it looks at, and names it leaves alone. */
  readonly packages: readonly NamePattern[]
  readonly except: readonly NamePattern[]
  /** Origins it looks at; every upstream where the configuration says nothing, and `hosted` only when named. */
  readonly origins: readonly OriginName[] | 'upstreams'
}

/** The list in force. Versioned: each change is an event. */
export interface Policy {
  readonly version: number
  readonly rules: readonly Rule[]
  /** Since when each rule is enforced, by name: what was served here before is left alone by it. */
  readonly enforcedSince: ReadonlyMap<string, number>
}

/** An exception for one version, with an end. */
export interface Waiver {
  readonly id: string
  readonly package: PackageName
  readonly version: Version
  /** The rules it lifts, by name: those that closed the version when it was asked. What closes it later was not looked at. */
  readonly rules: readonly string[]
  /** What those rules went by then, where it may become more: names of advisories, what screening said. */
  readonly grounds: readonly string[]
  readonly reason: string
  readonly state: 'asked' | 'granted' | 'refused' | 'ended'
  readonly askedBy: string
  readonly askedAt: number
  readonly decidedBy: string
  readonly decidedAt: number | null
  /** Milliseconds since the epoch; null while nobody decided. */
  readonly endsAt: number | null
  /** When people were last told that it ends. */
  readonly notifiedAt: number | null
}

/** What is known against versions of a package, or of one content: the minimal advisory table. */
export interface Advisory {
  readonly id: string
  /** The same thing under other names (`CVE-…`). */
  readonly aliases: readonly string[]
  readonly package: PackageName
  /** As `readVersionRange` takes it; `*` for all. */
  readonly range: string
  /** First versions that are mended, as far as the advisory says. */
  readonly fixed: readonly Version[]
  readonly kind: 'vulnerability' | 'malware'
  readonly severity: Severity
  /** The highest of its scores, with the vector that says why; null where it has none. */
  readonly cvss: { readonly score: number; readonly vector: string } | null
  /** Kinds of weakness: `CWE-79`. */
  readonly cwe: readonly string[]
  readonly title: string
  readonly url: string
  /** When it was first told to anybody, and when it last changed, by its own word. */
  readonly publishedAt: number
  readonly modifiedAt: number
  readonly withdrawnAt: number | null
}

/** The well-used name that another is likely taken for, and by what trick. */
export interface Likeness {
  readonly target: string
  readonly technique: string
}

/** Bytes that must not come in, whatever their name. */
export interface BadDigest {
  readonly digest: Digest
  readonly why: string
}

/** One rule's word on one version. */
export interface RuleHit {
  readonly rule: string
  readonly kind: RuleKind['kind']
  readonly action: RuleAction
  /** False where the rule only watches, the version is grandfathered or waived. */
  readonly isEnforced: boolean
  /** In words, for people: why, with the figures that decided. */
  readonly why: string
  /** When it lapses by itself, or null. */
  readonly until: number | null
  /** What it goes by, where that may become more, each under all of its names: a waiver lifts what was known when it was asked. */
  readonly grounds?: readonly (readonly string[])[]
  /** Why it is not carried out. */
  readonly spared?: 'monitor' | 'grandfathered' | 'waived' | 'fix' | 'siblings' | 'established'
}
