// SPDX-License-Identifier: Apache-2.0
/** A name changes hands: where it is asked for, answered, granted, taken and stopped. */
import { type PackageName, type Problem, parsePackageName, problem } from '@holdfast/core'
import { type NameTransfer, transferDays } from '../../community/index.ts'
import { askTransfer, listTransfers, readTransfer, stepTransfer, type TransferAct } from '../../flow/index.ts'
import { authorize, may } from '../../identity/index.ts'
import { leadTo } from '../answer.ts'
import { getVisitor, hasRole, type PageContext, type Visitor } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { area } from '../part/field.ts'
import { ago } from '../part/format.ts'
import { packagePath, transferPath } from '../part/link.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { checkFresh } from './confirm.ts'
import { operateHead } from './operate-tab.ts'

const acts: Readonly<Record<TransferAct, string>> = {
  yes: 'Agree',
  no: 'Do not agree',
  grant: 'Grant it',
  refuse: 'Refuse it',
  confirm: 'Take the name',
  stop: 'Stop it',
}

export async function transferPage(c: PageContext): Promise<Response> {
  return transfer(c, getVisitor(c))
}

export async function transferSubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const name = parsePackageName(c.req.param('name'))
  const posted = await readForm(c)
  const act = posted.text('act')
  const reason = posted.text('reason')
  try {
    if (act === 'ask') await askTransfer(c.env.ports, visitor, name, reason)
    else if (Object.hasOwn(acts, act)) await stepTransfer(c.env.ports, visitor, name, act as TransferAct)
    else throw problem('invalid-body', { why: 'it names no step' })
  } catch (error) {
    return transfer(c, visitor, asNotice(error), reason)
  }
  return leadTo(c, transferPath(name))
}

async function transfer(c: PageContext, visitor: Visitor, trouble?: Problem, typed = ''): Promise<Response> {
  const { ports } = c.env
  const name = parsePackageName(c.req.param('name'))
  await authorize(ports, visitor, 'package:read', name)
  const told = await readTransfer(ports, visitor, name)
  const main = html`<h1>The name ${name}</h1>
${problemNotice(trouble)}
${told === undefined ? askForm(name, typed) : await shownTo(c, visitor, told)}
<p class="small">What counts is the <a href="/policy/naming">policy on naming disputes</a>. <a href="${packagePath(name)}">To the package</a></p>`
  return sheet(c, { title: `The name ${name}`, main, trouble })
}

function askForm(name: PackageName, typed: string): Markup {
  return html`<p>You can ask to have this name. Its owner has ${transferDays.answer} days to answer, then responders decide; it takes effect ${transferDays.wait} days after you took it. Where the owner wants you beside them, ask them to add you: that is simpler.</p>
<form class="form" method="post" action="${transferPath(name)}">
${area('reason', 'Why it should be yours', 'Its owner and the responders read this.', typed, 5)}
<button type="submit" name="act" value="ask">Ask for the name</button></form>`
}

async function shownTo(c: PageContext, visitor: Visitor, told: NameTransfer): Promise<Markup> {
  const { ports } = c.env
  const now = ports.clock()
  const asker = await ports.store.identity.findAccount(told.askedBy)
  const isOwner = await may(ports, visitor, 'package:own', told.package)
  const open = stepsFor(told, visitor, isOwner)
  return html`<p>${asker?.login ?? 'Somebody who is gone'} asked for it ${ago(told.askedAt, now)}: <bdi>${told.reason}</bdi></p>
<dl class="facts"><dt>State</dt><dd>${badge(told.state)}</dd>
<dt>Owner</dt><dd>${told.answer === '' ? html`has not answered; the time for it ends ${ago(told.answerBy, now)}` : told.answer === 'yes' ? 'agreed' : 'did not agree'}</dd>
<dt>Granted</dt><dd>${told.grantedBy.length === 0 ? 'by nobody yet' : `by ${told.grantedBy.length === 1 ? 'one responder' : 'two responders'}`}${told.answer === 'no' ? ', two are needed' : ''}</dd>
${told.effectAt === null ? nothing : html`<dt>Takes effect</dt><dd>${ago(told.effectAt, now)}</dd>`}</dl>
${told.state === 'waiting' ? notice('warn', 'It changes hands when its wait is over', html`Everybody who has a role on it now loses it then, and so do its trusted publishers.`) : nothing}
<form class="form" method="post" action="${transferPath(told.package)}">${open.map(act => html`<button type="submit" name="act" value="${act}">${acts[act]}</button> `)}</form>`
}

/** The steps that are worth a button; whether they may be taken now is asked when they are. */
function stepsFor(told: NameTransfer, visitor: Visitor, isOwner: boolean): readonly TransferAct[] {
  const isAsker = told.askedBy === visitor.id
  const asOwner: readonly TransferAct[] = told.state === 'asked' ? ['yes', 'no'] : ['stop']
  const asResponder: readonly TransferAct[] = ['grant', 'refuse']
  if (isAsker) return told.state === 'granted' ? ['confirm', 'stop'] : ['stop']
  if (isOwner) return asOwner
  return hasRole(visitor, 'responder') ? asResponder : []
}

/** What waits, for responders. */
export async function transfersPage(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  if (!hasRole(visitor, 'responder')) throw problem('not-found')
  checkFresh(c, visitor)
  const all = await listTransfers(c.env.ports, visitor)
  const now = c.env.ports.clock()
  const main = html`${operateHead(c, 'transfers')}
<p>Names that somebody asked for. One of you decides where the owner agreed or stayed silent for ${transferDays.answer} days, two where the owner said no.</p>
${all.length === 0 ? html`<p>None waits.</p>` : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Name</th><th scope="col">State</th><th scope="col">Owner</th><th scope="col">Asked</th></tr></thead><tbody>${all.map(each => html`<tr><td><a href="${transferPath(each.package)}">${each.package}</a></td><td>${badge(each.state)}</td><td>${each.answer === '' ? 'no answer' : each.answer}</td><td class="nowrap">${ago(each.askedAt, now)}</td></tr>`)}</tbody></table></div>`}`
  return sheet(c, { title: 'Transfers', main })
}
