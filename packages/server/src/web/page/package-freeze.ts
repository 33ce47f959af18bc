// SPDX-License-Identifier: Apache-2.0
/** Whoever maintains a package closes it for everybody, also for its owners, and opens it again. */
import { type PackageName, type Problem, parsePackageName } from '@holdfast/core'
import { freezeOwn, listFreezes, type OwnFreeze, undoMeasure } from '../../flow/index.ts'
import { may } from '../../identity/index.ts'
import { leadTo } from '../answer.ts'
import { getVisitor, type PageContext } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { area } from '../part/field.ts'
import { ago } from '../part/format.ts'
import { freezePath, packagePath } from '../part/link.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { checkFresh } from './confirm.ts'

/** What closes it, and the button. */
export async function freezePage(c: PageContext): Promise<Response> {
  checkFresh(c, getVisitor(c))
  return show(c, parsePackageName(c.req.param('name')))
}

/** Closes it, or opens what the same person closed. */
export async function freezeSubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const name = parsePackageName(c.req.param('name'))
  const posted = await readForm(c)
  try {
    if (posted.text('act') === 'open') await undoMeasure(c.env.ports, visitor, posted.text('id'))
    else await freezeOwn(c.env.ports, visitor, name, posted.text('words'))
  } catch (error) {
    return show(c, name, asNotice(error))
  }
  return leadTo(c, freezePath(name))
}

/** On the package's page, for those who maintain it. */
export async function freezeNotice(c: PageContext, name: PackageName): Promise<Markup> {
  const { ports, call } = c.env
  if (call.actor.kind !== 'person' || !(await may(ports, call.actor, 'package:freeze', name))) return nothing
  const [first] = await listFreezes(ports, call.actor, name)
  if (first === undefined) return nothing
  return notice(
    'warn',
    'Nobody publishes here now',
    html`<a href="${freezePath(name)}">Who froze it, and why</a>`,
  )
}

async function show(c: PageContext, name: PackageName, trouble?: Problem): Promise<Response> {
  const { ports, call } = c.env
  const freezes = await listFreezes(ports, call.actor, name)
  const now = ports.clock()
  const main = html`<h1>Freeze <a href="${packagePath(name)}">${name}</a></h1>
${problemNotice(trouble)}
<p>While it is frozen nobody publishes, tags, deprecates or changes who has access, owners neither. What is published stays, and is installed as before.</p>
${freezes.map(each => entry(name, each, now))}
${
  freezes.some(each => each.isOwn)
    ? nothing
    : html`<form class="form" method="post" action="${freezePath(name)}">
${area('words', 'Why', 'Whoever is refused reads it.')}
<button name="act" value="freeze">Freeze it now</button>
<p class="small">You open it again yourself, or responders do.</p></form>`
}`
  return sheet(c, { title: `Freeze ${name}`, main, status: trouble?.status ?? 200 })
}

function entry(
  name: PackageName,
  { id, actor, madeAt, subject, reason, words, isOwn }: OwnFreeze,
  now: number,
) {
  const by = isOwn ? 'You' : actor
  return html`${notice('warn', `${by} froze ${subject}`, html`<p><bdi>${words || reason}</bdi>, ${ago(madeAt, now)}</p>`)}
${
  isOwn
    ? html`<form method="post" action="${freezePath(name)}"><input type="hidden" name="id" value="${id}"><button name="act" value="open">Open it again</button></form>`
    : html`<p class="small">Responders open it, or who froze it.</p>`
}`
}
