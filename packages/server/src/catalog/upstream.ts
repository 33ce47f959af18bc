// SPDX-License-Identifier: Apache-2.0
/** What is kept of packages that live in an upstream registry. Hosted packages and these share no table: a name has one origin. */
import type { Digest, DistTag, NamePattern, PackageName, Status, Version } from '@holdfast/core'

/** The name of an upstream registry in the configuration; `hosted` is this instance itself. */
export type OriginName = string

/** Where names of one pattern come from. */
export interface NameRoute {
  readonly pattern: NamePattern
  readonly origin: OriginName
}

/** What a policy may ask of a version beyond its age; of an upstream's version as its registry tells it. */
export interface VersionTraits {
  /** Since when this version can have been known to anybody, for rules about age: never earlier than `publishedAt`. */
  readonly knownSince: number
  /** SHA-512 of the bytes; undefined where an upstream tells only a SHA-1 and nobody has fetched them yet. */
  readonly digest: Digest | undefined
  /** An install runs code of the package: a script, or a `binding.gyp`. */
  readonly hasInstallScript: boolean
  /**
   * Of the upstream's own signature over name, version and digest; `no-keys` where the upstream publishes none, `unverified`
   * where there is one that nobody looked at yet.
   */
  readonly signature: 'verified' | 'unverified' | 'broken' | 'missing' | 'no-keys'
  /** The strongest evidence of where it was built, as the document tells it; `broken` where its bytes came in and it does not hold. */
  readonly provenance: 'broken' | 'none' | 'provenance' | 'trusted-publisher'
  /** Who published it there; empty when nobody says. */
  readonly publisher: string
  /** What an install brings along: names, optional ones and peers included; `name@address` where it is no range of that name. */
  readonly dependencies: readonly string[]
}

/** One version in an upstream's packument: everything but its manifest. */
export interface UpstreamVersion extends VersionTraits {
  readonly version: Version
  /** The upstream's own time; where it tells none or one in the future, when it was first seen here. */
  readonly publishedAt: number
  readonly deprecated: string
  /** SHA-1, 40 hex characters; empty where the upstream tells none. */
  readonly shasum: string
  /** Where the upstream says the tarball lies: an address on the origin's own host, checked when it was read. */
  readonly tarball: string
  /** This and the next are 0 where the upstream does not tell. */
  readonly unpackedSizeBytes: number
  readonly fileCount: number
  /** The upstream's `dist.signatures` as JSON text, kept as evidence; empty for none. */
  readonly upstreamSignatures: string
  /** The attestation's address on the origin's own host; empty for none. */
  readonly attestations: string
}

/** One package of an upstream, as it was last told. */
export interface Mirror {
  readonly name: PackageName
  readonly origin: OriginName
  /** Moves with every change of anything its documents show. */
  readonly revision: number
  /** Validators of the upstream's answer, empty for none. */
  readonly etag: string
  readonly lastModified: string
  /** When the upstream last confirmed or changed it. */
  readonly checkedAt: number
  /** When its whole answer was last read: between two such times only its word says that nothing changed. */
  readonly readWholeAt: number
  readonly changedAt: number
  /** When somebody last asked for it; moved at most once an hour. */
  readonly usedAt: number
  /** The upstream says that there is no such package (any more); what is cached stays as evidence. */
  readonly isGone: boolean
  readonly description: string
  readonly createdAt: number
  readonly modifiedAt: number
  readonly tags: ReadonlyMap<DistTag, Version>
  /** In the order of publication. */
  readonly versions: readonly UpstreamVersion[]
  /** What it lists beside them and is not believed, a hundred at most. */
  readonly leftOut: readonly LeftOut[]
}

/** A version that an upstream lists and that is not believed. */
export interface LeftOut {
  /** As it stands there, shortened: it need not be a version at all. */
  readonly version: string
  /** In words. */
  readonly why: string
}

/** A version whose bytes came in, checked: one digest for ever. */
export interface Ingested {
  readonly package: PackageName
  readonly version: Version
  readonly origin: OriginName
  readonly digest: Digest
  readonly shasum: string
  readonly sizeBytes: number
  /** Found in the bytes, whatever the upstream's document says. */
  readonly hasInstallScript: boolean
  /** As the upstream told it when the bytes came in: what it withdraws later keeps its place among the others. */
  readonly publishedAt: number
  readonly ingestedAt: number
  readonly lastUsedAt: number
  /**
   * Of the attestations that its document promised: `none` where it promised none, `due` where they are still to be had,
   * `unverified` where they are kept and nobody could verify them.
   */
  readonly provenance: 'none' | 'due' | 'unverified' | 'verified' | 'broken'
}

/** What people or reconciliation decided about an upstream's version, over whatever its registry says. */
export interface UpstreamMeasure {
  readonly package: PackageName
  readonly version: Version
  /** `live` where a person let go what would be contained. */
  readonly status: Extract<Status, 'held' | 'quarantined' | 'live'>
  readonly reason: string
  readonly at: number
}
