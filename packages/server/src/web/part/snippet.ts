// SPDX-License-Identifier: Apache-2.0
import { html, type Markup } from '../markup.ts'

/** A text to copy as it stands, with the name of the file it belongs to. A script adds the button where there is one. */
export function snippet(text: string, label: string, id = ''): Markup {
  return html`<div class="snippet" data-copy ${id === '' ? '' : html`id="${id}"`}>${label === '' ? '' : html`<div class="label">${label}</div>`}<pre tabindex="0" aria-label="${label === '' ? 'Command' : label}"><code>${text}</code></pre></div>`
}
