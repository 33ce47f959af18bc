// SPDX-License-Identifier: Apache-2.0
import { problem, tokenPattern, tokenRules } from '@holdfast/core'
import type { PageContext } from '../context.ts'
import { pageHeaders } from '../header.ts'
import { sheet } from '../layout.ts'
import { html } from '../markup.ts'
import { snippet } from '../part/snippet.ts'

/** How tokens look, how long they live, and what happens to one that leaks. */
export function tokenPolicyPage(c: PageContext): Response {
  const { config, store } = c.env.ports
  const main = html`<h1>Rules for tokens</h1>
<p class="lead">A token is a password for machines. It does little, it ends, and whoever finds one can stop it.</p>
<h2>How long they live</h2>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Token</th><th scope="col">Default</th><th scope="col">At most</th></tr></thead><tbody>
<tr><td>made by a person, may write</td><td>30 days</td><td>90 days</td></tr>
<tr><td>made by a person, only reads</td><td>30 days</td><td>1 year</td></tr>
<tr><td><code>npm login</code></td><td>30 days</td><td>30 days</td></tr>
<tr><td>of a robot that an organisation owns, may publish</td><td>–</td><td>90 days</td></tr>
<tr><td>of a robot, only reads</td><td>–</td><td>1 year</td></tr>
<tr><td>of a CI job by trusted publishing</td><td>15 minutes</td><td>15 minutes</td></tr>
<tr><td>of a CI job that installs</td><td>1 hour</td><td>1 hour</td></tr>
<tr><td>made by the operator, may publish</td><td>1 hour</td><td>1 day</td></tr>
<tr><td>made by the operator, only reads</td><td>1 hour</td><td>1 year</td></tr>
</tbody></table></div>
<ul>
<li>The owner is told by mail 14, 3 and 1 days before a token ends. A login simply ends: <code>npm login</code> makes the next.</li>
<li>Each token has a name, shows its last use, and may be limited to packages, scopes, organisations, rights and networks.</li>
<li>${config.operatorTokens === 'off' ? 'The operator of this registry has switched tokens of the operator off.' : 'The operator can make a token in the name of an account; its owner is told by mail and sees it in the list.'}</li>
<li>A revoked token is dead in every process within a second.</li>
</ul>
<h2>When one leaks</h2>
<ul>
<li>Whoever holds a whole token may revoke it <a href="/revoke-token">on this page</a>, by <code>holdfast token revoke</code>, or by <code>POST /api/v1/tokens/revoke</code> with <code>{"tokens": ["…"]}</code>. No account is needed, and the answer is the same for tokens that never were.</li>
<li>People with an account report many at once, with the address where they were found, to <code>POST /api/v1/leaks</code>.</li>
<li>${config.secretScanningKeys === undefined ? 'No secret-scanning programme is connected to this registry.' : html`Secret-scanning programmes report to <code>POST /api/v1/leaks/github</code>, in GitHub’s partner format.`}</li>
<li>A package that holds a token is not published: the token is revoked, and the refusal names the file. A token of another registry is refused too.</li>
<li>The owner is told each time, with the place where it was found.</li>
</ul>
<h2>How to find them</h2>
<p>Tokens of this registry carry its id, <code>${store.instance.id}</code>. The last six characters are a checksum, the CRC-32 of all before them in base 62, so that a scanner raises no false alarm.</p>
${snippet(tokenPattern, 'Regular expression', 'pattern')}
<p>The same as rules for scanners: ${tokenRules.map(({ file, scanner }, at) => html`${at === 0 ? '' : ', '}<a href="/policy/tokens/rules/${file}">${scanner}</a>`)}.</p>`
  return sheet(c, { title: 'Rules for tokens', main })
}

/** One rule as the file it is. Throws `not-found`. */
export function tokenRuleFile(c: PageContext): Response {
  const rule = tokenRules.find(({ file }) => file === c.req.param('file'))
  if (rule === undefined) throw problem('not-found')
  return new Response(rule.text, {
    headers: { ...pageHeaders(c.env.ports.config), 'content-type': `${rule.type}; charset=utf-8` },
  })
}
