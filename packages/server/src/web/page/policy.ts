// SPDX-License-Identifier: Apache-2.0
import type { PageContext } from '../context.ts'
import { sheet } from '../layout.ts'
import { html } from '../markup.ts'
import { plural } from '../part/format.ts'

/** What may be taken back, and what remains of it. */
export function unpublishPolicyPage(c: PageContext): Response {
  const hours = plural(c.env.ports.config.unpublishHours, 'hour')
  const main = html`<h1>Unpublish policy</h1>
<p>Others build on what is published. So a version can be taken back while it is young, and hardly after that.</p>
<h2>Who and when</h2>
<ul>
<li>An owner of the package may unpublish a version within ${hours} of its publication, as long as no other package here depends on it.</li>
<li>Later, only while no other package here depends on it, it was downloaded fewer than 300 times in the last week, and it has a single owner.</li>
<li>A version that is held or quarantined is evidence and stays, whatever its age.</li>
<li>In every other case: deprecate the version, or ask the operator, who may remove what the law or a leaked secret demands.</li>
</ul>
<h2>What remains</h2>
<ul>
<li>The name and the version number stay taken for ever: nobody, its owner included, can publish other bytes under them.</li>
<li>Its page says that it was removed and when. The record of the publication and of its removal is kept.</li>
<li>Its tarball answers <code>410 Gone</code>.</li>
</ul>
<h2>Instead</h2>
<p><code>npm deprecate NAME@VERSION "why, and what to use"</code> warns everybody who installs it and breaks nobody's build.</p>`
  return sheet(c, { title: 'Unpublish policy', main })
}
