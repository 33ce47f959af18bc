// SPDX-License-Identifier: Apache-2.0
import type { Problem } from '@holdfast/core'
import {
  beginTfa,
  disableTfa,
  finishTfa,
  readAccount,
  renewRecoveryCodes,
  tfaState,
} from '../../flow/index.ts'
import type { Account } from '../../identity/index.ts'
import { getVisitor, type PageContext, type Visitor } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { field, radios } from '../part/field.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { snippet } from '../part/snippet.ts'
import { accountTabs } from './account-tab.ts'
import { checkFresh } from './confirm.ts'

const path = '/account/second-factor'
const modes = {
  'auth-and-writes': 'To sign in, and for every publish and change of a package',
  'auth-only': 'To sign in, and to change the account',
} as const

/** One's authenticator: whether there is one, and how to begin or end it. */
export async function secondFactorPage(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  checkFresh(c, visitor)
  return page(c, await readAccount(c.env.ports, visitor))
}

/** One step of beginning, finishing or ending it; codes and the key are shown this once. */
export async function secondFactorSubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const posted = await readForm(c)
  try {
    const told = await act(c, visitor, posted)
    return page(c, await readAccount(c.env.ports, visitor), told)
  } catch (error) {
    return page(c, await readAccount(c.env.ports, visitor), nothing, asNotice(error))
  }
}

async function act(c: PageContext, visitor: Visitor, posted: Form): Promise<Markup> {
  const { ports } = c.env
  switch (posted.text('act')) {
    case 'begin': {
      const mode = posted.text('mode') === 'auth-only' ? 'auth-only' : 'auth-and-writes'
      const address = await beginTfa(ports, visitor, posted.secret('password'), mode)
      return address === undefined ? notice('good', 'Changed') : keyText(address)
    }
    case 'finish':
      return codesText(
        await finishTfa(ports, visitor, posted.text('code').replace(/\s/g, '')),
        'Two-factor authentication is on',
      )
    case 'codes':
      return codesText(
        await renewRecoveryCodes(ports, visitor),
        'These are your new recovery codes; the old ones are void',
      )
    case 'end':
      await disableTfa(ports, visitor, posted.secret('password'))
      return notice('warn', 'Two-factor authentication is off')
    default:
      return nothing
  }
}

function page(c: PageContext, account: Account, told: Markup = nothing, trouble?: Problem): Response {
  const state = tfaState(c.env.ports, account)
  const main = html`<h1>${account.login}</h1>
${accountTabs('second')}
${told}${problemNotice(trouble)}
${state === undefined ? begin(account) : state.pending ? finish(account) : on(account, modes[state.mode])}`
  return sheet(c, { title: 'Authenticator', main, trouble, path })
}

function keyText(address: string): Markup {
  const key = new URL(address).searchParams.get('secret') ?? ''
  return html`${notice('plain', 'Add this key to your authenticator now: it is shown this once')}
${snippet(key, 'Key', 'key')}${snippet(address, 'The same as an address', 'address')}`
}

/** Recovery codes, told this once. */
export function codesText(codes: readonly string[], title: string): Markup {
  return html`${notice('good', title, html`Keep these recovery codes where you find them without your authenticator. Each works once; they are shown this once.`)}
${snippet(codes.join('\n'), 'Recovery codes', 'codes')}`
}

function begin(account: Account): Markup {
  return html`<p>With a code from an authenticator app a stolen password is not enough. A <a href="/account/security">passkey</a> is quicker, and nobody can talk you out of it.</p>
<form class="form" method="post" action="${path}">
${radios('mode', 'Asked for', Object.entries(modes))}
${password(account)}
<button type="submit" name="act" value="begin">Begin</button></form>`
}

function finish(account: Account): Markup {
  return html`<p>Type the code that your authenticator shows now. Until then nothing is asked of you.</p>
<form class="form" method="post" action="${path}">
${field({ name: 'code', label: 'Code', autocomplete: 'one-time-code', maxLength: 10 })}
<button type="submit" name="act" value="finish">Switch it on</button></form>
<h2>Begin again</h2>
<form class="form" method="post" action="${path}">${password(account)}
<button class="plain" type="submit" name="act" value="end">Forget this key</button></form>`
}

function on(account: Account, words: string): Markup {
  return html`<p>${badge('on', 'good', '✓')} ${words}.</p>
<h2>Recovery codes</h2>
<form class="form" method="post" action="${path}"><button class="plain" type="submit" name="act" value="codes">Make new ones</button></form>
<h2>Switch it off</h2>
<form class="form" method="post" action="${path}">${password(account)}
<button class="danger" type="submit" name="act" value="end">Switch it off</button></form>`
}

/** Whoever has no password was asked for a passkey before this page. */
function password({ login, passwordHash }: Account): Markup {
  if (passwordHash === null) return nothing
  return html`<input type="text" name="login" value="${login}" autocomplete="username" hidden>
${field({ name: 'password', label: 'Your password', type: 'password', autocomplete: 'current-password' })}`
}
