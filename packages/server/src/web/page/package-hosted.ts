// SPDX-License-Identifier: Apache-2.0
import { formatIntegrity, type PackageName, problem, type Version } from '@holdfast/core'
import type { PackageVersion } from '../../catalog/index.ts'
import { describeJob, findLowered } from '../../flow/index.ts'
import type { BuildFacts, TrustLevel } from '../../integrity/index.ts'
import type { KeptProvenance, Ports } from '../../ports.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { day } from '../part/format.ts'
import { buildFacts, provenanceWords } from '../part/provenance.ts'
import type {
  HostedEvidence,
  PackageWords,
  SecurityWords,
  ShownPackage,
  ShownVersion,
} from './package-read.ts'
import { scriptBadge, sourceWords } from './package-source.ts'

/** What a package that is hosted here says of itself and of one version. Throws `package-not-found`. */
export async function readHosted(
  { store }: Ports,
  name: PackageName,
  version: Version | undefined,
): Promise<PackageWords> {
  const known = await store.catalog.findPackage(name)
  if (known === undefined) throw problem('package-not-found', { name })
  const kept = version && (await store.catalog.findVersion(name, version))
  const { description, readme, removedAt } = known
  return {
    ...{ description, readme, removedAt },
    people: await store.catalog.listPeople(name),
    selected: kept && showHosted(kept, await store.trust.findProvenance(name, kept.version)),
    manifest: kept === undefined ? {} : (JSON.parse(kept.manifest) as Record<string, unknown>),
  }
}

function showHosted(kept: PackageVersion, proven: KeptProvenance | undefined): ShownVersion {
  const { version, publishedAt, digest, shasum, sizeBytes, unpackedSizeBytes, fileCount } = kept
  const isByJob = kept.publisherProvider !== ''
  const person = kept.publisherLogin === '' ? '' : ` by ${kept.publisherLogin}`
  return {
    ...{ version, publishedAt, digest, shasum, sizeBytes, unpackedSizeBytes, fileCount },
    publisher: isByJob ? ' by a CI job' : person,
    hasInstallScript: kept.traits.hasInstallScript,
    evidence: {
      kind: 'hosted',
      signatures: kept.signatures,
      jobTokenId: isByJob ? kept.tokenId : '',
      attested: proven && { kind: 'verified', build: proven.build, root: proven.root },
    },
  }
}

/** What is signed and proved of a version that was published here. */
export async function hostedSecurity(
  ports: Ports,
  shown: ShownPackage,
  selected: ShownVersion,
  evidence: HostedEvidence,
): Promise<SecurityWords> {
  const { attested } = evidence
  const build = attested?.kind === 'verified' ? attested.build : undefined
  const signatures = JSON.parse(evidence.signatures) as readonly { keyid: string; sig: string }[]
  const signed = isSigned(ports, signatures) ? badge('signed', 'good', '✓') : badge('not signed', 'warn', '!')
  const isByJob = evidence.jobTokenId !== ''
  const byWhom = badge(isByJob ? 'by a CI job' : 'by a person')
  return {
    build: build === undefined ? await publishedFrom(ports, evidence) : buildFacts(build),
    source: html`${sourceWords(shown, build)}${await goneWords(ports, build)}`,
    integrity: html`<dl class="facts">
<dt>Signature</dt><dd>${signed} <span class="small">by this registry, over name, version and digest</span></dd>
<dt>Bytes</dt><dd>${badge('checked', 'good', '✓')} <span class="small">against their digest before they go out</span></dd>
<dt>Install scripts</dt><dd>${scriptBadge(selected)}</dd></dl>`,
    attestation: html`${attested === undefined ? nobodyAttests : provenanceWords(attested)}${loweredWords(await findLowered(ports, shown.name, selected.version))}`,
    details: html`<dl class="facts long">
${selected.digest === undefined ? nothing : html`<dt>Integrity</dt><dd><code>${formatIntegrity(selected.digest)}</code></dd>`}
<dt>SHA-1 (old clients)</dt><dd><code>${selected.shasum}</code></dd>
${signatures.map(each => html`<dt>Key</dt><dd><code>${each.keyid}</code></dd><dt>Signature</dt><dd><code>${each.sig}</code></dd>`)}
</dl>`,
    brief: {
      build: build === undefined ? byWhom : badge('attested', 'good', '✓'),
      source: build === undefined ? badge('only declared') : badge('attested', 'good', '✓'),
      integrity: signed,
    },
  }
}

const nobodyAttests = html`${badge('none')} <span class="small">nobody attests where and how this version was built. Whoever published it could have built it from anything.</span>`

/** What nobody can read any more was still built from there. */
async function goneWords({ store }: Ports, build: BuildFacts | undefined): Promise<Markup> {
  const link = build && (await store.sourceLinks.find(build.repository))
  if (link === undefined || link.goneSince === null) return nothing
  return html`<p>${badge('source gone', 'warn', '!')} <span class="small">since ${day(link.goneSince)} nothing is found at that address</span></p>`
}

const provedBefore: Readonly<Record<TrustLevel, string>> = {
  none: 'nothing',
  oidc: 'that a trusted CI job published them',
  provenance: 'where they were built',
  source: 'where they were built',
}

/** That its package’s owners let it prove less, which everybody should see who uses it. */
function loweredWords(before: TrustLevel | null): Markup {
  if (before === null) return nothing
  return html` ${badge('trust lowered', 'warn', '!')} <span class="small">versions before this one proved ${provedBefore[before]}</span>`
}

function isSigned({ signer }: Ports, signatures: readonly { keyid: string }[]): boolean {
  const keyIds = new Set(signer.publicKeys.map(key => key.keyid))
  return signatures.some(each => keyIds.has(each.keyid))
}

/** What a CI service said of the job that published; of what people publish nothing is known. */
async function publishedFrom(ports: Ports, { jobTokenId }: HostedEvidence): Promise<Markup> {
  const job = jobTokenId === '' ? undefined : await ports.store.identity.findJob(jobTokenId)
  if (job === undefined) return html`<p>Published by a person, from a machine that nobody vouches for.</p>`
  return html`<dl class="facts"><dt>Published from</dt><dd>${badge('trusted publisher', 'good', '✓')} ${describeJob(job.facts)}</dd><dt>Run</dt><dd>${job.facts.run}</dd></dl>
<p class="small">The CI service said so when the job published. It does not say what the job built.</p>`
}
