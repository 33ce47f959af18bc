// SPDX-License-Identifier: Apache-2.0
/** How one's account is kept: passkeys, codes, password, and what to do next. */
import type { Problem } from '@holdfast/core'
import {
  beginPasskey,
  countOwnRecoveryCodes,
  findPasskeyPlace,
  finishPasskey,
  listOwnPasskeys,
  readAccount,
  removePasskey,
  removePassword,
  renamePasskey,
  renewRecoveryCodes,
} from '../../flow/index.ts'
import { type Passkey, tfaModeOf } from '../../identity/index.ts'
import { leadTo } from '../answer.ts'
import { getVisitor, type PageContext, type Visitor } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { clientName } from '../part/client.ts'
import { field } from '../part/field.ts'
import { ago, plural } from '../part/format.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { hasPasskeyPlace, passkeyAnswer, passkeyButton } from '../part/passkey.ts'
import { accountTabs } from './account-tab.ts'
import { checkFresh } from './confirm.ts'
import { codesText } from './second-factor.ts'
import { checklist, type Safety } from './security-checklist.ts'

const path = '/account/security'
const newPath = '/account/passkeys/new'

const said: Readonly<Record<string, string>> = {
  welcome: 'Welcome: your account is made',
  added: 'Your passkey is added',
  renamed: 'The passkey has its new name',
  removed: 'The passkey is removed, and all other sessions are ended',
  password: 'The password is removed: you sign in by passkey',
}

/** The passkeys with their names and last use, below a list of what to do. */
export async function securityPage(c: PageContext): Promise<Response> {
  return page(c, getVisitor(c))
}

/** One change; recovery codes are shown this once. */
export async function securitySubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const posted = await readForm(c)
  try {
    if (posted.text('act') === 'codes') {
      const codes = await renewRecoveryCodes(c.env.ports, visitor)
      return await page(c, visitor, codesText(codes, 'These are your recovery codes; older ones are void'))
    }
    return leadTo(c, `${path}?done=${await act(c, visitor, posted)}`)
  } catch (error) {
    return page(c, visitor, nothing, asNotice(error))
  }
}

async function act(c: PageContext, visitor: Visitor, posted: Form): Promise<string> {
  const { ports } = c.env
  const id = posted.text('passkey-id')
  switch (posted.text('act')) {
    case 'rename':
      await renamePasskey(ports, visitor, id, posted.text('name'))
      return 'renamed'
    case 'remove':
      await removePasskey(ports, visitor, id)
      return 'removed'
    case 'password':
      await removePassword(ports, visitor)
      return 'password'
    default:
      return ''
  }
}

/** Where one passkey more is made. Asks for a fresh proof before anything is touched. */
export async function newPasskeyPage(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  checkFresh(c, visitor)
  return newForm(c, visitor)
}

export async function newPasskeySubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const posted = await readForm(c)
  try {
    const answer = passkeyAnswer(posted) ?? { sealed: posted.secret('challenge'), text: '' }
    await finishPasskey(c.env.ports, visitor, answer, posted.text('name'))
    return leadTo(c, `${path}?done=added`)
  } catch (error) {
    return newForm(c, visitor, asNotice(error))
  }
}

async function newForm(c: PageContext, visitor: Visitor, trouble?: Problem): Promise<Response> {
  const wish = await beginPasskey(c.env.ports, visitor)
  const main = html`<h1>Add a passkey</h1>
<p>Your device or security key keeps it, and asks for your finger, face or PIN. From then on it signs you in without a password, and the password alone no longer does.</p>
${problemNotice(trouble)}
<form class="form" method="post" action="${newPath}">
${field({ name: 'name', label: 'Name', value: clientName(visitor.from.client), hint: 'By which you know this device again.', maxLength: 60 })}
${passkeyButton(c, { kind: 'create', wish, label: 'Make the passkey' })}
</form>
<p class="after"><a href="${path}">Back</a></p>`
  return sheet(c, { title: 'Add a passkey', main, status: trouble?.status ?? 200 })
}

async function page(
  c: PageContext,
  visitor: Visitor,
  told: Markup = nothing,
  trouble?: Problem,
): Promise<Response> {
  const { ports } = c.env
  const [account, passkeys, codes] = await Promise.all([
    readAccount(ports, visitor),
    listOwnPasskeys(ports, visitor),
    countOwnRecoveryCodes(ports, visitor),
  ])
  const rpId = findPasskeyPlace(ports.config.publicUrl)?.rpId
  const safety: Safety = {
    isConfirmed: account.emailVerifiedAt !== null,
    canHavePasskeys: hasPasskeyPlace(c),
    passkeys: passkeys.filter(each => each.rpId === rpId).length,
    codes,
    hasFactor: tfaModeOf(account) !== 'none',
    hasAuthenticator: account.tfa !== 'none',
    hasPassword: account.passwordHash !== null,
  }
  const main = html`<h1>${visitor.login}</h1>
${accountTabs('security')}
${doneNotice(c)}${told}${problemNotice(trouble)}
${checklist(safety)}
<h2 id="passkeys">Passkeys</h2>
${passkeys.length === 0 ? html`<p>You have none yet.</p>` : table(passkeys, rpId, ports.clock())}
${safety.canHavePasskeys && passkeys.length > 0 ? html`<p><a class="button plain" href="${newPath}">Add another</a></p>` : nothing}
${safety.hasFactor ? recovery(codes) : nothing}
${safety.hasPassword && passkeys.length > 0 ? withoutPassword() : nothing}`
  return sheet(c, { title: 'Security', main, status: trouble?.status ?? 200 })
}

function table(passkeys: readonly Passkey[], rpId: string | undefined, now: number): Markup {
  const elsewhere = passkeys.filter(each => each.rpId !== rpId)
  const hosts = [...new Set(elsewhere.map(each => each.rpId))]
  return html`${hosts.length === 0 ? nothing : notice('warn', `${plural(elsewhere.length, 'passkey')} of another host name`, html`This registry had another address: what was made for ${hosts.map(host => html`<code>${host}</code> `)}works there alone. Make a new one here.`)}
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Name</th><th scope="col">Kept</th><th scope="col">Added</th><th scope="col">Last used</th><th scope="col"><span class="unseen">Action</span></th></tr></thead>
<tbody>${passkeys.map(each => row(each, rpId, now))}</tbody></table></div>`
}

function row(passkey: Passkey, rpId: string | undefined, now: number): Markup {
  const { id, name, backedUp, createdAt, lastUsedAt } = passkey
  return html`<tr><td><bdi>${name}</bdi>${passkey.rpId === rpId ? nothing : html` ${badge(`of ${passkey.rpId}`, 'warn', '!')}`}</td><td>${backedUp ? 'on all your devices' : 'on one device'}</td>
<td class="nowrap">${ago(createdAt, now)}</td><td class="nowrap">${lastUsedAt === null ? 'never' : ago(lastUsedAt, now)}</td>
<td><details><summary>Change</summary><form class="form" method="post" action="${path}"><input type="hidden" name="passkey-id" value="${id}">
<div class="field"><label for="name-${id}">New name</label><input id="name-${id}" name="name" value="${name}" maxlength="60" autocomplete="off"></div>
<div class="buttons"><button class="plain" type="submit" name="act" value="rename">Rename</button><button class="danger" type="submit" name="act" value="remove">Remove</button></div></form></details></td></tr>`
}

function recovery(codes: number): Markup {
  return html`<h2 id="recovery">Recovery codes</h2>
<p>${codes === 0 ? 'You have none.' : `${codes} left.`} Each stands in once for a lost device, together with your password or at a command line. New ones make the old ones void.</p>
<form method="post" action="${path}"><button class="plain" type="submit" name="act" value="codes">Make ${codes === 0 ? 'recovery codes' : 'new ones'}</button></form>`
}

function withoutPassword(): Markup {
  return html`<h2 id="password">Password</h2>
<p>You sign in by passkey. What is not there cannot leak; but recovery by password and a code ends with it.</p>
<form method="post" action="${path}"><button class="danger" type="submit" name="act" value="password">Remove the password</button></form>`
}

function doneNotice(c: PageContext): Markup {
  const key = c.env.call.query.get('done') ?? ''
  const words = Object.hasOwn(said, key) ? said[key] : undefined
  return words === undefined ? nothing : notice('good', words)
}
