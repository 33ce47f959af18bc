// SPDX-License-Identifier: Apache-2.0
import { formatIntegrity } from '@holdfast/core'
import type { PackageVersion } from '../../catalog/index.ts'
import { describeJob } from '../../flow/index.ts'
import type { Ports } from '../../ports.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { formatBytes } from '../part/format.ts'
import { accessPath, awayLink, publishersPath, repositoryAddress, webAddress } from '../part/link.ts'
import { snippet } from '../part/snippet.ts'
import { everyDay, sparkline } from '../part/sparkline.ts'
import type { ShownPackage } from './package-read.ts'

const downloadDays = 30
const dayMs = 86_400_000

/** The column beside: how to install it, what is signed, who stands by it, how much it is used. */
export async function packageFacts(ports: Ports, shown: ShownPackage, isOwner: boolean): Promise<Markup> {
  const { known, selected, decision } = shown
  const now = ports.clock()
  const counts = await ports.store.downloads.perDay(known.name, now - downloadDays * dayMs)
  return html`${selected !== undefined && decision?.served === true ? install(shown, selected) : nothing}
${selected === undefined ? nothing : await security(ports, shown, selected)}
${about(shown)}
<section><h2>Downloads</h2>${sparkline(everyDay(counts, now, downloadDays))}</section>
${maintainers(shown, isOwner)}`
}

function install({ known, asked }: ShownPackage, selected: PackageVersion): Markup {
  const spec = asked === '' ? known.name : `${known.name}@${selected.version}`
  return html`<section><h2>Install</h2>
${snippet(`npm install ${spec}`, '')}
<details><summary>pnpm, yarn, bun</summary>${snippet(`pnpm add ${spec}`, 'pnpm')}${snippet(`yarn add ${spec}`, 'yarn')}${snippet(`bun add ${spec}`, 'bun')}</details>
<p class="small">Your client must know this registry: <a href="/use">how</a>.</p></section>`
}

async function security(ports: Ports, { manifest }: ShownPackage, selected: PackageVersion): Promise<Markup> {
  const integrity = formatIntegrity(selected.digest)
  const signatures = JSON.parse(selected.signatures) as readonly { keyid: string; sig: string }[]
  const keyIds = new Set(ports.signer.publicKeys.map(key => key.keyid))
  const isSigned = signatures.some(each => keyIds.has(each.keyid))
  return html`<section id="security"><h2>Security</h2><dl class="facts">
<dt>Signature</dt><dd>${isSigned ? badge('signed', 'good', '✓') : badge('not signed', 'warn', '!')} <span class="small">by this registry, over name, version and digest</span></dd>
${await publishedFrom(ports, selected)}
<dt>Provenance</dt><dd>${badge('none recorded')}</dd>
<dt>Install scripts</dt><dd>${manifest['hasInstallScript'] === true ? badge('runs scripts', 'warn', '!') : badge('none', 'good', '✓')}</dd>
</dl>
<details><summary>Digests and signature</summary><dl class="facts long">
<dt>Integrity</dt><dd><code>${integrity}</code></dd>
<dt>SHA-1 (old clients)</dt><dd><code>${selected.shasum}</code></dd>
${signatures.map(each => html`<dt>Key</dt><dd><code>${each.keyid}</code></dd><dt>Signature</dt><dd><code>${each.sig}</code></dd>`)}
</dl><p class="small">Check it yourself: <code>npm audit signatures</code></p></details></section>`
}

/** What a CI service said of the job that published; of what people publish nothing is known. */
async function publishedFrom(ports: Ports, { publisherProvider, tokenId }: PackageVersion): Promise<Markup> {
  const job = publisherProvider === '' ? undefined : await ports.store.identity.findJob(tokenId)
  if (job === undefined) return nothing
  return html`<dt>Published from</dt><dd>${badge('trusted publisher', 'good', '✓')} <span class="small">${describeJob(job.facts)}, run ${job.facts.run}</span></dd>`
}

function about({ manifest, selected, decision }: ShownPackage): Markup {
  // Whoever made what is quarantined gets no visitors from here.
  const isLinked = decision?.listed === true
  const repository = isLinked ? repositoryAddress(manifest['repository']) : undefined
  const homepage = isLinked ? webAddress(manifest['homepage']) : undefined
  const license = manifest['license']
  const engines = manifest['engines'] as Readonly<Record<string, unknown>> | undefined
  const node = engines?.['node']
  return html`<section><h2>About</h2><dl class="facts">
${typeof license === 'string' ? html`<dt>Licence</dt><dd><bdi>${license.slice(0, 100)}</bdi></dd>` : nothing}
${repository === undefined ? nothing : html`<dt>Repository</dt><dd>${awayLink(repository)}</dd>`}
${homepage === undefined || homepage.href.startsWith(`${repository?.href}`) ? nothing : html`<dt>Homepage</dt><dd>${awayLink(homepage)}</dd>`}
${typeof node === 'string' ? html`<dt>Node</dt><dd><code>${node.slice(0, 100)}</code></dd>` : nothing}
${selected === undefined ? nothing : html`<dt>Size</dt><dd>${formatBytes(selected.sizeBytes)}, unpacked ${formatBytes(selected.unpackedSizeBytes)} in ${selected.fileCount} ${selected.fileCount === 1 ? 'file' : 'files'}</dd>`}
</dl>${repository === undefined && homepage === undefined ? nothing : html`<p class="small">Repository and homepage are what the publisher says; nobody checked them.</p>`}</section>`
}

function maintainers({ people, known }: ShownPackage, isOwner: boolean): Markup {
  if (people.length === 0 && !isOwner) return nothing
  return html`<section><h2>People</h2><ul class="bare">${people.map(each => html`<li>${each.login} <span class="small">${each.role}</span></li>`)}</ul>${isOwner ? html`<p><a href="${accessPath(known.name)}">Change who has access</a></p><p><a href="${publishersPath(known.name)}">Publish from CI</a></p>` : nothing}</section>`
}
