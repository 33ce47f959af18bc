// SPDX-License-Identifier: Apache-2.0
import { formatIntegrity, type Version } from '@holdfast/core'
import type { Ingested, Mirror, UpstreamVersion } from '../../catalog/index.ts'
import type { KeptAttestations, KnownMirror, Ports } from '../../ports.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { ago } from '../part/format.ts'
import { buildFacts, provenanceWords } from '../part/provenance.ts'
import type {
  PackageWords,
  SecurityWords,
  ShownPackage,
  ShownVersion,
  UpstreamEvidence,
} from './package-read.ts'
import { sourceWords } from './package-source.ts'

/** What an upstream says of a package and of one version, and what came in of it. */
export async function readMirrored(
  { store, documents }: Ports,
  mirror: Mirror,
  version: Version | undefined,
): Promise<PackageWords> {
  const { name, description } = mirror
  const about = { description, people: [], removedAt: null }
  if (version === undefined) return { ...about, readme: '', selected: undefined, manifest: {} }
  const { readme, manifest } = await documents.getWords(mirror, version)
  const told = mirror.versions.find(each => each.version === version)
  const bytes = await store.mirrors.findIngested(name, version)
  const found = bytes?.origin === mirror.origin ? bytes : undefined
  const attested = found && (await store.provenance.find(name, version))
  return { ...about, readme, selected: showMirrored(version, told, found, attested), manifest }
}

function showMirrored(
  version: Version,
  told: UpstreamVersion | undefined,
  found: Ingested | undefined,
  attested: KeptAttestations | undefined,
): ShownVersion {
  return {
    version,
    publishedAt: told?.publishedAt ?? found?.publishedAt ?? 0,
    publisher: told === undefined || told.publisher === '' ? '' : ` by ${told.publisher}`,
    digest: found?.digest ?? told?.digest,
    shasum: found?.shasum ?? told?.shasum ?? '',
    sizeBytes: found?.sizeBytes ?? 0,
    unpackedSizeBytes: told?.unpackedSizeBytes ?? 0,
    fileCount: told?.fileCount ?? 0,
    hasInstallScript: told?.hasInstallScript === true || found?.hasInstallScript === true,
    evidence: {
      kind: 'upstream',
      signature: told?.signature ?? 'unverified',
      provenance: told?.provenance ?? 'none',
      isWithdrawn: told === undefined,
      ingestedAt: found?.ingestedAt ?? null,
      attested: attested?.finding,
    },
  }
}

const signatures: Readonly<Record<UpstreamVersion['signature'], Markup>> = {
  verified: html`${badge('verified', 'good', '✓')} <span class="small">the upstream’s, over name, version and digest; this registry signs it again</span>`,
  unverified: html`${badge('not checked yet')} <span class="small">it is before the bytes go out</span>`,
  broken: html`${badge('does not hold', 'bad', '✕')} <span class="small">the upstream’s keys did not make it, or over something else</span>`,
  missing: html`${badge('missing', 'warn', '!')} <span class="small">though the upstream signs others</span>`,
  'no-keys': html`${badge('none')} <span class="small">the upstream publishes no keys; this registry signs what it gives out</span>`,
}

const provenances: Readonly<Record<UpstreamVersion['provenance'], Markup>> = {
  broken: html`${badge('does not hold', 'bad', '✕')}`,
  none: html`${badge('none told')}`,
  provenance: html`${badge('told')} <span class="small">the upstream has an attestation; nobody verified it here</span>`,
  'trusted-publisher': html`${badge('trusted publisher told')} <span class="small">the upstream’s word; nobody verified it here</span>`,
}

/** What is known of a version of an upstream: which of it was verified here, and which is the upstream's word. */
export function mirrorSecurity(
  shown: ShownPackage,
  selected: ShownVersion,
  evidence: UpstreamEvidence,
  now: number,
): SecurityWords {
  const { attested } = evidence
  const build = attested?.kind === 'verified' ? attested.build : undefined
  const word = build === undefined ? badge('not verified') : badge('attested', 'good', '✓')
  return {
    build:
      build === undefined
        ? html`<p>Published at ${shown.origin}${selected.publisher}. Nobody here verified who built it.</p>`
        : buildFacts(build),
    source: sourceWords(shown, build),
    integrity: mirrorIntegrity(selected, evidence, now),
    attestation: attested === undefined ? provenances[evidence.provenance] : provenanceWords(attested),
    details: mirrorDetails(selected),
    brief: {
      build: word,
      source: build === undefined ? badge('only declared') : word,
      integrity: evidence.ingestedAt === null ? badge('not here yet') : badge('checked', 'good', '✓'),
    },
  }
}

function mirrorIntegrity(
  { hasInstallScript }: ShownVersion,
  { ingestedAt, isWithdrawn, signature }: UpstreamEvidence,
  now: number,
): Markup {
  const said =
    ingestedAt === null ? 'the upstream’s word; nobody looked into its bytes yet' : 'in its bytes too'
  return html`<dl class="facts">
${isWithdrawn ? nothing : html`<dt>Signature</dt><dd>${signatures[signature]}</dd>`}
<dt>Install scripts</dt><dd>${hasInstallScript ? badge('runs scripts', 'warn', '!') : html`${badge('none', ingestedAt === null ? 'plain' : 'good', ingestedAt === null ? '' : '✓')} <span class="small">${said}</span>`}</dd>
<dt>Bytes</dt><dd>${ingestedAt === null ? html`${badge('not here yet')} <span class="small">checked against the digest when they come in</span>` : html`${badge('checked', 'good', '✓')} <span class="small">against the upstream’s digest, when they came in ${ago(ingestedAt, now)}</span>`}</dd>
</dl>`
}

function mirrorDetails({ digest, shasum }: ShownVersion): Markup {
  return html`<dl class="facts long">
${digest === undefined ? nothing : html`<dt>Integrity</dt><dd><code>${formatIntegrity(digest)}</code></dd>`}
${shasum === '' ? nothing : html`<dt>SHA-1 (old clients)</dt><dd><code>${shasum}</code></dd>`}
</dl>`
}

const answers: Readonly<Record<KnownMirror['warning'], string>> = {
  '': '',
  stale: ', and is being asked again',
  'not-revalidated': '; it does not answer now',
}

/** Which registry a package lives in, and when that was last asked about it. */
export function mirrorOrigin({ known, origin }: ShownPackage, now: number): Markup {
  if (known === undefined) return nothing
  const { mirror, warning } = known
  return html`<dt>Upstream</dt><dd>${origin} <span class="small">asked ${ago(mirror.checkedAt, now)}${answers[warning]}</span></dd>
${mirror.isGone ? html`<dt>There</dt><dd>${badge('gone', 'bad', '✕')}</dd>` : nothing}`
}
