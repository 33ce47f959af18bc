// SPDX-License-Identifier: Apache-2.0
import { isProblem, type Problem, parsePackageName, parseVersion, problem } from '@holdfast/core'
import { confirmReport, describeSubject, makeReport, readReportLink } from '../../flow/index.ts'
import { type ReportKind, reportKinds } from '../../incident/index.ts'
import { findVisitor, type PageContext, whenceOf } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { area, choose, field } from '../part/field.ts'
import { notice, problemNotice } from '../part/notice.ts'

const kinds: Readonly<Record<ReportKind, string>> = {
  malware: 'Malware: it steals, destroys or spreads',
  'look-alike': 'Look-alike: its name is taken for another one',
  'dependency-confusion': 'Dependency confusion: it takes the name of a private package',
  secret: 'A secret is in it',
  impersonation: 'Impersonation: it pretends to be somebody else’s',
  spam: 'Spam',
  other: 'Something else',
}

interface Typed {
  readonly name: string
  readonly version: string
  readonly login: string
  readonly kind: string
  readonly words: string
  readonly evidence: string
  readonly email: string
}

/** Where anybody reports a package, a version or an account. */
export function reportPage(c: PageContext): Response {
  const { query } = c.env.call
  const given = (name: string) => (query.get(name) ?? '').slice(0, 256)
  const [name, version, login] = [given('package'), given('version'), given('account')]
  return form(c, { name, version, login, kind: 'malware', words: '', evidence: '', email: '' })
}

export async function reportSubmit(c: PageContext): Promise<Response> {
  const posted = await readForm(c)
  const typed = typedOf(posted)
  try {
    const { email, kind, words, evidence, login } = typed
    if (!isKind(kind)) throw problem('invalid-body', { why: 'its kind is none of those above' })
    const reported = { ...subjectOf(typed), login, kind, words, evidence }
    const { state } = await makeReport(c.env.ports, c.env.call.actor, whenceOf(c), reported, email)
    return state === 'open' ? thanks(c) : letter(c)
  } catch (error) {
    if (!isProblem(error)) throw error
    return form(c, typed, error)
  }
}

function typedOf(posted: Form): Typed {
  const [name, version, login] = [posted.text('package'), posted.text('version'), posted.text('account')]
  const [kind, words, evidence] = [posted.text('kind'), posted.text('words'), posted.text('evidence')]
  return { name, version, login, kind, words, evidence, email: posted.text('email') }
}

function subjectOf({ name, version }: Typed) {
  if (name === '') return {}
  return {
    package: parsePackageName(name),
    ...(version === '' ? {} : { version: parseVersion(version) }),
  }
}

function isKind(kind: string): kind is ReportKind {
  return (reportKinds as readonly string[]).includes(kind)
}

function form(c: PageContext, typed: Typed, trouble?: Problem): Response {
  const visitor = findVisitor(c.env.call.actor)
  const main = html`<h1>Report something</h1>
<p class="lead">A package, one version of it, or an account: you need none yourself. A responder looks at it, and you hear how it ended.</p>
${visitor === undefined && c.env.ports.mail.kind === 'outbox' ? notice('warn', 'This registry sends no mail', html`So a report without an account cannot be confirmed here: <a href="/sign-in?next=/report">sign in</a>, or tell its operator.`) : nothing}
${problemNotice(trouble)}
<form class="form" method="post" action="/report">
${field({ name: 'package', label: 'Package', value: typed.name, isOptional: true, maxLength: 214, hint: 'Its whole name, such as @acme/ui.' })}
${field({ name: 'version', label: 'Version', value: typed.version, isOptional: true, maxLength: 256, hint: 'Exactly one. Leave it empty where the whole package is meant.' })}
${typed.name === '' ? field({ name: 'account', label: 'Or an account', value: typed.login, isOptional: true, maxLength: 64, hint: 'Its user name, where no package is meant.' }) : nothing}
${choose(
  'kind',
  'What is wrong',
  reportKinds.map(each => [each, kinds[each]] as const),
  typed.kind,
)}
${words(typed.words)}
${area('evidence', 'Evidence', 'File names, addresses, what you saw. Whole tokens are revoked and not kept.', typed.evidence)}
${visitor === undefined ? field({ name: 'email', label: 'Your e-mail address', type: 'email', value: typed.email, autocomplete: 'email', maxLength: 254, hint: 'A letter with a link goes there: only then the report counts. The address is forgotten once you were told the outcome.' }) : nothing}
<button type="submit">Report</button>
</form>
<p class="small after">Found a token? <a href="/revoke-token">End it here</a>: that takes no report.</p>`
  return sheet(c, { title: 'Report something', main, trouble })
}

function words(value: string): Markup {
  return html`<div class="field"><label for="words">What you found</label>
<textarea id="words" name="words" rows="4" maxlength="4000" required>${value}</textarea></div>`
}

function letter(c: PageContext): Response {
  const main = html`<h1>Look into your mailbox</h1>
<p>A letter with a link is on its way. Your report counts once you open that link, within a day.</p>`
  return sheet(c, { title: 'Look into your mailbox', main, path: '/' })
}

function thanks(c: PageContext): Response {
  const main = html`<h1>Thank you</h1>
<p>Your report counts. A responder looks at it; a letter says how it ended.</p>`
  return sheet(c, { title: 'Thank you', main, path: '/' })
}

/** Behind the link of the letter. It only asks: mail scanners open every link they see. */
export async function reportLinkPage(c: PageContext): Promise<Response> {
  const found = await readReportLink(c.env.ports, secretOf(c), whenceOf(c))
  const main = html`<h1>Is this report yours?</h1>
<p>You reported <strong><bdi>${describeSubject(found)}</bdi></strong>: ${kinds[found.kind]}.</p>
<form class="form" method="post" action="/report/confirm/${secretOf(c)}"><button type="submit">Yes, it is mine</button></form>`
  return sheet(c, { title: 'Confirm your report', main, path: '/' })
}

export async function reportLinkSubmit(c: PageContext): Promise<Response> {
  await confirmReport(c.env.ports, secretOf(c), whenceOf(c))
  return thanks(c)
}

function secretOf(c: PageContext): string {
  return c.req.param('secret') ?? ''
}
