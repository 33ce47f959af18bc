// SPDX-License-Identifier: Apache-2.0
import { type BuildFacts, type ProvenanceFinding, readSlsa } from '../../integrity/index.ts'
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

/** Who built it and on what, of a build that was verified. */
export function buildFacts(build: BuildFacts): Markup {
  const { workflow, builder, runner, issuer, run, trigger } = build
  const { level, why } = readSlsa(build)
  const address = webAddress(run)
  return html`<dl class="facts">
<dt>Workflow</dt><dd>${workflow}</dd>
${builder === '' ? nothing : html`<dt>Done by</dt><dd>${builder}</dd>`}
${address === undefined ? nothing : html`<dt>Run</dt><dd>${awayLink(address)}${trigger === '' ? nothing : html` <span class="small">by ${trigger}</span>`}</dd>`}
${runner === '' ? nothing : html`<dt>Runner</dt><dd>${runner}</dd>`}
<dt>Vouched for by</dt><dd>${issuer}</dd>
<dt>SLSA build level</dt><dd>${level} <span class="small">${why}</span></dd></dl>`
}

/** What it was built from, of a build that was verified, and whether the package says the same of itself. */
export function sourceFacts({ repository, commit, ref }: BuildFacts, declared: URL | undefined): Markup {
  const url = webAddress(repository)
  return html`<dl class="facts">
<dt>Repository</dt><dd>${url === undefined ? repository : awayLink(url)}</dd>
<dt>Commit</dt><dd><code>${commit}</code></dd>
${ref === '' ? nothing : html`<dt>Ref</dt><dd><code>${ref}</code></dd>`}
<dt>The package says</dt><dd>${agreement(url, declared)}</dd></dl>`
}

function agreement(built: URL | undefined, declared: URL | undefined): Markup {
  if (declared === undefined) return html`nothing of a repository`
  if (built !== undefined && plain(built) === plain(declared)) return badge('the same', 'good', '✓')
  return html`${badge('another', 'warn', '!')} ${declared.host}${declared.pathname}`
}

function plain({ host, pathname }: URL): string {
  return (host + pathname).toLowerCase().replace(/\/$/, '')
}

function built({ repository, commit, ref, workflow, builder, issuer, runner }: BuildFacts): Markup {
  const url = webAddress(repository)
  const by = builder === '' ? nothing : html`, which leaves the work to <code>${builder}</code>`
  const on = runner === '' ? nothing : html`, on a runner that is ${runner}`
  return html`<span class="small">these bytes were built from ${url === undefined ? repository : awayLink(url)}, commit <code>${commit}</code>${ref === '' ? nothing : html` (${ref})`}, by <code>${workflow}</code>${by}${on}. ${issuer} vouched for the job; the package’s authors did not write this.</span>`
}
