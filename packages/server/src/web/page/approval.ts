// SPDX-License-Identifier: Apache-2.0
import { isProblem, type Problem } from '@holdfast/core'
import {
  type ApprovalProof,
  beginPasskeyApproval,
  denyApproval,
  findApprovalForPage,
  grantApproval,
  isApprovedByCode,
  isElsewhere,
} from '../../flow/index.ts'
import type { Approval } from '../../identity/index.ts'
import { getVisitor, type PageContext, type Visitor } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { ago } from '../part/format.ts'
import { notice, problemNotice } from '../part/notice.ts'
import { passkeyAnswer, passkeyButton } from '../part/passkey.ts'
import { confirm, hasSomethingToType, isFresh, presenceFields } from './confirm.ts'

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
    await grantApproval(c.env.ports, await freshened(c, visitor, posted), secretOf(c), proofOf(posted))
  } catch (error) {
    if (!isProblem(error) || error.code === 'approval-over') throw error
    return form(c, visitor, approval, error)
  }
  return done(c, 'Approved', 'Go back to the command line: it goes on by itself. You can close this page.')
}

function proofOf(posted: Form): ApprovalProof {
  const passkey = passkeyAnswer(posted)
  const otp = posted.text('otp').replace(/\s/g, '')
  return { otp, knowsNetwork: posted.has('elsewhere'), ...(passkey === undefined ? {} : { passkey }) }
}

/** The visitor with a fresh session, proven just now where it was not; a passkey is asked for each command anyway. */
async function freshened(c: PageContext, visitor: Visitor, posted: Form): Promise<Visitor> {
  if (visitor.hasPasskey || isFresh(c, visitor)) return visitor
  await confirm(c, visitor, posted)
  return { ...visitor, credential: { ...visitor.credential, freshUntil: c.env.ports.clock() + 60_000 } }
}

async function form(
  c: PageContext,
  visitor: Visitor,
  approval: Approval,
  trouble?: Problem,
): Promise<Response> {
  const title = approval.kind === 'login' ? 'Sign in at the command line?' : 'Approve this command?'
  const main = html`<h1>${title}</h1>
<p>A command line asks, as <strong>${visitor.login}</strong>. Approve only what you started yourself just now.</p>
${facts(approval, c.env.ports.clock(), visitor)}
${problemNotice(trouble)}
<form class="form" method="post" action="${c.req.path}">
${isElsewhere(approval, visitor) ? elsewhere(approval, visitor) : nothing}
${visitor.hasPasskey ? await touch(c, visitor, approval) : nothing}
${await typed(c, visitor, approval)}
</form>`
  return sheet(c, { title, main, trouble })
}

/** The page is a phishing device in the hands of whoever starts a command and sends its link to somebody else. */
function elsewhere(approval: Approval, visitor: Visitor): Markup {
  return html`${notice(
    'warn',
    'This command was not started where you are',
    html`<p>It comes from <code>${approval.address}</code>, you from <code>${visitor.from.address}</code>. If somebody sent you this link, deny it: they would act as you.</p>`,
  )}
<div class="choice field"><input type="checkbox" id="elsewhere" name="elsewhere" value="yes" required><label for="elsewhere">I started this command myself, at ${approval.address}</label></div>`
}

async function touch(c: PageContext, visitor: Visitor, approval: Approval): Promise<Markup> {
  const wish = await beginPasskeyApproval(c.env.ports, visitor, approval)
  const label = 'Approve with your passkey'
  return passkeyButton(c, { kind: 'get', wish, label, name: 'answer', value: 'approve' })
}

/** What is typed instead of a touch, and the way out. */
async function typed(c: PageContext, visitor: Visitor, approval: Approval): Promise<Markup> {
  const deny = html`<button class="plain" type="submit" name="answer" value="deny" formnovalidate>Deny</button>`
  const approve = (label: string, kind: Markup | string) =>
    html`<button type="submit" name="answer" value="approve" ${kind}>${label}</button>`
  if (!visitor.hasPasskey)
    return html`${isFresh(c, visitor) ? nothing : presenceFields(visitor)}
<div class="buttons">${approve('Approve', '')}${deny}</div>`
  const canType = (await hasSomethingToType(c, visitor)) && (await isApprovedByCode(c.env.ports, approval))
  if (!canType) return deny
  // Enter in the code's field means the first button: never the other one.
  return html`<details class="field" data-instead><summary>Use a code instead</summary>${presenceFields(visitor)}
${approve('Approve with a code', html`class="plain"`)}</details>${deny}`
}

function facts(approval: Approval, now: number, visitor: Visitor): Markup {
  const minutes = Math.max(1, Math.round((approval.expiresAt - now) / 60_000))
  return html`<div class="request"><dl class="facts">
<dt>Command</dt><dd><strong>${commandOf(approval)}</strong></dd>
${approval.subject === '' ? nothing : html`<dt>For</dt><dd><strong>${approval.subject === visitor.id ? 'your account' : approval.subject}</strong></dd>`}
<dt>From address</dt><dd><code>${approval.address}</code></dd>
<dt>Client</dt><dd><bdi>${approval.client}</bdi></dd>
<dt>Asked</dt><dd>${ago(approval.createdAt, now)}; ends in ${minutes} min, works once</dd>
</dl></div>`
}

/** What npm calls it; the operation's own name where it calls it nothing. */
function commandOf({ operation }: Approval): string {
  return commands[operation] ?? operation
}

const commands: Readonly<Record<string, string>> = {
  login: 'npm login',
  'package:publish': 'npm publish',
  'package:approve': 'npm stage approve',
  'package:reject': 'npm stage reject',
  'package:tag': 'npm dist-tag',
  'package:deprecate': 'npm deprecate',
  'package:unpublish': 'npm unpublish',
  'package:own': 'npm owner',
  'package:access': 'npm access',
  'token:create': 'npm token create',
  'account:change': 'npm profile',
  'org:manage': 'npm org or npm team',
  'org:own': 'npm org',
}

function done(c: PageContext, title: string, text: string): Response {
  return sheet(c, { title, main: html`<h1>${title}</h1><p class="lead">${text}</p>`, path: '/' })
}

function secretOf(c: PageContext): string {
  return c.req.param('secret') ?? ''
}
