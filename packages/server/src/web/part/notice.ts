// SPDX-License-Identifier: Apache-2.0
import type { Problem } from '@holdfast/core'
import { html, type Markup, nothing } from '../markup.ts'
import type { Tone } from './badge.ts'

/** A framed word to the reader. */
export function notice(tone: Tone, title: string, body: Markup = nothing): Markup {
  return html`<div class="notice ${tone}" ${tone === 'bad' ? html`role="alert"` : html`role="status"`}><strong>${title}</strong>${body === nothing ? nothing : html`<div>${body}</div>`}</div>`
}

/** What went wrong with a form, above it. */
export function problemNotice(trouble: Problem | undefined): Markup {
  if (trouble === undefined) return nothing
  return notice('bad', `${trouble.message}.`.replace(/([.!?])\.$/, '$1'), html`${trouble.hint}`)
}
