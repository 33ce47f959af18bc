// SPDX-License-Identifier: Apache-2.0
import { isProblem, type Problem } from '@holdfast/core'
import { denyApproval, findApprovalForPage, grantApproval } from '../../flow/index.ts'
import type { Approval } from '../../identity/index.ts'
import { getVisitor, type PageContext, type Visitor } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { ago } from '../part/format.ts'
import { problemNotice } from '../part/notice.ts'
import { confirm, isFresh, presenceFields } from './confirm.ts'

/** A command line asks for something; its owner says yes or no here. */
export async function approvalPage(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  return form(c, visitor, await findApprovalForPage(c.env.ports, visitor, secretOf(c)))
}

export async function approvalSubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const posted = await readForm(c)
  if (posted.text('answer') !== 'approve') {
    await denyApproval(c.env.ports, visitor, secretOf(c))
    return done(
      c,
      'Denied',
      'The command line was told no. If you did not start this command, change your password: somebody may know it.',
    )
  }
  const approval = await findApprovalForPage(c.env.ports, visitor, secretOf(c))
  try {
    await grantApproval(c.env.ports, await freshened(c, visitor, posted), secretOf(c))
  } catch (error) {
    if (!isProblem(error) || error.code === 'approval-over') throw error
    return form(c, visitor, approval, error)
  }
  return done(c, 'Approved', 'Go back to the command line: it goes on by itself. You can close this page.')
}

/** The visitor with a fresh session, proven just now where it was not. */
async function freshened(
  c: PageContext,
  visitor: Visitor,
  posted: Awaited<ReturnType<typeof readForm>>,
): Promise<Visitor> {
  if (isFresh(c, visitor)) return visitor
  await confirm(c, visitor, posted)
  return { ...visitor, credential: { ...visitor.credential, freshUntil: c.env.ports.clock() + 60_000 } }
}

function form(c: PageContext, visitor: Visitor, approval: Approval, trouble?: Problem): Response {
  const title = approval.kind === 'login' ? 'Sign in at the command line?' : 'Approve this command?'
  const main = html`<h1>${title}</h1>
<p>A command line asks, as <strong>${visitor.login}</strong>. Approve only what you started yourself just now.</p>
${facts(approval, c.env.ports.clock())}
${problemNotice(trouble)}
<form class="form" method="post" action="${c.req.path}">
${isFresh(c, visitor) ? nothing : presenceFields(visitor)}
<div class="buttons"><button type="submit" name="answer" value="approve">Approve</button>
<button class="plain" type="submit" name="answer" value="deny" formnovalidate>Deny</button></div>
</form>`
  return sheet(c, { title, main, status: trouble?.status ?? 200 })
}

function facts(approval: Approval, now: number): Markup {
  const minutes = Math.max(1, Math.round((approval.expiresAt - now) / 60_000))
  return html`<div class="request"><dl class="facts">
<dt>Command</dt><dd><strong>${approval.operation}</strong></dd>
${approval.subject === '' ? nothing : html`<dt>For</dt><dd><strong>${approval.subject}</strong></dd>`}
<dt>From address</dt><dd><code>${approval.address}</code></dd>
<dt>Client</dt><dd><bdi>${approval.client}</bdi></dd>
<dt>Asked</dt><dd>${ago(approval.createdAt, now)}; ends in ${minutes} min, works once</dd>
</dl></div>`
}

function done(c: PageContext, title: string, text: string): Response {
  return sheet(c, { title, main: html`<h1>${title}</h1><p class="lead">${text}</p>`, path: '/' })
}

function secretOf(c: PageContext): string {
  return c.req.param('secret') ?? ''
}
