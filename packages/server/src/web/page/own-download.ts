// SPDX-License-Identifier: Apache-2.0
/** What is kept of one's own fetches: to look at, to take along, to have forgotten. */
import type { Problem } from '@holdfast/core'
import { downloadLife, exportOwnDownloads, forgetOwnDownloads, listOwnDownloads } from '../../flow/index.ts'
import { leadTo, sendLines } from '../answer.ts'
import { getVisitor, type PageContext } from '../context.ts'
import { sheet } from '../layout.ts'
import { html, nothing } from '../markup.ts'
import { holderTable } from '../part/holder.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { accountTabs } from './account-tab.ts'

const path = '/account/downloads'

/** The first of one's own records. */
export async function ownDownloadsPage(c: PageContext): Promise<Response> {
  return show(c)
}

/** They are forgotten. */
export async function ownDownloadsSubmit(c: PageContext): Promise<Response> {
  try {
    await forgetOwnDownloads(c.env.ports, getVisitor(c))
  } catch (error) {
    return show(c, asNotice(error))
  }
  return leadTo(c, `${path}?done=1`)
}

/** All of one's own records as a file. */
export async function ownDownloadsExport(c: PageContext): Promise<Response> {
  const form = c.req.path.endsWith('.json') ? 'json' : 'csv'
  return sendLines(await exportOwnDownloads(c.env.ports, getVisitor(c), form), 'downloads', form)
}

async function show(c: PageContext, trouble?: Problem): Promise<Response> {
  const { ports, call } = c.env
  const own = await listOwnDownloads(ports, getVisitor(c))
  const main = html`<h1>What you fetched</h1>
${accountTabs('downloads')}
${problemNotice(trouble)}
${call.query.has('done') ? notice('good', 'Forgotten, but for what an open case is about') : nothing}
<p>Kept for the day on which somebody asks who has a dangerous version, and for nothing else: whole for ${downloadLife.record} days (addresses for ${downloadLife.address}), then only that you had a version, for ${downloadLife.holder}. <a href="/policy/privacy">How this registry treats it</a></p>
${
  own.length === 0
    ? html`<p>Nothing is kept of you.</p>`
    : html`${holderTable(own, ports.clock())}
<p class="small">All of them <a href="${path}.csv">as CSV</a>, <a href="${path}.json">as JSON</a>, one a line</p>
<form method="post" action="${path}"><p>Whoever is forgotten cannot be told that a version they have turned out to be dangerous. What an open case is about stays until it is closed.</p><button type="submit">Forget what I fetched</button></form>`
}`
  return sheet(c, { title: 'What you fetched', main, status: trouble?.status ?? 200 })
}
