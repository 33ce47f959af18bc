// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { formatIntegrity, type PackageName, type Version } from '@holdfast/core'
import { decide, type Ingested, type UpstreamVersion, type VersionFacts } from '../../catalog/index.ts'
import { installFields, type PackageView, signMirror, type Viewing } from '../../flow/index.ts'
import type { DocumentForm, KnownMirror, OwnSignatures, Ports } from '../../ports.ts'
import { type DocumentJob, formatOwnWords, type VersionJob } from './mirror-press.ts'
import { formatRev, iso, restrictionsText, tarballUrl } from './packument.ts'

/** What the upstream's word is good enough for. */
const keptFields = installFields.filter(field => field !== 'hasInstallScript')

const linesAtOnce = 256

/** What it takes to make a document of an upstream package. */
export type MirrorMaking = Viewing & Pick<Ports, 'signer'>

/** A look at a package that lives in an upstream. */
export type MirrorView = PackageView & { readonly known: KnownMirror }

/** Names what a document shows without making it: everything that decides on one of its bytes, with the key of our signatures. */
export function mirrorEtag(view: MirrorView, form: DocumentForm, publicUrl: string, keyId: string): string {
  const hash = createHash('sha256').update(`${publicUrl} ${keyId}\n${JSON.stringify([...view.tags])}\n`)
  for (const { version, status, reason, rule, deprecated } of view.versions)
    hash.update(`${version} ${status} ${JSON.stringify([reason, rule, deprecated])}\n`)
  return `W/"${view.revision}-${form}-${hash.digest('base64url').slice(0, 27)}"`
}

/** What the press needs for a document: the manifests as they are kept, and beside them only what is ours to say. */
export async function describeDocument(
  ports: MirrorMaking,
  publicUrl: string,
  view: MirrorView,
  form: DocumentForm,
): Promise<DocumentJob> {
  const { mirror } = view.known
  const { source, words } = await openWords(ports, publicUrl, view)
  const facts = new Map(view.versions.map(each => [each.version, each]))
  const times: [string, string][] = []
  const versions = inPieces(mirror.versions, version => {
    const judged = facts.get(version.version)
    const decision = judged && decide(judged)
    if (!decision?.listed) return ''
    times.push([version.version, iso(version.publishedAt)])
    return formatOwnWords(version.version, words(version, decision.deprecated, form))
  })
  const tags = Object.fromEntries(view.tags)
  const time = { created: iso(view.createdAt), modified: iso(view.modifiedAt), ...Object.fromEntries(times) }
  const shared = { name: view.name, 'dist-tags': tags, time }
  return {
    kind: 'document',
    source,
    form,
    head:
      form === 'full'
        ? { _id: view.name, _rev: formatRev(view.revision), ...shared }
        : { modified: iso(view.modifiedAt), ...shared },
    versions,
    fields: form === 'full' ? undefined : keptFields,
    tail: restrictionsText(publicUrl, view),
  }
}

/** Lines as bytes, a few hundred at a time: thousands of texts would outlive the young generation and then be copied. */
function inPieces<Each>(
  list: readonly Each[],
  lineOf: (each: Each) => string,
): readonly Uint8Array<ArrayBuffer>[] {
  const pieces: Uint8Array<ArrayBuffer>[] = []
  for (let at = 0; at < list.length; at += linesAtOnce)
    pieces.push(
      new Uint8Array(
        Buffer.from(
          list
            .slice(at, at + linesAtOnce)
            .map(lineOf)
            .join('\n'),
        ),
      ),
    )
  return pieces
}

/** The same for one version object. */
export async function describeVersion(
  ports: MirrorMaking,
  publicUrl: string,
  view: MirrorView,
  facts: VersionFacts,
): Promise<VersionJob | undefined> {
  const { source, words } = await openWords(ports, publicUrl, view)
  const index = view.known.mirror.versions.findIndex(each => each.version === facts.version)
  const version = view.known.mirror.versions[index]
  if (version === undefined) return undefined
  return { kind: 'version', source, index, text: words(version, decide(facts).deprecated, 'full') }
}

type Words = (version: UpstreamVersion, deprecated: string, form: DocumentForm) => string

/** What is kept of a package beside its facts, and how our own words on one of its versions read. */
async function openWords(
  ports: MirrorMaking,
  publicUrl: string,
  { name, known }: MirrorView,
): Promise<{ source: Uint8Array; words: Words }> {
  const source = (await ports.store.mirrors.findSource(name)) ?? new Uint8Array()
  const ingested = new Map((await ports.store.mirrors.listIngested(name)).map(each => [each.version, each]))
  const signatures = await signMirror(ports, known.mirror, ingested)
  const { keyId } = ports.signer
  const words: Words = (version, deprecated, form) => {
    const dist = distOf(publicUrl, name, version, ingested, signatures, keyId)
    const user = form === 'full' ? userOf(version) : undefined
    return JSON.stringify({
      dist,
      ...(form === 'corgi' && version.hasInstallScript ? { hasInstallScript: true } : {}),
      ...(deprecated === '' ? {} : { deprecated }),
      ...(user === undefined ? {} : { _npmUser: user }),
    })
  }
  return { source, words }
}

/** Ours: address and signature. A SHA-512 that the upstream does not tell is the one of the bytes that came in. */
function distOf(
  publicUrl: string,
  name: PackageName,
  version: UpstreamVersion,
  ingested: ReadonlyMap<Version, Ingested>,
  signatures: OwnSignatures,
  keyid: string,
): Record<string, unknown> {
  const pinned = ingested.get(version.version)
  const digest = version.digest ?? pinned?.digest
  const shasum = version.shasum === '' ? pinned?.shasum : version.shasum
  const sig = digest && signatures.get(digest)
  return {
    ...(digest === undefined ? {} : { integrity: formatIntegrity(digest) }),
    ...(shasum === undefined ? {} : { shasum }),
    tarball: tarballUrl(publicUrl, name, version.version),
    ...(version.fileCount === 0 ? {} : { fileCount: version.fileCount }),
    ...(version.unpackedSizeBytes === 0 ? {} : { unpackedSize: version.unpackedSizeBytes }),
    ...(sig === undefined ? {} : { signatures: [{ keyid, sig }] }),
  }
}

/** pnpm's trust policy counts a trusted publisher for more than a name; an attestation npm cannot verify is not shown. */
function userOf({ publisher, provenance }: UpstreamVersion): Record<string, unknown> | undefined {
  if (publisher === '' && provenance !== 'trusted-publisher') return undefined
  const user = { name: publisher, email: '' }
  return provenance === 'trusted-publisher' ? { ...user, trustedPublisher: { id: 'upstream' } } : user
}
