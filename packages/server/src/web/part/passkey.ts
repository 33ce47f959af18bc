// SPDX-License-Identifier: Apache-2.0
import { findPasskeyPlace, type PasskeyAnswer, type PasskeyWish } from '../../flow/index.ts'
import { assetPath } from '../asset.ts'
import type { PageContext } from '../context.ts'
import type { Form } from '../form.ts'
import { html, type Markup } from '../markup.ts'

/** A button that asks the browser for a passkey. */
export interface PasskeyButton {
  readonly kind: 'create' | 'get'
  readonly wish: PasskeyWish
  readonly label: string
  /** What the form says besides, when it is sent by this button. */
  readonly name?: string
  readonly value?: string
}

/** The button with its hidden fields, for the inside of a form. It appears once a script can make it work. */
export function passkeyButton(c: PageContext, about: PasskeyButton): Markup {
  const { kind, wish, label, name = '', value = '' } = about
  const origin = findPasskeyPlace(c.env.ports.config.publicUrl)?.origin ?? ''
  return html`<input type="hidden" name="challenge" value="${wish.sealed}"><input type="hidden" name="passkey" value="">
<button type="button" ${name === '' ? '' : html`name="${name}" value="${value}"`} data-passkey="${kind}" data-origin="${origin}" data-options="${JSON.stringify(wish.options)}" hidden>${label}</button>
<p class="hint" data-passkey-note role="status">Passkeys need a browser that runs scripts.</p>
<script type="module" src="${assetPath('passkey.js')}"></script>`
}

/** Whether browsers can have passkeys for this registry at all. */
export function hasPasskeyPlace(c: PageContext): boolean {
  return findPasskeyPlace(c.env.ports.config.publicUrl) !== undefined
}

/** What the button sent; undefined when the form was sent by another. */
export function passkeyAnswer(posted: Form): PasskeyAnswer | undefined {
  const text = posted.secret('passkey')
  return text === '' ? undefined : { sealed: posted.secret('challenge'), text }
}
