// SPDX-License-Identifier: Apache-2.0
import { isProblem, type NamePattern, type Problem, parseNamePattern } from '@holdfast/core'
import {
  type Applicant,
  acceptInvitation,
  accountOfChallenge,
  beginSignUp,
  hostNames,
  readInvitation,
  signUp,
  startSession,
} from '../../flow/index.ts'
import { type Invitation, toPerson } from '../../identity/index.ts'
import { leadTo } from '../answer.ts'
import { type PageContext, whenceOf } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { clientName } from '../part/client.ts'
import { area, field } from '../part/field.ts'
import { problemNotice } from '../part/notice.ts'
import { hasPasskeyPlace, passkeyAnswer, passkeyButton } from '../part/passkey.ts'

interface Typed {
  readonly login: string
  readonly email: string
  readonly patterns: string
  /** For whom a passkey was made in a try that was refused: the next one replaces it on the device. */
  readonly accountId?: string
}

const blank: Typed = { login: '', email: '', patterns: '' }

/** An account for anyone, where the operator allows that. */
export function signUpPage(c: PageContext): Response {
  const isOpen = c.env.ports.config.signUp === 'open'
  if (isOpen)
    return sheet(c, { title: 'Make an account', main: page(c, 'Make an account', blank, undefined) })
  const main = html`<h1>Make an account</h1><p>This registry takes new accounts by invitation only: ask its operator for a link, and open that.</p>`
  return sheet(c, { title: 'Make an account', main })
}

export async function signUpSubmit(c: PageContext): Promise<Response> {
  const { ports } = c.env
  const posted = await readForm(c)
  try {
    const account = await signUp(ports, applicantOf(c, posted), whenceOf(c))
    const session = await startSession(ports, account, whenceOf(c))
    return leadTo(c, '/account?done=welcome', session.secret)
  } catch (error) {
    if (!isProblem(error)) throw error
    return refused(c, page(c, 'Make an account', typedOf(c, posted), undefined, error), error)
  }
}

/** The page behind an invitation: an account, or the first operator's account and the names hosted here. */
export async function invitationPage(c: PageContext): Promise<Response> {
  const invitation = await readInvitation(c.env.ports, secretOf(c))
  return sheet(c, {
    title: titleOf(invitation),
    main: page(c, titleOf(invitation), blank, invitation),
  })
}

export async function invitationSubmit(c: PageContext): Promise<Response> {
  const { ports } = c.env
  const secret = secretOf(c)
  const invitation = await readInvitation(ports, secret)
  const posted = await readForm(c)
  try {
    // All that can be wrong is looked at before the invitation is used up.
    const patterns = isSetUp(invitation) ? posted.words('patterns').map(parseNamePattern) : []
    const account = await acceptInvitation(ports, secret, applicantOf(c, posted), whenceOf(c))
    // A crash from here on leaves an account that signs in, and names that the operator page asks for.
    const session = await startSession(ports, account, whenceOf(c))
    const { id, freshUntil } = session.session
    const person = toPerson(account, { kind: 'session', id, freshUntil }, whenceOf(c))
    if (patterns.length > 0) await hostNames(ports, person, unique(patterns))
    return leadTo(c, isSetUp(invitation) ? '/operate' : '/account?done=welcome', session.secret)
  } catch (error) {
    if (!isProblem(error)) throw error
    return refused(c, page(c, titleOf(invitation), typedOf(c, posted), invitation, error), error)
  }
}

function page(
  c: PageContext,
  title: string,
  typed: Typed,
  invitation: Invitation | undefined,
  trouble?: Problem,
): Markup {
  const isFirst = invitation !== undefined && isSetUp(invitation)
  return html`<h1>${title}</h1>
${isFirst ? html`<p class="lead">Make the account of the first operator, and say which names belong to you. This link works once.</p>` : nothing}
${problemNotice(trouble)}
<form class="form" method="post" action="${c.req.path}">
${field({ name: 'login', label: 'User name', value: typed.login, autocomplete: 'username', maxLength: 39, hint: 'Lower-case letters, digits, - _ and . — it is also your scope.', hasFocus: true })}
${emailField(typed, invitation)}
${isFirst ? area('patterns', 'Names hosted here', html`One pattern a line, such as <code>@acme/*</code> or <code>acme-*</code>. Only these names can be published here; you can change them later.`, typed.patterns) : nothing}
${byPasskey(c, typed)}
<div data-instead>${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'new-password', hint: 'At least 12 characters that you use nowhere else. A password manager makes good ones.' })}</div>
<button type="submit" ${hasPasskeyPlace(c) ? html`class="plain"` : ''}>${isFirst ? 'Set up this registry' : 'Make the account'}</button>
</form>`
}

/** Without a password there is nothing to guess, to leak or to be talked out of. */
function byPasskey(c: PageContext, { accountId }: Typed): Markup {
  if (!hasPasskeyPlace(c)) return nothing
  const wish = beginSignUp(c.env.ports, accountId)
  return html`<fieldset><legend>With a passkey</legend>
<p class="small">Your device keeps it and asks for your finger, face or PIN. Nothing to remember, nothing to steal.</p>
${passkeyButton(c, { kind: 'create', wish, label: 'Continue with a passkey' })}</fieldset>
<h2>Or with a password</h2>`
}

/** An invitation proves the address it was sent to, so it cannot be changed here. */
function emailField(typed: Typed, invitation: Invitation | undefined): Markup {
  if (invitation !== undefined && invitation.email !== '')
    return html`<p>E-mail address: <strong>${invitation.email}</strong></p>`
  return field({
    name: 'email',
    label: 'E-mail address',
    type: 'email',
    value: typed.email,
    autocomplete: 'email',
    maxLength: 254,
  })
}

function titleOf(invitation: Invitation): string {
  return isSetUp(invitation) ? 'Set up this registry' : 'Make your account'
}

/** The first operator's link is the one invitation without an address. */
function isSetUp(invitation: Invitation): boolean {
  return invitation.email === '' && invitation.roles.includes('operator')
}

function refused(c: PageContext, main: Markup, trouble: Problem): Response {
  return sheet(c, { title: 'Make an account', main, trouble })
}

function applicantOf(c: PageContext, posted: Form): Applicant {
  const typed = {
    login: posted.text('login'),
    email: posted.text('email'),
    password: posted.secret('password'),
  }
  const passkey = passkeyAnswer(posted)
  if (passkey === undefined) return typed
  // What a password manager filled in is not what was chosen.
  return { ...typed, password: '', passkey: { ...passkey, name: clientName(whenceOf(c).client) } }
}

function typedOf(c: PageContext, posted: Form): Typed {
  const typed = {
    login: posted.text('login'),
    email: posted.text('email'),
    patterns: posted.text('patterns'),
  }
  const passkey = passkeyAnswer(posted)
  return passkey === undefined
    ? typed
    : { ...typed, accountId: accountOfChallenge(c.env.ports, passkey.sealed) }
}

function unique(patterns: readonly NamePattern[]): NamePattern[] {
  return [...new Set(patterns)]
}

function secretOf(c: PageContext): string {
  return c.req.param('secret') ?? ''
}
