// SPDX-License-Identifier: Apache-2.0
import { html, type Markup, trusted } from '../markup.ts'

/** Outlines on a field of 24 by 24, drawn for these pages. */
const shapes = {
  lock: 'M6 10V8a6 6 0 0 1 12 0v2h1v11H5V10h1zm2.5 0h7V8a3.5 3.5 0 0 0-7 0v2zM11 14v4h2v-4h-2z',
  build:
    'M3 4h8v4H3V4zm10 0h8v4h-8V4zM3 10h4v4H3v-4zm6 0h8v4H9v-4zm10 0h2v4h-2v-4zM3 16h8v4H3v-4zm10 0h8v4h-8v-4z',
  source:
    'M3 4h18v16H3V4zm2 5v9h14V9H5zm5 1.5 1.2 1-2.3 2.5 2.3 2.5-1.2 1-3.2-3.5L10 10.5zm4 0 3.2 3.5L14 17.5l-1.2-1 2.3-2.5-2.3-2.5 1.2-1z',
  integrity:
    'M10 3a7 7 0 0 1 5.6 11.2l5.1 5-1.5 1.6-5.2-5.1A7 7 0 1 1 10 3zm0 2.2a4.8 4.8 0 1 0 0 9.6 4.8 4.8 0 0 0 0-9.6zm-.9 6.9L6.8 9.8l1.1-1.1 1.2 1.2 2.9-2.9 1.1 1.1-4 4z',
  signature:
    'M3 20h18v1.8H3V20zM15.5 2.5l4 4-9.8 9.8-5.2 1.2 1.2-5.2 9.8-9.8zm-8 10.8-.6 2.3 2.3-.6 7.6-7.6-1.7-1.7-7.6 7.6z',
  log: 'M5 3h14v4H5V3zm0 7h14v4H5v-4zm0 7h14v4H5v-4zM3 5h1v14H3V5z',
  advisory: 'M12 2.5 22.5 21h-21L12 2.5zm0 4.3L5.2 18.8h13.6L12 6.8zM11 11h2v4h-2v-4zm0 5h2v1.8h-2V16z',
  info: 'M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zm0 1.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4zM11 7h2v2h-2V7zm0 4h2v6h-2v-6z',
} as const

export type IconName = keyof typeof shapes

/** A small picture beside the words that say the same. */
export function icon(name: IconName): Markup {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path fill-rule="evenodd" d="${trusted(shapes[name])}"/></svg>`
}
