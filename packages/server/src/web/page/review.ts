// SPDX-License-Identifier: Apache-2.0
/** The register of security reviews, open to anybody. */
import { type Review, type ReviewFinding, type ReviewState, reviewState } from '../../community/index.ts'
import { listReviews } from '../../flow/index.ts'
import type { PageContext } from '../context.ts'
import { sheet } from '../layout.ts'
import { html, type Markup } from '../markup.ts'
import { badge, type Tone } from '../part/badge.ts'
import { plural } from '../part/format.ts'
import { notice } from '../part/notice.ts'

/** Every review with what it found. */
export async function reviewsPage(c: PageContext): Promise<Response> {
  const reviews = await listReviews(c.env.ports)
  const main = html`<h1>Security reviews</h1>
<p class="lead">When this registry was last looked at by people who look for weaknesses, what they found, and what became of it.</p>
${stateNotice(reviewState(reviews, c.env.ports.clock()), reviews[0]?.date)}
${reviews.map(review)}`
  return sheet(c, { title: 'Security reviews', main })
}

/** Whether the register is current, in a frame. */
export function stateNotice(state: ReviewState, newest = ''): Markup {
  switch (state) {
    case 'none':
      return notice('bad', 'No review is on record')
    case 'overdue':
      return notice('bad', `Overdue: the last review is of ${newest}, more than 12 months ago`)
    case 'due':
      return notice('warn', `The next review is due: the last one is of ${newest}`)
    case 'current':
      return notice('good', `Reviewed within the last 12 months: ${newest}`)
  }
}

/** One review, with its findings as a table. */
export function review({ id, date, scope, reviewer, findings }: Review): Markup {
  const open = findings.filter(each => each.state === 'open').length
  return html`<article id="${id}"><h2><time datetime="${date}">${date}</time></h2>
<p><bdi>${scope}</bdi>, by <bdi>${reviewer}</bdi>. ${findings.length === 0 ? 'Nothing was found.' : `${plural(findings.length, 'finding')}, ${open === 0 ? 'none' : open} open.`}</p>
${findings.length === 0 ? '' : html`<div class="scroll" tabindex="0" role="region" aria-label="Findings of ${date}"><table><thead><tr><th scope="col">Severity</th><th scope="col">What was found</th><th scope="col">Remedy</th><th scope="col">State</th></tr></thead><tbody>${findings.map(finding)}</tbody></table></div>`}</article>`
}

const tones: Readonly<Record<ReviewFinding['state'], readonly [Tone, string]>> = {
  open: ['bad', '!'],
  fixed: ['good', '✓'],
  accepted: ['plain', '·'],
}

function finding({ severity, title, remedy, state }: ReviewFinding): Markup {
  const [tone, sign] = tones[state]
  return html`<tr><td>${severity}</td><td><bdi>${title}</bdi></td><td><bdi>${remedy}</bdi></td><td class="nowrap">${badge(state, tone, sign)}</td></tr>`
}
