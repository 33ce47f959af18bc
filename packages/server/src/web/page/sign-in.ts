// SPDX-License-Identifier: Apache-2.0
import { isProblem, type Problem } from '@holdfast/core'
import {
  beginPasskeySignIn,
  listLapsed,
  type NewSession,
  signIn,
  signInByPasskey,
  signOut,
} from '../../flow/index.ts'
import { leadTo } from '../answer.ts'
import { findVisitor, type PageContext, whenceOf } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { localPath } from '../origin.ts'
import { field } from '../part/field.ts'
import { notice, problemNotice } from '../part/notice.ts'
import { hasPasskeyPlace, passkeyAnswer, passkeyButton } from '../part/passkey.ts'

/** Who wanted nowhere in particular is shown first that a mailbox is no way back in any more: no letter can say it. */
async function landing(c: PageContext, next: string, accountId: string): Promise<string> {
  if (next !== '/') return next
  return (await listLapsed(c.env.ports, { id: accountId })).length > 0 ? '/account/addresses' : next
}

/** Where one signs in, and is led on to where one wanted to go. */
export function signInPage(c: PageContext): Response {
  const next = localPath(c.env.call.query.get('next'))
  if (findVisitor(c.env.call.actor) !== undefined) return leadTo(c, next)
  return form(c, { next, login: '' })
}

/** Checks what was typed; a wrong word is told on the same page. */
export async function signInSubmit(c: PageContext): Promise<Response> {
  const posted = await readForm(c)
  const [next, login] = [localPath(posted.text('next')), posted.text('login')]
  try {
    const { secret, session } = await proven(c, posted)
    return leadTo(c, await landing(c, next, session.accountId), secret)
  } catch (error) {
    if (!isProblem(error)) throw error
    return form(c, { next, login, trouble: error })
  }
}

function proven(c: PageContext, posted: Form): Promise<NewSession> {
  const { ports } = c.env
  const passkey = passkeyAnswer(posted)
  if (passkey !== undefined) return signInByPasskey(ports, passkey, whenceOf(c))
  const [login, password] = [posted.text('login'), posted.secret('password')]
  return signIn(ports, { login, password, otp: posted.text('otp').replace(/\s/g, '') }, whenceOf(c))
}

/** Ends the session and takes its cookie away. */
export async function signOutSubmit(c: PageContext): Promise<Response> {
  await signOut(c.env.ports, c.env.call.actor)
  return leadTo(c, '/', '')
}

function doneNotice(done: string | null): Markup {
  if (done === 'verified') return notice('good', 'Your address is confirmed')
  if (done === 'recovered') return notice('good', 'Your new password is set: sign in with it')
  return nothing
}

function form(c: PageContext, state: { next: string; login: string; trouble?: Problem }): Response {
  const { config } = c.env.ports
  const { next, login, trouble } = state
  const needsCode = trouble?.code === 'otp-required'
  const main = html`<h1>Sign in</h1>
${doneNotice(c.env.call.query.get('done'))}
${needsCode ? notice('warn', 'Your account has a second factor', html`Type your password and the code from your authenticator, or a recovery code.`) : problemNotice(trouble)}
${byPasskey(c, next)}
<form class="form" method="post" action="/sign-in">
<input type="hidden" name="next" value="${next}">
${field({ name: 'login', label: 'User name or e-mail address', value: login, autocomplete: 'username', hasFocus: login === '' })}
${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', hasFocus: login !== '' })}
${needsCode ? field({ name: 'otp', label: 'One-time code', autocomplete: 'one-time-code' }) : nothing}
<button type="submit">Sign in</button>
</form>
<p class="small after">${config.signUp === 'open' ? html`No account yet? <a href="/sign-up">Make one</a>.` : 'Accounts are made by invitation: ask the operator of this registry for a link.'}
<a href="/recover">Get back in</a> when you lost what you sign in with.</p>`
  return sheet(c, { title: 'Sign in', main, trouble, path: '/' })
}

/** Names nobody: the passkey itself says whose it is. */
function byPasskey(c: PageContext, next: string): Markup {
  if (!hasPasskeyPlace(c)) return nothing
  const wish = beginPasskeySignIn(c.env.ports)
  return html`<form class="form" method="post" action="/sign-in">
<input type="hidden" name="next" value="${next}">
${passkeyButton(c, { kind: 'get', wish, label: 'Sign in with a passkey' })}
</form>
<h2>With a password</h2>`
}
