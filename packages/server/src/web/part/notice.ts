// SPDX-License-Identifier: Apache-2.0
import { isProblem, type Problem } from '@holdfast/core'
import { html, type Markup, nothing } from '../markup.ts'
import type { Tone } from './badge.ts'
import { plural } from './format.ts'

/** A framed word to the reader. */
export function notice(tone: Tone, title: string, body: Markup = nothing): Markup {
  return html`<div class="notice ${tone}" ${tone === 'bad' ? html`role="alert"` : html`role="status"`}><strong>${title}</strong>${body === nothing ? nothing : html`<div>${body}</div>`}</div>`
}

/** What the page of problems answers by asking for a proof of presence, and leading back. */
const leadsToProof = new Set<string>(['presence-required', 'passkey-proof-required'])

/** The problem that a page shows above its form. Throws what is none, and what asks for a proof first. */
export function asNotice(caught: unknown): Problem {
  if (!isProblem(caught) || leadsToProof.has(caught.code)) throw caught
  return caught
}

/** What went wrong with a form, above it. */
export function problemNotice(trouble: Problem | undefined): Markup {
  if (trouble === undefined) return nothing
  return notice('bad', `${trouble.message}.`.replace(/([.!?])\.$/, '$1'), html`${hintOf(trouble)}`)
}

/** What to do next, as a reader of pages can do it: nobody there sees a header. */
export function hintOf(trouble: Problem): string {
  const seconds = Number(trouble.data['retryAfter'])
  if (!(seconds > 0)) return trouble.hint
  return `Try again in ${plural(Math.ceil(seconds / 60), 'minute')}.`
}
