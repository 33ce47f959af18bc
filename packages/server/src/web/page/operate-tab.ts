// SPDX-License-Identifier: Apache-2.0
import { html, type Markup } from '../markup.ts'

const tabs = {
  overview: ['/operate', 'Overview'],
  names: ['/operate/names', 'Names'],
  people: ['/operate/people', 'People'],
  risk: ['/operate/risk', 'Owners at risk'],
  critical: ['/operate/critical', 'Critical packages'],
  audit: ['/operate/audit', 'Audit'],
  mail: ['/operate/mail', 'Mail'],
} as const

/** The head of every operator's page, with the way to the others. */
export function operateHead(current: keyof typeof tabs): Markup {
  return html`<h1>Operate</h1><nav class="tabs" aria-label="Operate">${Object.entries(tabs).map(
    ([key, [path, label]]) =>
      html`<a href="${path}" ${key === current ? html`aria-current="page"` : ''}>${label}</a>`,
  )}</nav>`
}
