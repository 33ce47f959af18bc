// SPDX-License-Identifier: Apache-2.0
/**
 * What secures a version, in the order of the OpenSSF's style guide for attestations (level AAA): build, source and integrity
 * first, since what attests them is understood beside them; advisories last, since whoever sees those reads nothing else.
 */
import type { Version } from '@holdfast/core'
import { type Advisory, covers } from '../../catalog/index.ts'
import type { Ports } from '../../ports.ts'
import type { PageContext } from '../context.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { day } from '../part/format.ts'
import { type IconName, icon } from '../part/icon.ts'
import { packagePath } from '../part/link.ts'
import { severityBadge } from '../part/severity.ts'
import { hostedSecurity } from './package-hosted.ts'
import { logHistory } from './package-log.ts'
import { mirrorSecurity } from './package-mirror.ts'
import type { SecurityWords, ShownPackage, ShownVersion } from './package-read.ts'

/** The tab. */
export async function securityTab(c: PageContext, shown: ShownPackage): Promise<Markup> {
  const { ports } = c.env
  const { name, selected } = shown
  if (selected === undefined) return html`<p>There is no version to tell of.</p>`
  const words = await read(ports, shown, selected)
  return html`<p class="lead">What is known of ${name}@${selected.version}, and who says so. This registry writes this page; the package’s maintainers cannot.</p>
<div class="cards">
${card('build', 'Build', words.build)}
${card('source', 'Source', words.source)}
${card('integrity', 'Integrity', words.integrity)}
</div>
<h2>Build provenance</h2>
<section class="card" id="attestation"><h3>${icon('signature')}Attestation</h3><p>${words.attestation}</p>${attestationsLink(shown, selected)}</section>
<p class="small info">${icon('info')}<span>An attestation says where bytes were built and from what. It does not say that the code is good: <a href="/security">what this registry does about that</a>.</span></p>
<h2 id="details">${icon('integrity')}Digests and signatures</h2>
${words.details}
<p class="small">Check it yourself: <code>npm audit signatures</code></p>
<h2 id="log">${icon('log')}In the transparency log</h2>
${await logHistory(c, shown, selected)}
<h2 id="advisories">${icon('advisory')}Advisories</h2>
${advisories(await ports.store.policy.listAdvisories(name), selected.version)}`
}

function read(
  ports: Ports,
  shown: ShownPackage,
  selected: ShownVersion,
): Promise<SecurityWords> | SecurityWords {
  const { evidence } = selected
  return evidence.kind === 'hosted'
    ? hostedSecurity(ports, shown, selected, evidence)
    : mirrorSecurity(shown, selected, evidence, ports.clock())
}

function card(id: 'build' | 'source' | 'integrity', title: string, body: Markup): Markup {
  return html`<section class="card" id="${id}"><h2>${icon(id)}${title}</h2>${body}</section>`
}

function attestationsLink({ name }: ShownPackage, { version, evidence }: ShownVersion): Markup {
  if (evidence.attested === undefined || evidence.attested.kind === 'broken') return nothing
  return html`<p><a href="/npm/-/npm/v1/attestations/${name}@${version}">The attestations of ${version} as they were signed</a></p>`
}

/** The column's part of it: a word for each, the whole statement of who attests it, and links to where more stands. */
export async function securityBlock(ports: Ports, shown: ShownPackage): Promise<Markup> {
  const { name, selected, asked } = shown
  if (selected === undefined) return nothing
  const { brief, attestation } = await read(ports, shown, selected)
  const tab = packagePath(name, { ...(asked === '' ? {} : { v: asked }), show: 'security' })
  const line = (id: string, picture: IconName, title: string, word: Markup) =>
    html`<li>${icon(picture)}<a href="${tab}#${id}">${title}</a> ${word}</li>`
  return html`<section id="security"><h2>${icon('lock')}Security</h2>
<ul class="bare marks">
${line('build', 'build', 'Build', brief.build)}
${line('source', 'source', 'Source', brief.source)}
${line('integrity', 'integrity', 'Integrity', brief.integrity)}
${selected.hasInstallScript ? line('integrity', 'advisory', 'Install', badge('runs scripts', 'warn', '!')) : nothing}
<li>${icon('signature')}<a href="${tab}#attestation">Attestation</a> ${attestation}</li>
${line('log', 'log', 'Proof in the log', nothing)}
</ul></section>`
}

function advisories(all: readonly Advisory[], version: Version): Markup {
  const found = all.filter(each => covers(each, version))
  if (found.length === 0)
    return html`<p>This registry knows of none for ${version}.</p><p class="small">It knows those that its operator loaded. That is not proof that there are none.</p>`
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Advisory</th><th scope="col">Severity</th><th scope="col">What</th><th scope="col">Mended in</th><th scope="col">Since</th></tr></thead>
<tbody>${found.map(advisoryRow)}</tbody></table></div>`
}

function advisoryRow(each: Advisory): Markup {
  const { id, title, fixed, publishedAt } = each
  return html`<tr><td class="nowrap"><a href="/advisories/${encodeURIComponent(id)}">${id}</a></td><td>${severityBadge(each)}</td><td><bdi>${title}</bdi></td><td>${fixed.join(', ')}</td><td class="nowrap">${day(publishedAt)}</td></tr>`
}
