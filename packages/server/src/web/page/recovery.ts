// SPDX-License-Identifier: Apache-2.0
import { isProblem, type Problem, problem } from '@holdfast/core'
import {
  askRecovery,
  beginRecovery,
  cancelOwnRecoveries,
  cancelRecovery,
  finishRecovery,
  listOwnRecoveries,
  readRecovery,
  readRecoveryLink,
} from '../../flow/index.ts'
import { type Recovery, tfaModeOf } from '../../identity/index.ts'
import { leadTo } from '../answer.ts'
import { getVisitor, type PageContext, type Visitor, whenceOf } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { field } from '../part/field.ts'
import { ago } from '../part/format.ts'
import { notice, problemNotice } from '../part/notice.ts'

const policyLink = html`<a href="/policy/recovery">How recovery works here</a>`

/** Where somebody begins who cannot sign in any more. */
export function askRecoveryPage(c: PageContext): Response {
  return ask(c)
}

/** Says the same whoever was named: nobody learns who has an account. */
export async function askRecoverySubmit(c: PageContext): Promise<Response> {
  const posted = await readForm(c)
  try {
    await askRecovery(c.env.ports, posted.text('name'), whenceOf(c))
  } catch (error) {
    if (!isProblem(error)) throw error
    return ask(c, error)
  }
  const main = html`<h1>Look into your mailbox</h1>
<p>If there is such an account with a confirmed address, a letter with a link is on its way to it. The link works once, within an hour.</p>
<p>No letter? ${policyLink} for who has no mailbox any more.</p>`
  return sheet(c, { title: 'Look into your mailbox', main, path: '/' })
}

function ask(c: PageContext, trouble?: Problem): Response {
  const isOutbox = c.env.ports.mail.kind === 'outbox'
  const main = html`<h1>Get back in to your account</h1>
${isOutbox ? notice('warn', 'This registry sends no mail', html`So it cannot help by letter: ask its operator, who can make a link at the machine.`) : nothing}
${problemNotice(trouble)}
<p>Say your user name, or any confirmed mail address of your account. A letter with a link goes there.</p>
<form class="form" method="post" action="/recover">
${field({ name: 'name', label: 'User name or e-mail address', autocomplete: 'username', maxLength: 254, hasFocus: true })}
<button type="submit">Send the letter</button></form>
<p class="small after">${policyLink}</p>`
  return sheet(c, { title: 'Get back in', main, trouble, path: '/' })
}

/** Behind the link of the letter. It only asks: mail scanners open every link they see. */
export async function recoveryLinkPage(c: PageContext): Promise<Response> {
  return begin(c)
}

export async function recoveryLinkSubmit(c: PageContext): Promise<Response> {
  const posted = await readForm(c)
  const otp = posted.text('otp').toLowerCase().replace(/\s/g, '')
  try {
    const begun = await beginRecovery(c.env.ports, codeOf(c), otp, whenceOf(c))
    return leadTo(c, `/recovery/${begun.secret}`)
  } catch (error) {
    if (!isProblem(error) || error.code === 'recovery-over') throw error
    return begin(c, error)
  }
}

async function begin(c: PageContext, trouble?: Problem): Promise<Response> {
  const account = await readRecoveryLink(c.env.ports, codeOf(c))
  const hasFactor = tfaModeOf(account) !== 'none'
  const wait = days(c.env.ports.config.recoveryWaitHours)
  const main = html`<h1>Get back in as ${account.login}</h1>
${trouble?.code === 'otp-required' ? notice('bad', 'This code is not right', html`Type another one, or leave the field empty and wait.`) : problemNotice(trouble)}
<form class="form" method="post" action="/recover/${codeOf(c)}">
${
  hasFactor
    ? html`${field({ name: 'otp', label: 'Recovery code, or a code of your authenticator', autocomplete: 'one-time-code', isOptional: true, hint: `With it you choose a new password at once, and your second factor stays. Without it you wait ${wait}, and passkeys and second factor are removed.` })}`
    : html`<p>You can choose a new password in ${wait}, or at once when you open the link of a second mailbox too, if both were confirmed at least ${wait} ago.</p>`
}
<p>All mailboxes of the account are told now, and can stop it.</p>
<button type="submit">Begin</button></form>
<p class="small after">${policyLink}</p>`
  return sheet(c, { title: 'Get back in', main, trouble, path: '/' })
}

/** One recovery: until when it waits, or the form for the new password. */
export async function recoveryPage(c: PageContext): Promise<Response> {
  return state(c)
}

export async function recoverySubmit(c: PageContext): Promise<Response> {
  const posted = await readForm(c)
  try {
    if (posted.secret('new') !== posted.secret('again'))
      throw problem('weak-password', { why: 'the two differ' })
    await finishRecovery(c.env.ports, secretOf(c), posted.secret('new'), whenceOf(c))
  } catch (error) {
    if (!isProblem(error) || error.code === 'recovery-over') throw error
    return state(c, error)
  }
  return leadTo(c, '/sign-in?done=recovered')
}

async function state(c: PageContext, trouble?: Problem): Promise<Response> {
  const recovery = await readRecovery(c.env.ports, secretOf(c))
  const now = c.env.ports.clock()
  const main = recovery.readyAt > now ? waiting(recovery, now) : ready(c, recovery, trouble)
  return sheet(c, { title: 'Get back in', main, trouble, path: '/' })
}

function waiting(recovery: Recovery, now: number): Markup {
  return html`<h1>This takes a while, on purpose</h1>
<p>You can choose a new password <strong>${ago(recovery.readyAt, now)}</strong>. Until then whoever owns the account can stop this: that keeps out a thief who only has your mailbox.</p>
<p>The letter that is on its way to <bdi>${recovery.email}</bdi> has the link to come back here. Nobody can shorten the wait, the staff included.</p>
<p class="small after">${policyLink}</p>`
}

function ready(c: PageContext, recovery: Recovery, trouble?: Problem): Markup {
  return html`<h1>Choose a new password</h1>
${problemNotice(trouble)}
<p>All sessions and tokens of the account end${recovery.dropsFactors ? ', and its passkeys and second factor are removed' : ''}.</p>
<form class="form" method="post" action="/recovery/${secretOf(c)}">
${field({ name: 'new', label: 'New password', type: 'password', autocomplete: 'new-password', hint: 'At least 12 characters that you use nowhere else.', hasFocus: true })}
${field({ name: 'again', label: 'New password again', type: 'password', autocomplete: 'new-password' })}
<button type="submit">Set the password</button></form>`
}

/** Behind the link in everybody's letter: stops the recovery, after one click. */
export function cancelRecoveryPage(c: PageContext): Response {
  const main = html`<h1>Stop the recovery</h1>
<p>Somebody began a recovery of your account. If it was not you, stop it.</p>
<form class="form" method="post" action="${c.req.path}"><button class="danger" type="submit">Stop it</button></form>`
  return sheet(c, { title: 'Stop the recovery', main, path: '/' })
}

export async function cancelRecoverySubmit(c: PageContext): Promise<Response> {
  await cancelRecovery(c.env.ports, secretOf(c), whenceOf(c))
  const main = html`<h1>The recovery is stopped</h1>
<p>Whoever began it reads one of your mailboxes, or claims to be you. Change the password of that mailbox, and look at <a href="/account/addresses">your addresses</a>.</p>`
  return sheet(c, { title: 'Stopped', main, path: '/' })
}

/** Stops it from one's own account page. */
export async function cancelOwnRecoverySubmit(c: PageContext): Promise<Response> {
  await cancelOwnRecoveries(c.env.ports, getVisitor(c))
  return leadTo(c, '/account')
}

/** What whoever is signed in must see: that somebody is about to come in. */
export async function recoveryNotice(c: PageContext, visitor: Visitor): Promise<Markup> {
  const [open] = await listOwnRecoveries(c.env.ports, visitor)
  if (open === undefined) return nothing
  return notice(
    'bad',
    'A recovery of your account has begun',
    html`<p>It can be finished ${ago(open.readyAt, c.env.ports.clock())}, with a new password that you may not know. If this is not you, stop it.</p>
<form method="post" action="/account/stop-recovery"><button class="danger" type="submit">Stop it</button></form>`,
  )
}

function days(hours: number): string {
  return hours % 24 === 0 ? `${hours / 24} day${hours === 24 ? '' : 's'}` : `${hours} hours`
}

function codeOf(c: PageContext): string {
  return c.req.param('code') ?? ''
}

function secretOf(c: PageContext): string {
  return c.req.param('secret') ?? ''
}
