// SPDX-License-Identifier: Apache-2.0
/** Versions that come from elsewhere, one at a time: read, hashed, inspected and held against what is said of them. */
import {
  type Digest,
  type DistTag,
  type LoggedVersion,
  type PackageName,
  parseIntegrity,
  parsePackageName,
  parseVersion,
  problem,
  type Version,
} from '@holdfast/core'
import type { Access } from '../catalog/index.ts'
import {
  checkManifestAgrees,
  defaultInspectLimits,
  type Inspection,
  inspectTarball,
} from '../integrity/index.ts'
import type { BlobWriter, Ports, WrittenBytes } from '../ports.ts'
import { refuseTokens } from './leak.ts'
import { checkClaims, type Upload } from './publish.ts'

type Manifest = Readonly<Record<string, unknown>>

/** A tarball from elsewhere. `read` may be called once; it throws a problem when the bytes cannot be had. */
export interface Arrival {
  /** Where it lies, for the report. */
  readonly source: string
  readonly publishedAt: number
  read(): AsyncIterable<Uint8Array>
  /** What its old registry says of it; without that the tarball speaks for itself. */
  readonly told?: Told
  /** What its proof says it is; anything else is refused. */
  readonly proven?: Pick<LoggedVersion, 'name' | 'version' | 'digest'>
}

/** What an old registry says of a version: checked like a client's claims. */
export interface Told {
  readonly name: PackageName
  readonly version: Version
  readonly manifest: Manifest
  readonly integrity: string
  readonly shasum: string
  readonly deprecated: string
  readonly readme: string | undefined
  /** The tags that point at it. */
  readonly tags: readonly DistTag[]
  /** Logins of those who looked after it. */
  readonly maintainers: readonly string[]
}

/** A version that may go in: everything about it is checked, and its bytes wait to be kept. */
export interface Checked {
  readonly arrival: Arrival
  readonly upload: Upload
  readonly bytes: WrittenBytes
  readonly inspection: Inspection
}

/** The same bytes are here already, under this name and version. */
export interface AlreadyHere {
  readonly arrival: Arrival
  readonly here: { readonly name: PackageName; readonly version: Version }
}

/** Reads and checks one arrival; throws a problem for what must not go in, and then keeps nothing of it. */
export async function checkArrival(
  ports: Ports,
  arrival: Arrival,
  access: Access,
): Promise<Checked | AlreadyHere> {
  const { told } = arrival
  // Bytes that are here by the digest its registry names need not come again.
  const named = told === undefined ? undefined : parseIntegrity(told.integrity)
  if (told !== undefined && named !== undefined && (await isHere(ports, told.name, told.version, named)))
    return { arrival, here: told }
  const tarball = await ports.blobs.begin()
  try {
    const checked = await check(ports, arrival, access, tarball)
    if (!('upload' in checked)) await tarball.discard()
    return checked
  } catch (error) {
    await tarball.discard()
    throw error
  }
}

async function check(
  ports: Ports,
  arrival: Arrival,
  access: Access,
  tarball: BlobWriter,
): Promise<Checked | AlreadyHere> {
  await receive(arrival, tarball, ports.config.maxTarballBytes)
  const { told } = arrival
  if (told !== undefined && (await isHere(ports, told.name, told.version, tarball.digests().digest))) {
    return { arrival, here: told }
  }
  const limits = {
    ...defaultInspectLimits,
    maxInflatedBytes: ports.config.maxUnpackedBytes,
    maxFilesListed: 0,
  }
  const inspection = await inspectTarball(tarball.read(), limits)
  const said = told ?? speakForItself(inspection.manifest)
  const upload: Upload = {
    ...said,
    access,
    tag: 'latest' as DistTag,
    tarball,
    publishedAt: arrival.publishedAt,
  }
  const bytes = checkClaims(upload)
  checkProven(arrival, said, bytes.digest)
  checkManifestAgrees(inspection.manifest, said.manifest)
  await refuseTokens(ports, said, inspection.tokens)
  if (told === undefined && (await isHere(ports, said.name, said.version, bytes.digest)))
    return { arrival, here: said }
  return { arrival, upload, bytes, inspection }
}

function checkProven(
  { proven, source }: Arrival,
  { name, version }: Pick<Told, 'name' | 'version'>,
  digest: Digest,
): void {
  if (proven === undefined) return
  if (proven.name === name && proven.version === version && proven.digest === digest) return
  throw problem('bundle-refused', {
    why: `${source} is not the ${proven.name}@${proven.version} that its proof speaks of`,
  })
}

async function receive(arrival: Arrival, tarball: BlobWriter, limit: number): Promise<void> {
  let size = 0
  for await (const chunk of arrival.read()) {
    size += chunk.length
    if (size > limit) throw problem('body-too-large', { limit })
    await tarball.write(chunk)
  }
}

/** Whether these bytes are here already; throws `version-exists` when others are: they never change. */
async function isHere(ports: Ports, name: PackageName, version: Version, digest: Digest): Promise<boolean> {
  const found = await ports.store.catalog.findVersion(name, version)
  if (found === undefined) return false
  if (found.digest !== digest) throw problem('version-exists', { name, version })
  return true
}

/** A tarball without a registry's record: its package.json. */
function speakForItself(inTarball: Manifest): Omit<Told, 'tags' | 'maintainers'> {
  const name = parsePackageName(text(inTarball['name']).trim())
  // As npm cleans it before it publishes: `v1.2.3+build` is 1.2.3.
  const version = parseVersion(
    text(inTarball['version'])
      .trim()
      .replace(/^[v=\s]+/, '')
      .replace(/\+[\w.-]+$/, ''),
  )
  return {
    name,
    version,
    manifest: { ...inTarball, name, version },
    integrity: '',
    shasum: '',
    deprecated: '',
    readme: undefined,
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
