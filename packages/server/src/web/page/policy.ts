// SPDX-License-Identifier: Apache-2.0
/** What this registry promises and asks, with everything that it said before. */
import { diffLines, problem } from '@holdfast/core'
import { isPolicyPage, type PolicyPageName, type PolicyText, policyPages } from '../../community/index.ts'
import { listPolicyChanges, readFilledPolicy, readPolicyPage, type ShownPolicy } from '../../flow/index.ts'
import { findVisitor, hasRole, type PageContext } from '../context.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { hunkList } from '../part/diff.ts'
import { ago, day } from '../part/format.ts'
import { renderReadme } from '../readme-render.ts'

const names = Object.keys(policyPages) as PolicyPageName[]

/** All of them. */
export function policiesPage(c: PageContext): Response {
  const main = html`<h1>Policies</h1>
<p class="lead">What this registry promises, and what it asks of those who use it.</p>
<dl class="facts">${names.map(each => html`<dt><a href="/policy/${each}">${policyPages[each].title}</a></dt><dd>${policyPages[each].about}.</dd>`)}
<dt><a href="/policy/tokens">Rules for tokens</a></dt><dd>How to recognise a token of this registry that lies around.</dd></dl>`
  return sheet(c, { title: 'Policies', main })
}

/** The page in the address. Throws `not-found`. */
export function pageOf(c: PageContext): PolicyPageName {
  const name = c.req.param('page') ?? ''
  if (!isPolicyPage(name)) throw problem('not-found')
  return name
}

/** One policy, as it counts now or as it was. */
export async function policyTextPage(c: PageContext): Promise<Response> {
  const page = pageOf(c)
  const asked = c.env.call.query.get('version')
  const version = asked !== null && /^\d{1,6}$/.test(asked) ? Number(asked) : undefined
  const shown = await readFilledPolicy(c.env.ports, page, version)
  const { title } = policyPages[page]
  const main = html`<h1>${title}</h1>
${version === undefined ? nothing : html`<p class="small">This is version ${shown.version}. <a href="/policy/${page}">What counts now</a>.</p>`}
${await policyMarkup(page, shown.text)}
<p class="small after">${standOf(c, page, shown)}</p>`
  return sheet(c, { title, main })
}

/** A policy's Markdown, as safe as a README of a stranger. */
export async function policyMarkup(page: string, text: string): Promise<Markup> {
  return html`<div class="readme">${await renderReadme(`policy ${page} ${text}`, text)}</div>`
}

function standOf(c: PageContext, page: PolicyPageName, { version, changedAt }: ShownPolicy): Markup {
  const isOperator = hasRole(findVisitor(c.env.call.actor), 'operator')
  return html`${changedAt === null ? html`The text that comes with this release` : html`Version ${version}, changed ${ago(changedAt, c.env.ports.clock())} by the operator`} · <a href="/policy/${page}/history">History</a>${isOperator ? html` · <a href="/operate/pages/${page}">Edit</a>` : nothing}`
}

/** Every version of a policy, each with what it changed. */
export async function policyHistoryPage(c: PageContext): Promise<Response> {
  const page = pageOf(c)
  const changes = await listPolicyChanges(c.env.ports, page)
  const first = await readPolicyPage(c.env.ports, page, 0)
  const { title } = policyPages[page]
  const before = (index: number) => changes[index + 1]?.text ?? first.text
  const main = html`<h1>History: ${title}</h1>
<p><a href="/policy/${page}">What counts now</a></p>
${changes.map((each, index) => change(each, before(index)))}
<h2>Version 0</h2><p><a href="/policy/${page}?version=0">The text that comes with this release</a>, which later releases may better as long as nobody edits it here.</p>`
  return sheet(c, { title: `History: ${title}`, main })
}

function change({ page, version, at, words, text }: PolicyText, before: string): Markup {
  return html`<h2>Version ${version}</h2>
<p><a href="/policy/${page}?version=${version}">${day(at)}</a>${words === '' ? nothing : html`: <bdi>${words}</bdi>`}</p>
<div class="scroll" tabindex="0"><pre class="diff">${hunkList(diffLines(before.split('\n'), text.split('\n')))}</pre></div>`
}
