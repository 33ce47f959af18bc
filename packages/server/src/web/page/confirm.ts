// SPDX-License-Identifier: Apache-2.0
import { isProblem, type Problem, problem } from '@holdfast/core'
import {
  beginPasskeyConfirm,
  confirmByPasskey,
  confirmPresence,
  countOwnRecoveryCodes,
} from '../../flow/index.ts'
import { tfaModeOf } from '../../identity/index.ts'
import { leadTo } from '../answer.ts'
import { getVisitor, type PageContext, type Visitor } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { localPath } from '../origin.ts'
import { field } from '../part/field.ts'
import { problemNotice } from '../part/notice.ts'
import { passkeyAnswer, passkeyButton } from '../part/passkey.ts'

/** Asks once more who it is, before a dangerous act in an old session; then leads on. */
export async function confirmPage(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const next = localPath(c.env.call.query.get('next'))
  if (isFresh(c, visitor) && (!wantsTouch(c) || visitor.credential.byPasskey === true)) return leadTo(c, next)
  return form(c, visitor, next)
}

/** For a critical package a code was not enough. */
function wantsTouch(c: PageContext): boolean {
  return c.env.call.query.get('with') === 'passkey'
}

export async function confirmSubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const posted = await readForm(c)
  const next = localPath(posted.text('next'))
  try {
    await confirm(c, visitor, posted)
    return leadTo(c, next)
  } catch (error) {
    if (!isProblem(error)) throw error
    return form(c, visitor, next, error)
  }
}

/** Whether somebody signed in can type something to show that it is them. */
export async function hasSomethingToType(c: PageContext, visitor: Visitor): Promise<boolean> {
  if (visitor.tfa !== 'none' || !visitor.hasPasskey) return true
  return (await countOwnRecoveryCodes(c.env.ports, visitor)) > 0
}

/** The fields with which they do: what `confirm` reads. */
export function presenceFields(visitor: Visitor): Markup {
  // The hidden name tells password managers whose password is asked for.
  return tfaModeOf(visitor) === 'none'
    ? html`<input type="text" name="login" value="${visitor.login}" autocomplete="username" hidden>${field({ name: 'password', label: 'Your password', type: 'password', autocomplete: 'current-password', hasFocus: true })}`
    : field({
        name: 'otp',
        label: 'One-time code',
        autocomplete: 'one-time-code',
        hint: 'From your authenticator, or a recovery code.',
        hasFocus: true,
      })
}

/** Checks those fields; the session is fresh again afterwards. Throws `bad-credentials`, `otp-required`, `rate-limited`. */
export async function confirm(c: PageContext, visitor: Visitor, posted: Form): Promise<void> {
  const passkey = passkeyAnswer(posted)
  if (passkey !== undefined) return confirmByPasskey(c.env.ports, visitor, passkey)
  const typed = { password: posted.secret('password'), otp: posted.text('otp').replace(/\s/g, '') }
  await confirmPresence(c.env.ports, visitor, typed)
}

/** Whether the session was proven lately, so that nothing more is asked. */
export function isFresh(c: PageContext, visitor: Visitor): boolean {
  return visitor.credential.freshUntil > c.env.ports.clock()
}

/** For pages whose form would be refused: asks before anything is typed; gives the visitor. Throws `presence-required`. */
export function checkFresh(c: PageContext, visitor: Visitor): Visitor {
  if (!isFresh(c, visitor)) throw problem('presence-required', { operation: 'go on' })
  return visitor
}

async function form(c: PageContext, visitor: Visitor, next: string, trouble?: Problem): Promise<Response> {
  const main = html`<h1>Is it still you, ${visitor.login}?</h1>
<p>${wantsTouch(c) ? 'What you are about to do is confirmed by your passkey: a code could be talked out of you.' : 'You signed in a while ago. What you are about to do needs a fresh proof.'}</p>
${problemNotice(trouble)}
${await touchForm(c, visitor, next)}
${!wantsTouch(c) && (await hasSomethingToType(c, visitor)) ? typedForm(visitor, next) : nothing}`
  return sheet(c, { title: 'Confirm that it is you', main, trouble })
}

async function touchForm(c: PageContext, visitor: Visitor, next: string): Promise<Markup> {
  if (!visitor.hasPasskey) return nothing
  const wish = await beginPasskeyConfirm(c.env.ports, visitor)
  return html`<form class="form" method="post" action="/confirm">
<input type="hidden" name="next" value="${next}">
${passkeyButton(c, { kind: 'get', wish, label: 'Confirm with your passkey' })}
</form>`
}

function typedForm(visitor: Visitor, next: string): Markup {
  return html`<form class="form" method="post" action="/confirm">
<input type="hidden" name="next" value="${next}">
${presenceFields(visitor)}
<button type="submit" ${visitor.hasPasskey ? html`class="plain"` : ''}>Confirm</button>
</form>`
}
