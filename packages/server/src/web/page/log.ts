// SPDX-License-Identifier: Apache-2.0
/** The transparency log for people: its newest checkpoint, who vouches for it, and its entries. */
import { isPackageName, isProblem, type Problem } from '@holdfast/core'
import {
  checkMayReadHashes,
  formatPolicy,
  type LogPage,
  listActorEntries,
  listLogEntries,
  listPackageEntries,
} from '../../flow/index.ts'
import type { PublishedLog, WitnessState } from '../../ports.ts'
import type { PageContext } from '../context.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { field } from '../part/field.ts'
import { ago, plural } from '../part/format.ts'
import { leafTable } from '../part/leaf.ts'
import { checkpointSignatures } from '../part/log-signature.ts'
import { notice, problemNotice } from '../part/notice.ts'

const linesShown = 50

interface Asked {
  readonly pkg: string
  readonly actor: string
  readonly before: number
}

/** The explorer. What somebody may not see of it stays away, with the reason. */
export async function logPage(c: PageContext): Promise<Response> {
  const { ports, call } = c.env
  checkMayReadHashes(ports, call.actor)
  const asked = askedOf(c)
  const published = await ports.log.published()
  const found = await find(c, asked)
  const main = html`<h1>Transparency log</h1>
<p class="lead">Whatever matters is written here: every version, yank, quarantine, owner and publisher. Nothing of it can be changed or taken away without everybody who looks noticing.</p>
${published === undefined ? notice('plain', 'Nothing is published yet', html`The first checkpoint comes with the first change.`) : newest(published, ports.clock())}
<h2 id="entries">${titleOf(asked)}</h2>
${searchForm(asked)}
${isProblem(found) ? refusalNotice(found) : entries(found, asked, ports.clock())}`
  return sheet(c, { title: 'Transparency log', main, facts: await facts(c, published) })
}

function askedOf(c: PageContext): Asked {
  const text = (name: string) => (c.env.call.query.get(name) ?? '').trim()
  const before = text('before')
  return {
    pkg: text('package').slice(0, 214),
    actor: text('actor').slice(0, 100),
    before: /^[1-9]\d{0,14}$/.test(before) ? Number(before) : Number.MAX_SAFE_INTEGER,
  }
}

async function find(c: PageContext, { pkg, actor, before }: Asked): Promise<LogPage | Problem> {
  const { ports, call } = c.env
  try {
    if (pkg !== '')
      return isPackageName(pkg)
        ? await listPackageEntries(ports, call.actor, pkg, before, linesShown)
        : { lines: [], next: undefined }
    if (actor !== '') return await listActorEntries(ports, call.actor, actor, before, linesShown)
    return await listLogEntries(ports, call.actor, before, linesShown)
  } catch (error) {
    if (isProblem(error)) return error
    throw error
  }
}

function titleOf({ pkg, actor }: Asked): Markup {
  if (pkg !== '') return html`Entries of <bdi>${pkg}</bdi>`
  return actor === '' ? html`Entries` : html`Entries made by <bdi>${actor}</bdi>`
}

/** Names of private packages stand in the log, so its list is not for everybody once there is one. */
function refusalNotice(trouble: Problem): Markup {
  if (trouble.code !== 'forbidden' && trouble.code !== 'unauthenticated') return problemNotice(trouble)
  return notice(
    'plain',
    'All entries are shown to auditors of this registry',
    html`<p>Some packages here are private, and their names stand in the log. Look for a package that you may read; the checkpoint and its hashes are open to whoever may read here.</p>`,
  )
}

function newest({ size, note, root, at }: PublishedLog, now: number): Markup {
  return html`<h2 id="checkpoint">Newest checkpoint</h2>
<dl class="counts"><div><dt>Entries</dt><dd>${size.toLocaleString('en')}</dd></div><div><dt>Published</dt><dd>${ago(at, now)}</dd></div></dl>
<dl class="facts long"><dt>Root hash</dt><dd><code>${Buffer.from(root).toString('base64')}</code></dd></dl>
${checkpointSignatures(note, now)}
<details><summary>The checkpoint as it is signed</summary><pre class="text">${note}</pre></details>
<p><a href="/log/checkpoints">Earlier checkpoints</a></p>`
}

function searchForm({ pkg, actor }: Asked): Markup {
  return html`<form class="form row" method="get" action="/log#entries">
${field({ name: 'package', label: 'Package', value: pkg, isOptional: true, maxLength: 214 })}
${field({ name: 'actor', label: 'Who', value: actor, isOptional: true, maxLength: 100, hint: 'An id as it stands in the entries: the log names nobody.' })}
<div class="buttons"><button type="submit">Look</button>${pkg === '' && actor === '' ? nothing : html`<a href="/log#entries">All entries</a>`}</div></form>`
}

function entries({ lines, next }: LogPage, { pkg, actor }: Asked, now: number): Markup {
  if (lines.length === 0 && next === undefined) return html`<p>There are none.</p>`
  const query = { ...(pkg === '' ? {} : { package: pkg }), ...(actor === '' ? {} : { actor }) }
  const older = next === undefined ? '' : `/log?${new URLSearchParams({ ...query, before: String(next) })}`
  return html`${leafTable(lines, now, pkg !== '')}
${older === '' ? nothing : html`<p><a rel="next" href="${older}#entries">Older →</a></p>`}
<p class="small">As told by this registry: times are its claim, and that this list is whole you see only when you check it.</p>`
}

async function facts(c: PageContext, published: PublishedLog | undefined): Promise<Markup> {
  const { ports } = c.env
  const { log, config } = ports
  const { waiting } = await log.state()
  return html`<section><h2>This log</h2><dl class="facts">
<dt>Origin</dt><dd><code>${log.origin}</code></dd>
<dt>Entries</dt><dd>${published === undefined ? 'none' : plural(published.size, 'entry', 'entries')}${waiting === 0 ? nothing : html` <span class="small">${waiting} more wait for the next checkpoint</span>`}</dd>
</dl></section>
<section><h2>Check it yourself</h2>
<p class="small">Everything, from outside:</p><div class="snippet" data-copy><pre tabindex="0" aria-label="Command"><code>npx holdfast log audit ${config.publicUrl}/log</code></pre></div>
<p class="small">What your project has installed:</p><div class="snippet" data-copy><pre tabindex="0" aria-label="Command"><code>npx holdfast verify</code></pre></div>
<p><a href="/log/checkpoint">Checkpoint</a> · <a href="/log/vkeys">Key</a> · <a href="/log/trust">Document to pin</a></p></section>
<section><h2>Who vouches</h2>${witnessList(ports.witnesses.list(), ports.clock())}<details><summary>The policy to pin</summary><pre class="text">${formatPolicy(ports)}</pre></details>
<p class="small">A key that this page names proves nothing about this page: pin it with <code>holdfast trust init</code>, from what the operator tells you elsewhere.</p></section>`
}

/** Who is asked to cosign; why one does not is for those who run this registry. */
function witnessList(all: readonly WitnessState[], now: number): Markup {
  if (all.length === 0) return html`<p class="small">No witness is asked: nobody beside this registry.</p>`
  return html`<ul class="bare">${all.map(
    ({ name, size, lastAnswerAt, why }) =>
      html`<li>${name} ${why === '' ? badge(`saw ${size.toLocaleString('en')}`, size > 0 ? 'good' : 'plain', size > 0 ? '✓' : '') : badge('does not answer', 'warn', '!')} <span class="small">${lastAnswerAt === null ? 'not asked since the start' : ago(lastAnswerAt, now)}</span></li>`,
  )}</ul>`
}
