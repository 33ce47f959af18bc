// SPDX-License-Identifier: Apache-2.0
/** What the catalog asks of the store: packages, versions, tags and who stands by them. */
import type { Digest, DistTag, NamePattern, PackageName, Status, Version } from '@holdfast/core'
import type { RuleHit } from './policy.ts'
import type { OriginName, VersionTraits } from './upstream.ts'

export type Access = 'public' | 'restricted'

/** `unless-bypassed` lets tokens pass that were made to skip the second factor; `always` lets none. */
export type TfaDemand = 'none' | 'unless-bypassed' | 'always'

/** A package, hosted here. `revision` moves with every change of anything its documents show. */
export interface Package {
  readonly name: PackageName
  readonly access: Access
  readonly description: string
  readonly keywords: readonly string[]
  readonly readme: string
  readonly createdAt: number
  readonly modifiedAt: number
  readonly revision: number
  /** Whether writes need a second factor, whatever the account's own setting. */
  readonly requiresTfa: TfaDemand
  /** How many people approve a version, as it was set last; `approvalsOf` says what is in force. */
  readonly approvals: number
  readonly approvalsBefore: number
  /** From when fewer than before are enough. */
  readonly approvalsFrom: number
  /** When the whole package was unpublished; its name and versions stay taken. */
  readonly removedAt: number | null
}

/** A version as it is kept: where its owner or a responder put it, and what the policy may ask. The policy has not looked yet. */
export interface KeptFacts {
  readonly version: Version
  readonly status: Status
  /** Reason in words, shown to people; empty while live. */
  readonly reason: string
  /** Deprecation message, empty when not deprecated. */
  readonly deprecated: string
  readonly publishedAt: number
  readonly traits: VersionTraits
}

/** A version as the policy sees it now: what the gate answers from. `judge` and `settle` make these, nothing else does. */
export interface VersionFacts extends Omit<KeptFacts, 'traits'> {
  /** Name of the rule that closed it, empty where none did. */
  readonly rule: string
  /** What the policy's rules say of it, the deciding one first. */
  readonly hits: readonly RuleHit[]
  /** When this verdict changes by itself, in milliseconds since the epoch, or null. */
  readonly until: number | null
}

/** A version with everything that was computed when it was published. */
export interface PackageVersion extends KeptFacts {
  readonly package: PackageName
  readonly digest: Digest
  readonly shasum: string
  readonly sizeBytes: number
  readonly unpackedSizeBytes: number
  readonly fileCount: number
  /** JSON text of the full version object without `dist`, `deprecated` and `_npmUser`. */
  readonly manifest: string
  /** JSON text of the abbreviated version object without `dist` and `deprecated`. */
  readonly shortManifest: string
  /** JSON text of `dist.signatures`. */
  readonly signatures: string
  readonly publisherId: string
  /** Publisher's login at the time of reading, empty when the account is gone. */
  readonly publisherLogin: string
  /** Whose CI job published it (`github`), empty when a person did. */
  readonly publisherProvider: string
  readonly tokenId: string
  /** Login of the last who approved it, empty where nobody had to or the account is gone. */
  readonly approverLogin: string
  readonly removedAt: number | null
  /** Of the provenance it was published with; empty where there is none. */
  readonly predicateType: string
  /** Every client can verify that: it was signed under the public Sigstore. */
  readonly isProvenPublicly: boolean
}

/** What `addVersion` writes. */
export type NewVersion = Omit<
  PackageVersion,
  | 'publisherLogin'
  | 'publisherProvider'
  | 'approverLogin'
  | 'removedAt'
  | 'reason'
  | 'deprecated'
  | 'traits'
  | 'predicateType'
  | 'isProvenPublicly'
> & {
  /** The account that approved it last; empty where nobody had to. */
  readonly approverId: string
  readonly deprecated?: string
  readonly dependencies: readonly string[]
  readonly hasInstallScript: boolean
}

export type PackageRole = 'owner' | 'maintainer' | 'triager' | 'reader'

export interface PackagePerson {
  readonly accountId: string
  readonly login: string
  readonly email: string
  readonly role: PackageRole
}

export interface SearchQuery {
  readonly text: string
  /** Only packages this account may see; undefined sees public ones only, `everything` sees all. */
  readonly reader:
    | { readonly kind: 'nobody' }
    | { readonly kind: 'everything' }
    | { readonly kind: 'account'; readonly id: string }
  readonly offset: number
  readonly limit: number
}

export interface SearchHit {
  readonly name: PackageName
  readonly origin: OriginName
  readonly version: Version
  readonly description: string
  readonly keywords: readonly string[]
  readonly modifiedAt: number
  readonly publisherLogin: string
  readonly score: number
  readonly downloads: number
  readonly maintainers: readonly { readonly login: string; readonly email: string }[]
}

export interface CatalogReads {
  /** Whether any package is restricted or ever was: true for ever from then on. */
  wasEverRestricted(): Promise<boolean>
  findPackage(name: PackageName): Promise<Package | undefined>
  /** Those of these that are there. */
  findPackages(names: readonly PackageName[]): Promise<ReadonlyMap<PackageName, Package>>
  /** Any version ever published, removed ones included. */
  findVersion(name: PackageName, version: Version): Promise<PackageVersion | undefined>
  /** All versions, removed ones included, in order of publication, a page at a time. */
  versions(name: PackageName): AsyncIterable<readonly PackageVersion[]>
  /** All versions without their texts, in order of publication. */
  listKeptFacts(name: PackageName): Promise<readonly KeptFacts[]>
  /** Tags as owners set them; the gate decides what is shown. */
  listTags(name: PackageName): Promise<ReadonlyMap<DistTag, Version>>
  listPeople(name: PackageName): Promise<readonly PackagePerson[]>
  /** Logins of those who starred it. */
  listStars(name: PackageName): Promise<readonly string[]>
  listStarredBy(login: string): Promise<readonly PackageName[]>
  /** A package whose name looks like this one. */
  findConfusable(key: string): Promise<PackageName | undefined>
  listHosted(): Promise<readonly NamePattern[]>
  listDependents(name: PackageName, limit: number): Promise<readonly PackageName[]>
  search(query: SearchQuery): Promise<{ total: number; hits: readonly SearchHit[] }>
  /** All names after `after`, in order, for imports, backups and feeds. */
  listNames(after: string, limit: number): Promise<readonly PackageName[]>
  countPackages(): Promise<number>
  listNewest(limit: number): Promise<readonly SearchHit[]>
  /** Packages on which the account has a role of its own, through a team or its organisation. */
  listPackagesOf(accountId: string): Promise<ReadonlyMap<PackageName, PackageRole>>
  /** Packages of a scope, `@acme`. */
  listPackagesOfScope(scope: string): Promise<readonly PackageName[]>
}

export interface CatalogWrites {
  /** Says whether it made it: false where it is there, also when whoever was about to make it has just done so. */
  addPackage(name: PackageName, confusable: string, access: Access, at: number): Promise<boolean>
  /** Throws `version-exists` when the version is or ever was there. */
  addVersion(version: NewVersion): Promise<void>
  /** What the newest publish says of the package as a whole, and its words in the search index. */
  describe(
    name: PackageName,
    about: { description: string; keywords: readonly string[]; readme: string },
  ): Promise<void>
  setTag(name: PackageName, tag: DistTag, version: Version): Promise<void>
  removeTag(name: PackageName, tag: DistTag): Promise<void>
  setDeprecated(name: PackageName, version: Version, message: string): Promise<void>
  /** Replaces the registry's signatures over a version (JSON text). */
  setSignatures(name: PackageName, version: Version, signatures: string): Promise<void>
  /** One, or several at once. */
  setStatus(
    name: PackageName,
    versions: Version | readonly Version[],
    status: Status,
    reason: string,
    at: number,
  ): Promise<void>
  removePackage(name: PackageName, at: number): Promise<void>
  setAccess(name: PackageName, access: Access): Promise<void>
  setRequiresTfa(name: PackageName, required: TfaDemand): Promise<void>
  /** Until `from` the larger of the two numbers is in force. */
  setApprovals(name: PackageName, approvals: number, before: number, from: number): Promise<void>
  setRole(name: PackageName, accountId: string, role: PackageRole | undefined): Promise<void>
  setStar(name: PackageName, accountId: string, starred: boolean): Promise<void>
  addHosted(pattern: NamePattern, at: number): Promise<void>
  removeHosted(pattern: NamePattern): Promise<void>
  /** What `latest` shows and search finds; undefined while nothing may be found. */
  setLatest(name: PackageName, version: Version | undefined): Promise<void>
  /** Moves revision and modification time; throws `revision-conflict` when `expected` is given and is not the present one. */
  touch(name: PackageName, at: number, expected?: number): Promise<number>
}
