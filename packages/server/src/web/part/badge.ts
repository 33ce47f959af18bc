// SPDX-License-Identifier: Apache-2.0
import type { Status } from '@holdfast/core'
import { html, type Markup } from '../markup.ts'

export type Tone = 'good' | 'plain' | 'warn' | 'bad'

const tones: Readonly<Record<Status, { readonly tone: Tone; readonly sign: string }>> = {
  live: { tone: 'good', sign: '✓' },
  yanked: { tone: 'warn', sign: '!' },
  cooling: { tone: 'warn', sign: '◷' },
  held: { tone: 'warn', sign: '‖' },
  quarantined: { tone: 'bad', sign: '✕' },
  blocked: { tone: 'bad', sign: '✕' },
  removed: { tone: 'bad', sign: '✕' },
  pending: { tone: 'plain', sign: '…' },
  staged: { tone: 'plain', sign: '…' },
}

/** A status in words, with a sign and a colour that only repeat them. */
export function statusBadge(status: Status): Markup {
  return badge(status, tones[status].tone, tones[status].sign)
}

/** A short word in a frame. */
export function badge(text: string, tone: Tone = 'plain', sign = ''): Markup {
  return html`<span class="badge ${tone}">${sign === '' ? '' : html`<span aria-hidden="true">${sign}</span> `}${text}</span>`
}
