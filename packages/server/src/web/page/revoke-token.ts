// SPDX-License-Identifier: Apache-2.0
import { isProblem, type Problem, problem, tokenPattern } from '@holdfast/core'
import { revokePosted } from '../../flow/index.ts'
import { type PageContext, whenceOf } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, nothing } from '../markup.ts'
import { plural } from '../part/format.ts'
import { notice, problemNotice } from '../part/notice.ts'

/** Where anybody ends a token that they found. */
export function revokeTokenPage(c: PageContext): Response {
  return page(c, {})
}

/** Ends every token in the text; the answer counts what looks like one, and tells nothing of any. */
export async function revokeTokenSubmit(c: PageContext): Promise<Response> {
  const posted = await readForm(c)
  try {
    const tokens = [...new Set(posted.text('text').match(new RegExp(tokenPattern, 'g')))]
    if (tokens.length === 0)
      throw problem('invalid-body', { why: 'there is no token in this text; it begins with holdfast_' })
    await revokePosted(c.env.ports, tokens, whenceOf(c).address)
    return page(c, { taken: tokens.length })
  } catch (error) {
    if (!isProblem(error)) throw error
    return page(c, { trouble: error })
  }
}

function page(c: PageContext, { taken, trouble }: { taken?: number; trouble?: Problem }): Response {
  const main = html`<h1>Revoke a token you found</h1>
<p class="lead">In a repository, a log, a chat: whoever holds a whole token may end it. You need no account.</p>
${taken === undefined ? nothing : notice('good', `Thank you: ${plural(taken, 'token')} taken`, html`What worked here works no longer, and its owner is told. Nothing is said of single tokens.`)}
${problemNotice(trouble)}
<form class="form" method="post" action="/revoke-token">
<div class="field"><label for="text">Tokens, or text that holds them</label>
<textarea id="text" name="text" rows="6" maxlength="20000" spellcheck="false" autocomplete="off" required aria-describedby="text-hint"></textarea>
<span class="hint" id="text-hint">Only a whole one counts. What you send is not stored.</span></div>
<button type="submit">Revoke</button>
</form>
<p class="small after"><a href="/policy/tokens">Rules for tokens</a>, and how to report many at once.</p>`
  return sheet(c, { title: 'Revoke a token you found', main, trouble })
}
