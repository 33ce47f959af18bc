// SPDX-License-Identifier: Apache-2.0
/** What is known against the projects whose lock files were submitted: for their owners, and for those who respond. */
import { type Problem, problem } from '@holdfast/core'
import type { ProjectLock } from '../../catalog/index.ts'
import {
  listAllRisks,
  listOwnLocks,
  listOwnRisks,
  type Risk,
  type RiskList,
  removeLock,
  type ShownUse,
} from '../../flow/index.ts'
import { leadTo } from '../answer.ts'
import { getVisitor, hasRole, type PageContext, type Visitor } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { ago, day, plural } from '../part/format.ts'
import { packagePath } from '../part/link.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { severityBadge } from '../part/severity.ts'
import { snippet } from '../part/snippet.ts'
import { accountTabs } from './account-tab.ts'
import { operateHead } from './operate-tab.ts'

/** One's own projects, and what is known against what they use. */
export async function exposurePage(c: PageContext): Promise<Response> {
  return show(c, getVisitor(c))
}

/** Forgets the lock file of a branch. */
export async function exposureSubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const posted = await readForm(c)
  try {
    await removeLock(c.env.ports, visitor, posted.text('project'), posted.text('branch'))
  } catch (error) {
    return show(c, visitor, asNotice(error))
  }
  return leadTo(c, '/exposure?done=removed')
}

async function show(c: PageContext, visitor: Visitor, trouble?: Problem): Promise<Response> {
  const { ports, call } = c.env
  const [locks, list] = await Promise.all([listOwnLocks(ports, visitor), listOwnRisks(ports, visitor)])
  const main = html`<h1>Exposure</h1>
${accountTabs('exposure')}
<p class="lead">What is known against the versions that your projects use. You get a letter when something new is found.</p>
${problemNotice(trouble)}
${call.query.get('done') === 'removed' ? notice('good', 'Removed: nobody is told about that branch any more') : nothing}
${locks.length === 0 ? nothing : html`<h2>What is known</h2>${riskTable(list, false)}`}
<h2>Projects</h2>
${locks.length === 0 ? html`<p>None was submitted yet.</p>` : lockTable(locks, ports.clock())}
<p>Submit a lock file, best by each build of a branch:</p>
${snippet(`holdfast audit --submit --project NAME --registry ${ports.config.publicUrl}`, '')}
<p class="small">A project of an organisation is named <code>@organisation/name</code>; its members submit it, and its owners and admins are told.</p>`
  return sheet(c, { title: 'Exposure', main, trouble })
}

/** All projects, for those who respond, operate or audit; to everybody else the page does not exist. */
export async function operateExposurePage(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  if (!(['operator', 'responder', 'auditor'] as const).some(role => hasRole(visitor, role)))
    throw problem('not-found')
  const main = html`${operateHead(c, 'exposure')}
<p>What is known against the versions that submitted lock files name, and how often those were fetched here.</p>
${riskTable(await listAllRisks(c.env.ports, visitor), true)}`
  return sheet(c, { title: 'Exposure', main })
}

function riskTable({ risks, isCut }: RiskList, hasOwners: boolean): Markup {
  if (risks.length === 0)
    return html`<p role="status">Nothing is known against what the submitted lock files name. That is not proof that there is nothing.</p>`
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Severity</th><th scope="col">Advisory</th><th scope="col">Package</th><th scope="col">Projects</th><th scope="col">Fetched in 90 days</th><th scope="col">Mended in</th><th scope="col">Changed</th></tr></thead>
<tbody>${risks.map(each => riskRow(each, hasOwners))}</tbody></table></div>
${isCut ? html`<p>There is more: these are the newest.</p>` : nothing}`
}

function riskRow({ advisory, uses, useCount, projectCount, fetches }: Risk, hasOwners: boolean): Markup {
  const { id, title, fixed, modifiedAt } = advisory
  const left = useCount - uses.length
  return html`<tr><td>${severityBadge(advisory)}</td><td><a class="nowrap" href="/advisories/${encodeURIComponent(id)}">${id}</a><br><bdi>${title}</bdi></td>
<td><a href="${packagePath(advisory.package)}">${advisory.package}</a></td>
<td><details><summary>${plural(projectCount, 'project')}</summary><ul class="bare">${uses.map(use => useItem(use, hasOwners))}</ul>${left > 0 ? html`and ${left} more` : nothing}</details></td>
<td>${fetches.toLocaleString('en')}</td><td>${fixed.length === 0 ? 'nothing yet' : fixed.join(', ')}</td><td class="nowrap">${day(modifiedAt)}</td></tr>`
}

function useItem({ lock, version, path, scope, ownerName }: ShownUse, hasOwners: boolean): Markup {
  const whose =
    hasOwners && !lock.owner.startsWith('@') ? ` of ${ownerName || 'an account that is gone'}` : ''
  const way = path.length > 1 ? html`<br><span class="small">${path.join(' › ')}</span>` : nothing
  return html`<li><bdi>${lock.project}</bdi>${whose}, <bdi>${lock.branch}</bdi>: ${version}${scope === 'required' ? nothing : html` ${badge(scope)}`}${way}</li>`
}

function lockTable(locks: readonly ProjectLock[], now: number): Markup {
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Project</th><th scope="col">Branch</th><th scope="col">Lock file</th><th scope="col">Submitted</th><th scope="col"></th></tr></thead>
<tbody>${locks.map(
    each => html`<tr><td>${each.project}</td><td><bdi>${each.branch}</bdi></td><td>${each.manager}, ${plural(each.entryCount, 'version')}</td><td class="nowrap">${ago(each.submittedAt, now)}</td>
<td><form method="post" action="/exposure"><input type="hidden" name="project" value="${each.project}"><input type="hidden" name="branch" value="${each.branch}"><button class="link" type="submit" aria-label="Remove ${each.project}, ${each.branch}">Remove</button></form></td></tr>`,
  )}</tbody></table></div>`
}
