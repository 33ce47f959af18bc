// SPDX-License-Identifier: Apache-2.0
/** Operators put policies in their own words. */
import { diffLines, type Problem } from '@holdfast/core'
import { fillPolicyText, type PolicyPageName, parsePolicyText, policyPages } from '../../community/index.ts'
import { editPolicyPage, policyFacts, readPolicyPage } from '../../flow/index.ts'
import { leadTo } from '../answer.ts'
import { getOperator, type PageContext } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { hunkList } from '../part/diff.ts'
import { field } from '../part/field.ts'
import { ago } from '../part/format.ts'
import { asNotice, problemNotice } from '../part/notice.ts'
import { checkFresh } from './confirm.ts'
import { operateHead } from './operate-tab.ts'
import { pageOf, policyMarkup } from './policy.ts'

interface Typed {
  readonly text: string
  readonly base: number
  readonly words: string
}

/** Which policies are ours and which the operator's own. */
export async function editedPagesPage(c: PageContext): Promise<Response> {
  getOperator(c)
  const { ports } = c.env
  const now = ports.clock()
  const rows: Markup[] = []
  for (const page of Object.keys(policyPages) as PolicyPageName[]) {
    const { version, changedAt } = await readPolicyPage(ports, page)
    const state = changedAt === null ? html`as it comes` : html`version ${version}, ${ago(changedAt, now)}`
    rows.push(
      html`<tr><td><a href="/policy/${page}">${policyPages[page].title}</a></td><td>${state}</td><td><a href="/operate/pages/${page}" aria-label="Edit: ${policyPages[page].title}">Edit</a></td></tr>`,
    )
  }
  const main = html`${operateHead(c, 'pages')}
<p>What this registry promises and asks stands on pages that you may put in your own words. Every version stays readable.</p>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Page</th><th scope="col">Text</th><th scope="col"><span class="unseen">Action</span></th></tr></thead><tbody>${rows}</tbody></table></div>
<p>Weaknesses are reported to <code>securityContact</code> of the configuration: <a href="/.well-known/security.txt">security.txt</a>.</p>`
  return sheet(c, { title: 'Pages', main })
}

export async function editPage(c: PageContext): Promise<Response> {
  checkFresh(c, getOperator(c))
  const { text, version } = await readPolicyPage(c.env.ports, pageOf(c))
  return editor(c, { text, base: version, words: '' })
}

export async function editSubmit(c: PageContext): Promise<Response> {
  const operator = getOperator(c)
  const page = pageOf(c)
  const posted = await readForm(c)
  const typed = { text: posted.text('text'), base: Number(posted.text('base')), words: posted.text('words') }
  try {
    if (posted.text('act') === 'look') return await editor(c, typed, undefined, await preview(c, page, typed))
    await editPolicyPage(c.env.ports, operator, page, typed)
  } catch (error) {
    return editor(c, typed, asNotice(error))
  }
  return leadTo(c, `/policy/${page}`)
}

async function preview(c: PageContext, page: PolicyPageName, { text }: Typed): Promise<Markup> {
  const facts = policyFacts(c.env.ports)
  const parsed = parsePolicyText(text, facts)
  const before = await readPolicyPage(c.env.ports, page)
  return html`<h2>How it will look</h2>${await policyMarkup(page, fillPolicyText(parsed, facts))}
<h2>What changes</h2><div class="scroll" tabindex="0"><pre class="diff">${hunkList(diffLines(before.text.split('\n'), parsed.split('\n')))}</pre></div>`
}

function editor(c: PageContext, typed: Typed, trouble?: Problem, seen: Markup = nothing): Response {
  const page = pageOf(c)
  const { title } = policyPages[page]
  const main = html`${operateHead(c, 'pages')}
<h2>${title}</h2>
${problemNotice(trouble)}
<form class="form" method="post" action="/operate/pages/${page}">
<input type="hidden" name="base" value="${typed.base}">
<div class="field"><label for="text">Text, in Markdown</label>
<textarea id="text" name="text" rows="24" maxlength="40000" required aria-describedby="text-hint">${typed.text}</textarea>
<span class="hint" id="text-hint">These stand for what this instance goes by: ${placeWords(c)}.</span></div>
${field({ name: 'words', label: 'What you change and why', value: typed.words, isOptional: true, maxLength: 500, hint: 'Stands in the history for everybody.' })}
<button type="submit" name="act" value="look">Look at it</button> <button type="submit" name="act" value="save">Save</button>
</form>
${seen}`
  return sheet(c, { title: `Edit: ${title}`, main, trouble })
}

function placeWords(c: PageContext): Markup {
  const places = Object.keys(policyFacts(c.env.ports))
  return html`${places.map((name, index) => html`${index === 0 ? '' : ', '}<code>{{${name}}}</code>`)}`
}
