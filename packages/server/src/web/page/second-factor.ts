// SPDX-License-Identifier: Apache-2.0
import { isProblem, type Problem } from '@holdfast/core'
import {
  beginTfa,
  disableTfa,
  finishTfa,
  readAccount,
  renewRecoveryCodes,
  tfaState,
} from '../../flow/index.ts'
import { getVisitor, type PageContext, type Visitor } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { field, radios } from '../part/field.ts'
import { notice, problemNotice } from '../part/notice.ts'
import { snippet } from '../part/snippet.ts'
import { accountTabs } from './account-tab.ts'
import { checkFresh } from './confirm.ts'

const path = '/account/second-factor'
const modes = {
  'auth-and-writes': 'To sign in, and for every publish and change of a package',
  'auth-only': 'To sign in, and to change the account',
} as const

type State = ReturnType<typeof tfaState>

/** One's authenticator: whether there is one, and how to begin or end it. */
export async function secondFactorPage(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  checkFresh(c, visitor)
  return page(c, visitor, await stateOf(c, visitor))
}

/** One step of beginning, finishing or ending it; codes and the key are shown this once. */
export async function secondFactorSubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const posted = await readForm(c)
  try {
    const told = await act(c, visitor, posted)
    return page(c, visitor, await stateOf(c, visitor), told)
  } catch (error) {
    if (!isProblem(error) || error.code === 'presence-required') throw error
    return page(c, visitor, await stateOf(c, visitor), nothing, error)
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

async function stateOf(c: PageContext, visitor: Visitor): Promise<State> {
  return tfaState(c.env.ports, await readAccount(c.env.ports, visitor))
}

function page(
  c: PageContext,
  visitor: Visitor,
  state: State,
  told: Markup = nothing,
  trouble?: Problem,
): Response {
  const main = html`<h1>${visitor.login}</h1>
${accountTabs('second')}
${told}${problemNotice(trouble)}
${state === undefined ? begin(visitor) : state.pending ? finish(visitor) : on(visitor, modes[state.mode])}`
  return sheet(c, { title: 'Second factor', main, status: trouble?.status ?? 200, path })
}

function keyText(address: string): Markup {
  const key = new URL(address).searchParams.get('secret') ?? ''
  return html`${notice('plain', 'Add this key to your authenticator now: it is shown this once')}
${snippet(key, 'Key', 'key')}${snippet(address, 'The same as an address', 'address')}`
}

function codesText(codes: readonly string[], title: string): Markup {
  return html`${notice('good', title, html`Keep these recovery codes where you find them without your authenticator. Each works once; they are shown this once.`)}
${snippet(codes.join('\n'), 'Recovery codes', 'codes')}`
}

function begin(visitor: Visitor): Markup {
  return html`<p>With a code from an authenticator app a stolen password is not enough.</p>
<form class="form" method="post" action="${path}">
${radios('mode', 'Asked for', Object.entries(modes))}
${password(visitor)}
<button type="submit" name="act" value="begin">Begin</button></form>`
}

function finish(visitor: Visitor): Markup {
  return html`<p>Type the code that your authenticator shows now. Until then nothing is asked of you.</p>
<form class="form" method="post" action="${path}">
${field({ name: 'code', label: 'Code', autocomplete: 'one-time-code', maxLength: 10 })}
<button type="submit" name="act" value="finish">Switch it on</button></form>
<h2>Begin again</h2>
<form class="form" method="post" action="${path}">${password(visitor)}
<button class="plain" type="submit" name="act" value="end">Forget this key</button></form>`
}

function on(visitor: Visitor, words: string): Markup {
  return html`<p>${badge('on', 'good', '✓')} ${words}.</p>
<h2>Recovery codes</h2>
<form class="form" method="post" action="${path}"><button class="plain" type="submit" name="act" value="codes">Make new ones</button></form>
<h2>Switch it off</h2>
<form class="form" method="post" action="${path}">${password(visitor)}
<button class="danger" type="submit" name="act" value="end">Switch it off</button></form>`
}

function password(visitor: Visitor): Markup {
  return html`<input type="text" name="login" value="${visitor.login}" autocomplete="username" hidden>
${field({ name: 'password', label: 'Your password', type: 'password', autocomplete: 'current-password' })}`
}
