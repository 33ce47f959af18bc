// SPDX-License-Identifier: Apache-2.0
import { listNewest } from '../../flow/index.ts'
import { mayReadPublic } from '../../identity/index.ts'
import { findVisitor, hasRole, type PageContext } from '../context.ts'
import { searchBox, sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { plural } from '../part/format.ts'
import { packageList } from '../part/list.ts'
import { snippet } from '../part/snippet.ts'

const newestCount = 10

/** The first page: search, what is new, how to begin. */
export async function homePage(c: PageContext): Promise<Response> {
  const { ports, call } = c.env
  const mayRead = mayReadPublic(ports.config, call.actor)
  const { catalog } = ports.store
  const [count, newest] = mayRead
    ? await Promise.all([catalog.countPackages(), listNewest(c.env.ports, newestCount)])
    : [0, []]
  const main = html`<div class="hero">
<h1>${new URL(ports.config.publicUrl).host}</h1>
<p class="lead">A package registry that can be checked: every version signed, every change on record.</p>
${mayRead ? searchBox('') : html`<p><a class="button" href="/sign-in">Sign in to see the packages</a></p>`}
${count > 0 ? html`<p class="small">${plural(count, 'package')}</p>` : nothing}
</div>
${count > 0 ? html`<section><h2>Newest</h2>${packageList(newest, ports.clock(), 3)}<p><a href="/search">All packages</a></p></section>` : nothing}`
  return sheet(c, { title: 'Home', main, facts: await begin(c, count), hasSearch: false })
}

async function begin(c: PageContext, count: number): Promise<Markup> {
  const { ports, call } = c.env
  const isOperator = hasRole(findVisitor(call.actor), 'operator')
  const hosted = isOperator ? await ports.store.catalog.listHosted() : []
  return html`<section><h2>Begin</h2>
<h3>Sign in from the command line</h3>
${snippet(`npm login --registry=${ports.config.publicUrl}/npm/`, '')}
<h3>Install from here</h3>
<p>Name the registry in your project: <a href="/use">snippets for npm, yarn, pnpm, bun and CI</a>.</p>
<h3>Publish to here</h3>
${snippet(`npm publish --registry=${ports.config.publicUrl}/npm/`, '')}
${count === 0 ? html`<p>Nothing is published yet.</p>` : nothing}
${isOperator && hosted.length === 0 ? html`<p>No names are hosted here yet, so nothing can be published. <a href="/operate/names">Say which names belong to you.</a></p>` : nothing}
</section>`
}
