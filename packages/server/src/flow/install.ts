// SPDX-License-Identifier: Apache-2.0
import { type Digest, type PackageName, problem, tarballFileName, type Version } from '@holdfast/core'
import { decide, type PackageVersion, refuse, type VersionFacts } from '../catalog/index.ts'
import { type Actor, authorize } from '../identity/index.ts'
import type { DocumentForm, Ports, ReadyDocument } from '../ports.ts'
import { openPackage } from './package.ts'
import { listFacts, viewVersion } from './view.ts'

/** The packument for somebody who may read it. Throws `package-not-found`, `unauthenticated`. */
export async function readDocument(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  form: DocumentForm,
): Promise<ReadyDocument> {
  await authorize(ports, actor, 'package:read', name)
  const document = await ports.documents.get(name, form)
  if (document === undefined) throw problem('package-not-found', { name })
  return document
}

/** What goes out for a tarball's address. */
export interface TarballGrant {
  readonly name: PackageName
  readonly version: Version
  readonly digest: Digest
  readonly sizeBytes: number
  readonly access: 'public' | 'restricted'
  /** Shown beside the bytes of a yanked version. */
  readonly notice: string
  /** When the gate may answer otherwise without an event, in milliseconds since the epoch, or null. */
  readonly validUntil: number | null
}

/** Asks the gate for one tarball. Throws the status's problem when it is closed: the policy holds here as in packuments. */
export async function openTarball(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  fileName: string,
): Promise<TarballGrant> {
  const { known } = await openPackage(ports, actor, 'package:read', name)
  const found = await findByFile(ports, name, fileName)
  const facts = await viewVersion(ports, found)
  const decision = decide(facts)
  if (!decision.served) throw refuse(name, facts, await listFacts(ports, name))
  const notice = decision.status === 'yanked' ? decision.deprecated : ''
  const { version, digest, sizeBytes } = found
  return { name, version, digest, sizeBytes, access: known.access, notice, validUntil: facts.until }
}

/** One version for a version endpoint, through the same gate. */
export async function readVersion(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  version: Version,
): Promise<{ readonly found: PackageVersion; readonly facts: VersionFacts }> {
  await openPackage(ports, actor, 'package:read', name)
  const found = await ports.store.catalog.findVersion(name, version)
  if (found === undefined) throw problem('version-not-found', { name, version })
  const facts = await viewVersion(ports, found)
  if (!decide(facts).listed) throw refuse(name, facts, await listFacts(ports, name))
  return { found, facts }
}

/** Notes who fetched what; the batch is written within a second. */
export function noteDownload(
  ports: Ports,
  who: Pick<Actor, 'kind'> | Identified,
  name: PackageName,
  version: Version,
  address: string,
  client: string,
): void {
  const known = 'credential' in who ? who : undefined
  const tokenId = known?.credential.kind === 'token' ? known.credential.id : ''
  ports.downloads.add({ package: name, version, accountId: known?.id ?? '', tokenId, address, client })
}

type Identified = Pick<Extract<Actor, { kind: 'person' | 'job' | 'robot' }>, 'kind' | 'id' | 'credential'>

async function findByFile(ports: Ports, name: PackageName, fileName: string): Promise<PackageVersion> {
  const prefix = tarballFileName(name, '' as Version).replace(/\.tgz$/, '')
  const version =
    fileName.startsWith(prefix) && fileName.endsWith('.tgz') ? fileName.slice(prefix.length, -4) : ''
  const found = version === '' ? undefined : await ports.store.catalog.findVersion(name, version as Version)
  if (found === undefined)
    throw problem('version-not-found', { name, version: version === '' ? fileName : version })
  return found
}
