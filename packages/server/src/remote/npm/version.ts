// SPDX-License-Identifier: Apache-2.0
/** One version object of an upstream's packument: what we take from it, and why not. All of it is hostile. */
import {
  type Digest,
  excerpt,
  isProblem,
  isShasum,
  type PackageName,
  parseIntegrity,
  parseJson,
  parseVersion,
  type Version,
} from '@holdfast/core'
import type { UpstreamVersion } from '../../catalog/index.ts'

/** What a version object says, before times and signatures are looked at. */
export interface ReadVersion extends Omit<UpstreamVersion, 'signature' | 'publishedAt' | 'knownSince'> {
  /** JSON text of the manifest without what is kept elsewhere, in one line. */
  readonly line: string
}

/** A version that is not believed. */
export class Untrusted extends Error {}

type Members = Readonly<Record<string, unknown>>

const longestManifest = 2 * 1024 * 1024
const mostDependencies = 10_000
const longestText = 1000
const longestSignatures = 4096

/** Reads one; throws `Untrusted` with why. `host` is the origin's, with scheme: the only one whose addresses are taken. */
export function readVersion(name: PackageName, host: URL, key: string, text: string): ReadVersion {
  if (text.length > longestManifest)
    throw new Untrusted(`its manifest has more than ${longestManifest} bytes`)
  const manifest = asMembers(parseOrRefuse(text))
  if (manifest === undefined) throw new Untrusted('it is no object')
  const version = versionOf(key)
  if (manifest['name'] !== name) throw new Untrusted(`it calls itself ${excerpt(manifest['name'])}`)
  if (manifest['version'] !== version)
    throw new Untrusted(`it says that it is version ${excerpt(manifest['version'])}`)
  const dist = asMembers(manifest['dist'])
  if (dist === undefined) throw new Untrusted('it has no dist')
  return {
    version,
    ...bytesOf(dist, host),
    ...trustOf(manifest, dist, host),
    deprecated: deprecationOf(manifest['deprecated']),
    hasInstallScript: runsOnInstall(manifest),
    dependencies: dependenciesOf(manifest),
    unpackedSizeBytes: countOf(dist['unpackedSize']),
    fileCount: countOf(dist['fileCount']),
    line: lineOf(manifest),
  }
}

function parseOrRefuse(text: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    throw new Untrusted(isProblem(error) ? String(error.data['why']) : 'it is not JSON')
  }
}

function versionOf(key: string): Version {
  try {
    return parseVersion(key)
  } catch (error) {
    throw new Untrusted(isProblem(error) ? String(error.data['why']) : 'it is no version')
  }
}

/** What the bytes are said to be. Without any digest, whatever answers at that address would be taken for the package. */
function bytesOf(dist: Members, host: URL): Pick<ReadVersion, 'digest' | 'shasum' | 'tarball'> {
  const digest: Digest | undefined = parseIntegrity(textOf(dist['integrity'], longestSignatures))
  const shasum = textOf(dist['shasum'], 40).toLowerCase()
  if (digest === undefined && !isShasum(shasum)) throw new Untrusted('it has neither a SHA-512 nor a SHA-1')
  const tarball = addressOn(host, dist['tarball'])
  if (tarball === '') throw new Untrusted(`its tarball lies elsewhere: ${excerpt(dist['tarball'])}`)
  return { digest, shasum: isShasum(shasum) ? shasum : '', tarball }
}

function trustOf(
  manifest: Members,
  dist: Members,
  host: URL,
): Pick<ReadVersion, 'upstreamSignatures' | 'attestations' | 'provenance' | 'publisher'> {
  const user = asMembers(manifest['_npmUser'])
  const attested = asMembers(dist['attestations'])
  const signatures = Array.isArray(dist['signatures']) && dist['signatures'].length > 0
  const signed = signatures ? JSON.stringify(dist['signatures']) : ''
  return {
    // What is too long to be kept is still a signature, and one that is not good.
    upstreamSignatures: signed.length > longestSignatures ? '[]' : signed,
    attestations: addressOn(host, attested?.['url']),
    provenance: provenanceOf(user, attested),
    publisher: textOf(user?.['name'], 214),
  }
}

function provenanceOf(user: Members | undefined, attested: Members | undefined): ReadVersion['provenance'] {
  if (asMembers(user?.['trustedPublisher']) !== undefined) return 'trusted-publisher'
  return asMembers(attested?.['provenance']) === undefined ? 'none' : 'provenance'
}

/**
 * The address on the origin's own host, with its scheme; empty for any other. A tarball elsewhere could be a machine in our
 * network, and would get our request from inside it.
 */
function addressOn(host: URL, said: unknown): string {
  const text = textOf(said, 2048)
  if (!URL.canParse(text)) return ''
  const url = new URL(text)
  const isThere =
    /^https?:$/.test(url.protocol) && url.host === host.host && `${url.username}${url.password}` === ''
  // Registries behind a proxy that ends TLS often say http for themselves.
  return isThere ? `${host.origin}${url.pathname}${url.search}` : ''
}

/** npm takes any text, and `true`; the empty text and `false` mean that it is not. */
function deprecationOf(said: unknown): string {
  if (said === true) return 'deprecated'
  return typeof said === 'string' ? said.slice(0, longestText) : ''
}

/** npm says it in `hasInstallScript`; `gypfile` means that npm builds a `binding.gyp` although no script says so. */
function runsOnInstall(manifest: Members): boolean {
  const scripts = asMembers(manifest['scripts']) ?? {}
  return (
    manifest['hasInstallScript'] === true ||
    manifest['gypfile'] === true ||
    ['preinstall', 'install', 'postinstall'].some(each => typeof scripts[each] === 'string')
  )
}

/** What an install brings along: peers too, since npm installs them, and by its address what is not taken from a registry under its name. */
function dependenciesOf(manifest: Members): readonly string[] {
  const wanted = ['dependencies', 'optionalDependencies', 'peerDependencies'].flatMap(each =>
    Object.entries(asMembers(manifest[each]) ?? {}),
  )
  const found = new Set(wanted.map(([name, from]) => (isElsewhere(from) ? `${name}@${from}` : name)))
  if (found.size > mostDependencies) throw new Untrusted(`it has more than ${mostDependencies} dependencies`)
  return [...found]
}

/** An alias (`npm:other@1`), a repository, a file: a range has neither of these signs. */
function isElsewhere(from: unknown): boolean {
  return typeof from === 'string' && /[:/]/.test(from)
}

/** Without what is kept apart, and without the page that old clients left in each version. */
function lineOf({ dist, deprecated, _npmUser, readme, ...kept }: Members): string {
  return JSON.stringify(kept)
}

function countOf(said: unknown): number {
  return Number.isSafeInteger(said) && Number(said) > 0 ? Number(said) : 0
}

/** Text of at most this length; anything else is as good as nothing. */
export function textOf(said: unknown, longest: number): string {
  return typeof said === 'string' && said.length <= longest ? said : ''
}

/** The object, or undefined when it is none. */
export function asMembers(value: unknown): Members | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object(value) : undefined
}
