// SPDX-License-Identifier: Apache-2.0
/** Who has what a case is about, and what contains it: for those who respond. */
import type { Problem } from '@holdfast/core'
import { type BlastRadius, downloadLife, exportBlast, readBlast, tellHolders } from '../../flow/index.ts'
import type { BlastLetter } from '../../incident/index.ts'
import { leadTo, sendLines } from '../answer.ts'
import { getStaff, hasRole, type PageContext } from '../context.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { ago, plural } from '../part/format.ts'
import { type GraphEdge, type GraphNode, graphPicture } from '../part/graph.ts'
import { holderTable } from '../part/holder.ts'
import { packagePath } from '../part/link.ts'
import { asNotice, problemNotice } from '../part/notice.ts'
import { operateHead } from './operate-tab.ts'

const nodesDrawn = 60
const projectsShown = 200

/** One page of holders with the picture of what contains it. */
export async function blastPage(c: PageContext): Promise<Response> {
  return show(c)
}

/** Writes to everybody who has it. */
export async function blastSubmit(c: PageContext): Promise<Response> {
  const reader = getStaff(c)
  const id = c.req.param('id') ?? ''
  try {
    await tellHolders(c.env.ports, reader, id)
  } catch (error) {
    return show(c, asNotice(error))
  }
  return leadTo(c, `/operate/cases/${id}/blast`)
}

/** All holders as a file, sent page by page. */
export async function blastExport(c: PageContext): Promise<Response> {
  const reader = getStaff(c)
  const form = c.req.path.endsWith('.json') ? 'json' : 'csv'
  const lines = await exportBlast(c.env.ports, reader, c.req.param('id') ?? '', form)
  return sendLines(lines, 'blast', form)
}

async function show(c: PageContext, trouble?: Problem): Promise<Response> {
  const reader = getStaff(c)
  const page = c.env.call.query.get('page') ?? ''
  const blast = await readBlast(c.env.ports, reader, c.req.param('id') ?? '', page)
  const { found, holders, next } = blast
  const path = `/operate/cases/${found.id}/blast`
  const now = c.env.ports.clock()
  const main = html`${operateHead(c, 'cases')}
<h2>Blast radius: <a href="/operate/cases/${found.id}"><bdi>${found.title}</bdi></a></h2>
${problemNotice(trouble)}
<p>${totals(blast)} Whole records go back ${downloadLife.record} days, and who has a version is known for ${downloadLife.holder}. This look at them is a record, too.</p>
${picture(blast)}
<h3>Who has it</h3>
${holders.length === 0 ? html`<p>Nobody fetched it here, as far as the records go.</p>` : holderTable(holders, now)}
${next === '' ? nothing : html`<p><a href="${path}?page=${encodeURIComponent(next)}">More</a></p>`}
<p class="small">All of them <a href="${path}.csv">as CSV</a>, <a href="${path}.json">as JSON</a>, one a line</p>
${containers(blast)}
<h3>Tell them</h3>
${hasRole(reader, 'responder') ? html`<form method="post" action="${path}"><button type="submit">Write to everybody who has it and was not told</button></form>` : nothing}
${letterTable(blast.letters, now)}`
  return sheet(c, { title: 'Blast radius', main, status: trouble?.status ?? 200 })
}

function totals({ totals: { fetches, accounts, tokens, addresses } }: BlastRadius): string {
  return `${plural(fetches, 'fetch', 'fetches')} by ${plural(accounts, 'account')} and ${plural(tokens, 'token')} from ${plural(addresses, 'address', 'addresses')}.`
}

function containers({ dependents, isDependentsCut, projects, isProjectsCut }: BlastRadius): Markup {
  return html`<h3>What contains it</h3>
${
  dependents.length === 0
    ? html`<p>No package hosted here depends on it.</p>`
    : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Package</th><th scope="col">Depends on</th><th scope="col">Steps away</th></tr></thead><tbody>${dependents.map(each => html`<tr><td><a href="${packagePath(each.package)}">${each.package}</a></td><td>${each.dependency}</td><td>${each.depth}</td></tr>`)}</tbody></table></div>${isDependentsCut ? html`<p>There are more.</p>` : nothing}`
}
${
  projects.length === 0
    ? html`<p>No submitted lock file contains it.</p>`
    : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Project</th><th scope="col">Branch</th><th scope="col">Version</th><th scope="col">By way of</th></tr></thead><tbody>${projects.slice(0, projectsShown).map(each => html`<tr><td><bdi>${each.lock.project}</bdi></td><td><bdi>${each.lock.branch}</bdi></td><td>${each.package}@${each.version}</td><td>${each.path.slice(0, -1).join(' › ')}</td></tr>`)}</tbody></table></div>${isProjectsCut || projects.length > projectsShown ? html`<p>There are more.</p>` : nothing}`
}`
}

function letterTable(letters: readonly BlastLetter[], now: number): Markup {
  if (letters.length === 0) return html`<p>Nobody was told yet.</p>`
  const done = letters.filter(each => each.doneAt !== null).length
  return html`<p>${plural(letters.length, 'letter')} sent, ${done} done.</p>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Who</th><th scope="col">Sent</th><th scope="col">Done</th></tr></thead><tbody>${letters.map(each => html`<tr><td>${each.login || each.accountId}</td><td class="nowrap">${ago(each.sentAt, now)}</td><td class="nowrap">${each.doneAt === null ? 'not yet' : ago(each.doneAt, now)}</td></tr>`)}</tbody></table></div>`
}

/** From what the case is about to who contains it; all of it stands in the tables as well. */
function picture({ found, dependents, projects }: BlastRadius): Markup {
  const nodes = new Map<string, GraphNode>()
  const edges: GraphEdge[] = []
  const add = (node: GraphNode) =>
    nodes.size < nodesDrawn && !nodes.has(node.key) && nodes.set(node.key, node)
  for (const name of new Set(found.subjects.map(each => each.package)))
    add({ key: name, label: name, column: 0, tone: 'root', href: packagePath(name) })
  for (const { package: name, dependency, depth } of dependents) {
    add({ key: name, label: name, column: depth, tone: 'plain', href: packagePath(name) })
    edges.push({ from: dependency, to: name, tone: 'plain' })
  }
  for (const { lock, package: name } of projects) {
    const key = `project ${lock.owner} ${lock.project}`
    add({ key, label: `⌂ ${lock.project}`, column: 1, tone: 'plain', href: '' })
    edges.push({ from: name, to: key, tone: 'plain' })
  }
  const drawn = [...new Map(edges.map(each => [`${each.from}\n${each.to}`, each])).values()]
  return nodes.size < 2
    ? nothing
    : html`<h3>Who contains it</h3>${graphPicture('What contains it', [...nodes.values()], drawn)}`
}
