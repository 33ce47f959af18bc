// SPDX-License-Identifier: Apache-2.0
import {
  type Digest,
  type DistTag,
  newestVersion,
  type PackageName,
  parseVersion,
  problem,
  statusTable,
  type Version,
} from '@holdfast/core'
import {
  type Access,
  type Decision,
  decide,
  nextAllowed,
  type OriginName,
  type PackagePerson,
  type UpstreamVersion,
  type VersionFacts,
} from '../../catalog/index.ts'
import { type PackageView, viewPackage } from '../../flow/index.ts'
import type { ProvenanceFinding } from '../../integrity/index.ts'
import type { KnownMirror, Ports } from '../../ports.ts'
import type { Markup } from '../markup.ts'
import { readHosted } from './package-hosted.ts'
import { readMirrored } from './package-mirror.ts'

/** One line of a package.json's dependencies. */
export interface Dependency {
  readonly name: string
  readonly range: string
}

export interface Dependencies {
  readonly runtime: readonly Dependency[]
  readonly optional: readonly Dependency[]
  readonly peer: readonly Dependency[]
  readonly development: readonly Dependency[]
}

/** What is known of a package beyond its view, wherever it lives. */
export interface PackageWords {
  readonly description: string
  /** Markdown, as its publisher wrote it; empty for none. */
  readonly readme: string
  readonly people: readonly PackagePerson[]
  /** When the whole package was unpublished. */
  readonly removedAt: number | null
  /** The version shown; undefined when there is none to show. */
  readonly selected: ShownVersion | undefined
  readonly manifest: Readonly<Record<string, unknown>>
}

/** The version that a page shows. */
export interface ShownVersion {
  readonly version: Version
  readonly publishedAt: number
  /** Who published it, in words that follow the time; empty where nobody says. */
  readonly publisher: string
  /** Undefined where nobody told and nobody fetched it yet. */
  readonly digest: Digest | undefined
  /** SHA-1, 40 hex characters; empty where nobody told. */
  readonly shasum: string
  /** 0 where it is not known, as the next two. */
  readonly sizeBytes: number
  readonly unpackedSizeBytes: number
  readonly fileCount: number
  readonly hasInstallScript: boolean
  readonly evidence: HostedEvidence | UpstreamEvidence
}

/** What is known of where a version comes from, in the parts that its page shows. */
export interface SecurityWords {
  readonly build: Markup
  readonly source: Markup
  readonly integrity: Markup
  /** The whole statement: it also stands beside the content. */
  readonly attestation: Markup
  /** Digests and signatures. */
  readonly details: Markup
  /** A word for each, for the column beside the content. */
  readonly brief: { readonly build: Markup; readonly source: Markup; readonly integrity: Markup }
}

/** What stands behind a version that was published here. */
export interface HostedEvidence {
  readonly kind: 'hosted'
  /** JSON text of `dist.signatures`. */
  readonly signatures: string
  /** The token of the CI job that published it; empty when a person did. */
  readonly jobTokenId: string
  /** What came with it to prove where it was built; undefined where nothing did. */
  readonly attested: ProvenanceFinding | undefined
}

/** What an upstream says of a version, and what was found of it here. */
export interface UpstreamEvidence extends Pick<UpstreamVersion, 'signature' | 'provenance'> {
  readonly kind: 'upstream'
  /** The upstream offers it no longer. */
  readonly isWithdrawn: boolean
  /** When its bytes came in, checked; null while they did not. */
  readonly ingestedAt: number | null
  /** What its attestations were found to be; undefined where none are kept. */
  readonly attested: ProvenanceFinding | undefined
}

/** A package as its page shows it, the gate asked. */
export interface ShownPackage extends PackageWords {
  readonly name: PackageName
  readonly origin: OriginName
  readonly access: Access
  readonly revision: number
  /** What its upstream last said; undefined where it is hosted here. */
  readonly known: KnownMirror | undefined
  /** Versions that may be mentioned, newest first: what is pending or staged does not exist yet. */
  readonly facts: readonly VersionFacts[]
  readonly tags: ReadonlyMap<DistTag, Version>
  /** The version the address asked for, as it asked; empty for the default one. */
  readonly asked: string
  readonly decision: Decision | undefined
  readonly dependencies: Dependencies
  /** What to use instead of a version that cannot be used. */
  readonly next: Version | undefined
  readonly isUnpublished: boolean
  tagsOf(version: Version): readonly DistTag[]
}

/** Reads what the page needs; `asked` is a version, a tag, or empty. Throws `package-not-found`, `version-not-found`. */
export async function readShownPackage(
  ports: Ports,
  name: PackageName,
  asked: string,
): Promise<ShownPackage> {
  const view = await viewPackage(ports, name)
  if (view === undefined) throw problem('package-not-found', { name })
  const facts = view.versions.filter(isMentioned).toReversed()
  const version = choose(view, asked, facts)
  const words =
    view.known === undefined
      ? await readHosted(ports, name, version)
      : await readMirrored(ports, view.known.mirror, version)
  // Nothing of it may be mentioned yet: to outsiders the package does not exist.
  if (facts.length === 0 && words.removedAt === null) throw problem('package-not-found', { name })
  const judged = facts.find(each => each.version === version)
  const { origin, access, revision, known, tags } = view
  return {
    ...words,
    ...{ name, origin, access, revision, known, facts, tags, asked },
    decision: judged && decide(judged),
    dependencies: dependenciesOf(words.manifest),
    next: version && nextAllowed(view.versions, version),
    isUnpublished: words.removedAt !== null && facts.every(each => each.status === 'removed'),
    tagsOf: version => [...tags].filter(([, target]) => target === version).map(([tag]) => tag),
  }
}

function isMentioned(facts: VersionFacts): boolean {
  return statusTable[decide(facts).status].httpStatus !== 404
}

function choose(
  { name, tags }: PackageView,
  asked: string,
  facts: readonly VersionFacts[],
): Version | undefined {
  if (asked === '') return tags.get('latest' as DistTag) ?? newestVersion(facts.map(each => each.version))
  const version = tags.get(asked as DistTag) ?? parseVersion(asked)
  if (!facts.some(each => each.version === version)) throw problem('version-not-found', { name, version })
  return version
}

function dependenciesOf(manifest: Readonly<Record<string, unknown>>): Dependencies {
  const optional = listOf(manifest['optionalDependencies'])
  // npm repeats optional dependencies among the others.
  const isOptional = new Set(optional.map(each => each.name))
  return {
    runtime: listOf(manifest['dependencies']).filter(each => !isOptional.has(each.name)),
    optional,
    peer: listOf(manifest['peerDependencies']),
    development: listOf(manifest['devDependencies']),
  }
}

function listOf(value: unknown): Dependency[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).map(([name, range]) => ({ name, range: String(range) }))
}
