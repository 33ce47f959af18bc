// SPDX-License-Identifier: Apache-2.0
/**
 * What secures a version, in the order of the OpenSSF's style guide for attestations (level AAA): build, source and integrity
 * first, since what attests them is understood beside them; advisories last, since whoever sees those reads nothing else.
 */
import type { Actor } from '../../identity/index.ts'
import type { Ports } from '../../ports.ts'
import type { PageContext } from '../context.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { type IconName, icon } from '../part/icon.ts'
import { packagePath } from '../part/link.ts'
import { hostedSecurity } from './package-hosted.ts'
import { logHistory } from './package-log.ts'
import { mirrorSecurity } from './package-mirror.ts'
import type { SecurityWords, ShownPackage, ShownVersion } from './package-read.ts'
import { vulnerabilities, vulnerabilityBrief } from './package-vulnerability.ts'

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
${await vulnerabilities(ports, c.env.call.actor, shown, selected)}`
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
export async function securityBlock(ports: Ports, actor: Actor, shown: ShownPackage): Promise<Markup> {
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
${line('advisories', 'advisory', 'Vulnerabilities', await vulnerabilityBrief(ports, actor, shown, selected))}
${line('log', 'log', 'Proof in the log', nothing)}
</ul></section>`
}
