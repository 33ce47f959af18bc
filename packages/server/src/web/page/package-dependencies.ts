// SPDX-License-Identifier: Apache-2.0
import { isPackageName, type PackageName } from '@holdfast/core'
import { type Actor, may } from '../../identity/index.ts'
import type { Ports } from '../../ports.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { plural } from '../part/format.ts'
import { packagePath } from '../part/link.ts'
import type { Dependency, ShownPackage } from './package-read.ts'

const maxLinked = 200
const maxDependents = 200

/** What the shown version asks for. Names that are here, and that the reader may see, are links. */
export async function dependenciesTab(
  ports: Ports,
  actor: Actor,
  { dependencies }: ShownPackage,
): Promise<Markup> {
  const { runtime, optional, peer, development } = dependencies
  const names = [runtime, optional, peer, development].flat().map(each => each.name)
  const linked = await readable(ports, actor, names.filter(isPackageName).slice(0, maxLinked))
  if (names.length === 0) return html`<p>This version depends on nothing.</p>`
  return html`${table('Dependencies', runtime, linked)}${table('Optional dependencies', optional, linked)}
${table('Peer dependencies', peer, linked)}${table('Development dependencies', development, linked)}`
}

function table(title: string, list: readonly Dependency[], linked: ReadonlySet<string>): Markup {
  if (list.length === 0) return nothing
  return html`<h2>${title}</h2><div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Package</th><th scope="col">Range</th></tr></thead>
<tbody>${list.map(({ name, range }) => html`<tr><td>${linked.has(name) ? html`<a href="${packagePath(name)}">${name}</a>` : name}</td><td><code>${range}</code></td></tr>`)}</tbody></table></div>`
}

/** Who depends on it here, as far as the reader may know. */
export async function dependentsTab(ports: Ports, actor: Actor, { name }: ShownPackage): Promise<Markup> {
  const found = await ports.store.catalog.listDependents(name, maxDependents)
  const shown = [...(await readable(ports, actor, found))]
  if (shown.length === 0) return html`<p>No package here depends on ${name}.</p>`
  const more = found.length === maxDependents ? ' or more' : ''
  return html`<p>${plural(shown.length, 'package')}${more} here ${shown.length === 1 ? 'depends' : 'depend'} on ${name}.</p>
<ul class="bare">${shown.map(name => html`<li><a href="${packagePath(name)}">${name}</a></li>`)}</ul>`
}

/** Those that are hosted or cached here and that this reader may read: a link must not tell of a private package. */
async function readable(ports: Ports, actor: Actor, names: readonly PackageName[]): Promise<Set<string>> {
  const cached = await ports.store.mirrors.listKnown(names)
  const found = new Set<string>()
  for (const name of names) {
    const isHosted = (await ports.store.catalog.findPackage(name)) !== undefined
    if ((isHosted || cached.has(name)) && (await may(ports, actor, 'package:read', name))) found.add(name)
  }
  return found
}
