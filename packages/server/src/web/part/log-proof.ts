// SPDX-License-Identifier: Apache-2.0
import { formatLogProof } from '@holdfast/core'
import type { EntryProof, Ports } from '../../ports.ts'
import { assetPath } from '../asset.ts'
import { html, type Markup, nothing } from '../markup.ts'

/** What a page claims and its reader's own machine can compare with what is proven. */
export interface ProofClaim {
  readonly pkg?: string
  readonly ver?: string
  readonly integrity?: string
}

/**
 * Proofs that the browser checks by itself, with the same code as the command line: signature of the checkpoint, inclusion,
 * and that the entry says what the page says. Without a script the proofs stand there to be taken away.
 */
export function proofCheck(
  { log }: Pick<Ports, 'log'>,
  proofs: readonly EntryProof[],
  claim: ProofClaim,
): Markup {
  return html`<div class="log-check" data-log-check data-vkey="${log.vkey}" data-origin="${log.origin}" data-claim="${JSON.stringify(claim)}">
<div class="notice plain" role="status" data-log-result><strong>Not checked by your browser</strong><div>That takes a script. ${offline}</div></div>
${proofs.map(
  proof => html`<details><summary>The proof of entry ${proof.index}</summary><pre class="text" data-log-proof>${formatLogProof(proof)}</pre></details>
<p><a href="/log/proof?index=${proof.index}">Download the proof of entry ${proof.index}</a></p>`,
)}
</div><script type="module" src="${assetPath('log-proof.js')}"></script>`
}

const offline = html`Download the proof and run <code>npx holdfast verify --offline FILE</code>, which asks nobody.`

/** Leaves of a package that the same check follows from first to last, where the page shows all of them. */
export function chainToCheck(leaves: readonly string[]): Markup {
  if (leaves.length === 0) return nothing
  return html`<details><summary>The entries, byte for byte</summary>${leaves.map(leaf => html`<pre class="text" data-log-leaf>${leaf}</pre>`)}</details>`
}
