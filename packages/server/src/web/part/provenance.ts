// SPDX-License-Identifier: Apache-2.0
import type { BuildFacts, ProvenanceFinding } from '../../integrity/index.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from './badge.ts'
import { awayLink, webAddress } from './link.ts'

/** What the attestations of a version were found to be, in words: who says so is the certificate of its build. */
export function provenanceWords(finding: ProvenanceFinding): Markup {
  switch (finding.kind) {
    case 'verified':
      return html`${badge('verified', 'good', '✓')} ${built(finding.build)}`
    case 'broken':
      return html`${badge('does not hold', 'bad', '✕')} <span class="small">what attests where it was built is not believed: <bdi>${finding.why}</bdi></span>`
    case 'unverified':
      return html`${badge('told')} <span class="small">its attestations are kept and not verified: ${finding.why}</span>`
  }
}

function built({ repository, commit, ref, workflow, builder, issuer, runner }: BuildFacts): Markup {
  const url = webAddress(repository)
  const by = builder === '' ? nothing : html`, which leaves the work to <code>${builder}</code>`
  const on = runner === '' ? nothing : html`, on a runner that is ${runner}`
  return html`<span class="small">these bytes were built from ${url === undefined ? repository : awayLink(url)}, commit <code>${commit}</code>${ref === '' ? nothing : html` (${ref})`}, by <code>${workflow}</code>${by}${on}. ${issuer} vouched for the job; the package’s authors did not write this.</span>`
}
