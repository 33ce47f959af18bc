// SPDX-License-Identifier: Apache-2.0
import type { PageContext } from '../context.ts'
import { sheet } from '../layout.ts'
import { html } from '../markup.ts'
import { plural } from '../part/format.ts'

/** How somebody gets back in to an account, promised to its owner and to everybody who depends on their packages. */
export function recoveryPolicyPage(c: PageContext): Response {
  const { config, mail } = c.env.ports
  const hours = config.recoveryWaitHours
  const wait = hours % 24 === 0 ? plural(hours / 24, 'day') : plural(hours, 'hour')
  const main = html`<h1>Account recovery policy</h1>
<p>Whoever gets back in to an account can publish its packages. So recovery asks for two proofs, or for time in which the owner can stop it.</p>
<h2>What opens an account again</h2>
<ul>
<li><strong>A confirmed mailbox, and a recovery code or a code of your authenticator:</strong> at once. Passkeys and second factor stay; a recovery code is used up.</li>
<li><strong>Two mailboxes, both confirmed at least ${wait} before,</strong> of an account without passkey and second factor: at once.</li>
<li><strong>One confirmed mailbox and nothing else:</strong> after ${wait}. Passkeys and second factor count as lost and are removed.</li>
<li><strong>Nothing at all:</strong> two members of the staff, neither of them you, vouch for you and for a new mail address (for an operator only operators do); ${wait} after the second one agreed. Passkeys and second factor count as lost and are removed.</li>
<li><strong>The owner of the machine</strong> can make a link there, good for an hour, at once. Whether the second factor goes is their word, and the letters say it.</li>
</ul>
<h2>What always happens</h2>
<ul>
<li>Every confirmed mailbox of the account gets a letter when a recovery begins, with a link that stops it, and another when it ends. Whoever is signed in sees it on the account page and can stop it there.</li>
<li>Nobody shortens a wait that has begun: not the staff, not a changed configuration. What the owner of the machine does is told in the same letters.</li>
<li>Each step is an event in the record of this registry.</li>
<li>Finishing sets a new password and ends all sessions and all tokens. Robots and trusted publishers of packages stay: they belong to packages and organisations.</li>
<li>A mailbox whose domain was abandoned, or has a new owner, opens nothing.</li>
<li>Links work once, lead only to this site, and are good for an hour; the one that finishes, for a week.</li>
</ul>
<h2>How to begin</h2>
<p>${mail.kind === 'smtp' ? html`<a href="/recover">Ask for the letter</a>.` : 'This registry sends no mail, so the ways by mailbox are closed: ask its operator.'} Prepare for the day: <a href="/account/addresses">a second address</a> and <a href="/account/second-factor">recovery codes</a>.</p>`
  return sheet(c, { title: 'Account recovery policy', main })
}
