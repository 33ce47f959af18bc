// SPDX-License-Identifier: Apache-2.0
import { type DistTag, matchesName, type PackageName, type Version } from '@holdfast/core'
import {
  type Access,
  fallbackTags,
  type OriginName,
  type PackageVersion,
  settle,
  type VersionFacts,
} from '../catalog/index.ts'
import type { KnownMirror, Ports } from '../ports.ts'

/** What it takes to look at a package. */
export type Viewing = Pick<Ports, 'store' | 'clock' | 'upstreams' | 'mirrors'>

/** A package as everybody sees it now: the policy was asked about each of its versions. */
export interface PackageView {
  readonly name: PackageName
  readonly origin: OriginName
  readonly access: Access
  readonly revision: number
  readonly createdAt: number
  readonly modifiedAt: number
  /** Tags as readers see them: never at what does not resolve. */
  readonly tags: ReadonlyMap<DistTag, Version>
  /** In the order of publication, removed ones included. */
  readonly versions: readonly VersionFacts[]
  readonly policyVersion: number
  /** When a verdict changes by itself, in milliseconds since the epoch, or null. */
  readonly validUntil: number | null
  /** What its upstream says of it; undefined for a package that is hosted here. */
  readonly known: KnownMirror | undefined
}

/**
 * The one way to look at a package: whatever shows or serves a version asks here, so that no path can forget the policy.
 * Says nothing of who may read it. Undefined when there is no such package.
 */
export async function viewPackage(ports: Viewing, name: PackageName): Promise<PackageView | undefined> {
  const { catalog } = ports.store
  const known = await catalog.findPackage(name)
  if (known === undefined) return viewMirror(ports, name)
  const versions = (await catalog.listKeptFacts(name)).map(settle)
  return {
    name,
    origin: 'hosted',
    access: known.access,
    revision: known.revision,
    createdAt: known.createdAt,
    modifiedAt: known.modifiedAt,
    tags: fallbackTags(await catalog.listTags(name), versions),
    versions,
    policyVersion: 0,
    validUntil: null,
    known: undefined,
  }
}

/** An upstream's package, unless its name belongs to this registry. */
async function viewMirror(ports: Viewing, name: PackageName): Promise<PackageView | undefined> {
  const [origin] = ports.upstreams.keys()
  const hosted = await ports.store.catalog.listHosted()
  if (origin === undefined || hosted.some(pattern => matchesName(pattern, name))) return undefined
  const known = await ports.mirrors.get(name, origin)
  if (known === undefined) return undefined
  const { mirror } = known
  const versions = mirror.versions.map(({ version, deprecated, publishedAt, ...traits }) =>
    settle({ version, status: 'live', reason: '', deprecated, publishedAt, traits }),
  )
  return {
    name,
    origin,
    access: 'public',
    revision: mirror.revision,
    createdAt: mirror.createdAt,
    modifiedAt: mirror.modifiedAt,
    tags: fallbackTags(mirror.tags, versions),
    versions,
    policyVersion: 0,
    validUntil: null,
    known,
  }
}

/** All versions of a package as everybody sees them; none when there is no such package. */
export async function listFacts(ports: Viewing, name: PackageName): Promise<readonly VersionFacts[]> {
  return (await viewPackage(ports, name))?.versions ?? []
}

/** One hosted version as everybody sees it, without the others where no rule looks at hosted names. */
export async function viewVersion(_ports: Viewing, kept: PackageVersion): Promise<VersionFacts> {
  return settle(kept)
}
