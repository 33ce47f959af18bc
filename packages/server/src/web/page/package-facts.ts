// SPDX-License-Identifier: Apache-2.0
import { type Actor, may } from '../../identity/index.ts'
import type { Ports } from '../../ports.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { formatBytes, plural } from '../part/format.ts'
import {
  accessPath,
  awayLink,
  freezePath,
  publishersPath,
  reportPath,
  repositoryAddress,
  transferPath,
  webAddress,
} from '../part/link.ts'
import { snippet } from '../part/snippet.ts'
import { everyDay, sparkline } from '../part/sparkline.ts'
import { mirrorOrigin } from './package-mirror.ts'
import type { ShownPackage, ShownVersion } from './package-read.ts'
import { securityBlock } from './package-security.ts'

const downloadDays = 30
const dayMs = 86_400_000

/** The column beside: how to install it, what it is, how much it is used, who stands by it; and the way to what secures it. */
export async function packageFacts(
  ports: Ports,
  actor: Actor,
  shown: ShownPackage,
  isOwner: boolean,
): Promise<Markup> {
  const { name, selected, decision } = shown
  const now = ports.clock()
  const counts = await ports.store.downloads.perDay(name, now - downloadDays * dayMs)
  return html`${selected !== undefined && decision?.served === true ? install(shown, selected) : nothing}
${about(shown, now)}
<section><h2>Downloads${shown.known === undefined ? nothing : ' here'}</h2>${sparkline(everyDay(counts, now, downloadDays))}</section>
${maintainers(shown, isOwner, await may(ports, actor, 'package:freeze', name))}
${await securityBlock(ports, actor, shown)}
<p class="small"><a href="${reportPath(name, selected?.version)}">Report this package</a>${shown.known === undefined ? html` · <a href="${transferPath(name)}">Ask for this name</a>` : nothing}</p>`
}

function install({ name, asked }: ShownPackage, selected: ShownVersion): Markup {
  const spec = asked === '' ? name : `${name}@${selected.version}`
  return html`<section><h2>Install</h2>
${snippet(`npm install ${spec}`, '')}
<details><summary>pnpm, yarn, bun</summary>${snippet(`pnpm add ${spec}`, 'pnpm')}${snippet(`yarn add ${spec}`, 'yarn')}${snippet(`bun add ${spec}`, 'bun')}</details>
<p class="small">Your client must know this registry: <a href="/use">how</a>.</p></section>`
}

function about(shown: ShownPackage, now: number): Markup {
  const { manifest, selected, decision } = shown
  // Whoever made what is quarantined gets no visitors from here.
  const isLinked = decision?.listed === true
  const repository = isLinked ? repositoryAddress(manifest['repository']) : undefined
  const homepage = isLinked ? webAddress(manifest['homepage']) : undefined
  const license = manifest['license']
  const engines = manifest['engines'] as Readonly<Record<string, unknown>> | undefined
  const node = engines?.['node']
  return html`<section><h2>About</h2><dl class="facts">
${mirrorOrigin(shown, now)}
${typeof license === 'string' ? html`<dt>Licence</dt><dd><bdi>${license.slice(0, 100)}</bdi></dd>` : nothing}
${repository === undefined ? nothing : html`<dt>Repository</dt><dd>${awayLink(repository)}</dd>`}
${homepage === undefined || homepage.href.startsWith(`${repository?.href}`) ? nothing : html`<dt>Homepage</dt><dd>${awayLink(homepage)}</dd>`}
${typeof node === 'string' ? html`<dt>Node</dt><dd><code>${node.slice(0, 100)}</code></dd>` : nothing}
${selected === undefined ? nothing : size(selected)}
</dl>${repository === undefined && homepage === undefined ? nothing : html`<p class="small">Repository and homepage are what the publisher says; nobody checked them.</p>`}</section>`
}

/** As much of it as is known: an upstream need not tell. */
function size({ sizeBytes, unpackedSizeBytes, fileCount }: ShownVersion): Markup {
  const packed = sizeBytes === 0 ? [] : [formatBytes(sizeBytes)]
  const files = fileCount === 0 ? '' : ` in ${plural(fileCount, 'file')}`
  const unpacked = unpackedSizeBytes === 0 ? [] : [`unpacked ${formatBytes(unpackedSizeBytes)}${files}`]
  const known = [...packed, ...unpacked]
  return known.length === 0 ? nothing : html`<dt>Size</dt><dd>${known.join(', ')}</dd>`
}

function maintainers({ people, name }: ShownPackage, isOwner: boolean, mayFreeze: boolean): Markup {
  if (people.length === 0 && !isOwner && !mayFreeze) return nothing
  return html`<section><h2>People</h2><ul class="bare">${people.map(each => html`<li>${each.login} <span class="small">${each.role}</span></li>`)}</ul>${isOwner ? html`<p><a href="${accessPath(name)}">Change who has access</a></p><p><a href="${publishersPath(name)}">Publish from CI</a></p>` : nothing}${mayFreeze ? html`<p><a href="${freezePath(name)}">Freeze it</a></p>` : nothing}</section>`
}
