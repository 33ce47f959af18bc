// SPDX-License-Identifier: Apache-2.0
import { formatIntegrity, type PackageName, problem, type Version } from '@holdfast/core'
import type { PackageVersion } from '../../catalog/index.ts'
import { describeJob } from '../../flow/index.ts'
import type { Ports } from '../../ports.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import type { HostedEvidence, PackageWords, ShownVersion } from './package-read.ts'

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
    selected: kept && showHosted(kept),
    manifest: kept === undefined ? {} : (JSON.parse(kept.manifest) as Record<string, unknown>),
  }
}

function showHosted(kept: PackageVersion): ShownVersion {
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
    },
  }
}

/** What is signed and proved of a version that was published here. */
export async function hostedSecurity(
  ports: Ports,
  { digest, shasum, hasInstallScript }: ShownVersion,
  evidence: HostedEvidence,
): Promise<Markup> {
  const signatures = JSON.parse(evidence.signatures) as readonly { keyid: string; sig: string }[]
  const keyIds = new Set(ports.signer.publicKeys.map(key => key.keyid))
  const isSigned = signatures.some(each => keyIds.has(each.keyid))
  return html`<dl class="facts">
<dt>Signature</dt><dd>${isSigned ? badge('signed', 'good', '✓') : badge('not signed', 'warn', '!')} <span class="small">by this registry, over name, version and digest</span></dd>
${await publishedFrom(ports, evidence)}
<dt>Provenance</dt><dd>${badge('none recorded')}</dd>
<dt>Install scripts</dt><dd>${hasInstallScript ? badge('runs scripts', 'warn', '!') : badge('none', 'good', '✓')}</dd>
</dl>
<details><summary>Digests and signature</summary><dl class="facts long">
${digest === undefined ? nothing : html`<dt>Integrity</dt><dd><code>${formatIntegrity(digest)}</code></dd>`}
<dt>SHA-1 (old clients)</dt><dd><code>${shasum}</code></dd>
${signatures.map(each => html`<dt>Key</dt><dd><code>${each.keyid}</code></dd><dt>Signature</dt><dd><code>${each.sig}</code></dd>`)}
</dl><p class="small">Check it yourself: <code>npm audit signatures</code></p></details>`
}

/** What a CI service said of the job that published; of what people publish nothing is known. */
async function publishedFrom(ports: Ports, { jobTokenId }: HostedEvidence): Promise<Markup> {
  const job = jobTokenId === '' ? undefined : await ports.store.identity.findJob(jobTokenId)
  if (job === undefined) return nothing
  return html`<dt>Published from</dt><dd>${badge('trusted publisher', 'good', '✓')} <span class="small">${describeJob(job.facts)}, run ${job.facts.run}</span></dd>`
}
