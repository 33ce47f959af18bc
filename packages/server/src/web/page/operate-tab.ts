// SPDX-License-Identifier: Apache-2.0
import type { InstanceRole } from '../../identity/index.ts'
import { getVisitor, hasRole, type PageContext, type Visitor } from '../context.ts'
import { html, type Markup } from '../markup.ts'

interface Tab {
  readonly path: string
  readonly label: string
  readonly roles: readonly InstanceRole[]
}

const tabs = {
  overview: { path: '/operate', label: 'Overview', roles: ['operator'] },
  names: { path: '/operate/names', label: 'Names', roles: ['operator'] },
  origins: { path: '/operate/origins', label: 'Origins', roles: ['operator', 'responder'] },
  people: { path: '/operate/people', label: 'People', roles: ['operator'] },
  policy: { path: '/operate/policy', label: 'Policy', roles: ['operator', 'responder', 'auditor'] },
  waivers: { path: '/operate/waivers', label: 'Waivers', roles: ['responder', 'operator', 'auditor'] },
  risk: { path: '/operate/risk', label: 'Owners at risk', roles: ['operator'] },
  critical: { path: '/operate/critical', label: 'Critical packages', roles: ['operator', 'responder'] },
  recovery: { path: '/operate/recovery', label: 'Recoveries', roles: ['operator', 'responder'] },
  holds: { path: '/operate/holds', label: 'Holds', roles: ['responder', 'operator', 'auditor'] },
  advisories: {
    path: '/operate/advisories',
    label: 'Advisories',
    roles: ['operator', 'responder', 'auditor'],
  },
  exposure: {
    path: '/operate/exposure',
    label: 'Exposure',
    roles: ['operator', 'responder', 'auditor'],
  },
  cases: { path: '/operate/cases', label: 'Cases', roles: ['operator', 'responder', 'auditor'] },
  measures: { path: '/operate/measures', label: 'Measures', roles: ['operator', 'responder', 'auditor'] },
  drills: { path: '/operate/drills', label: 'Drills', roles: ['operator', 'responder', 'auditor'] },
  audit: { path: '/operate/audit', label: 'Audit', roles: ['operator', 'responder', 'auditor'] },
  webhooks: { path: '/operate/webhooks', label: 'Webhooks', roles: ['operator'] },
  transfers: { path: '/operate/transfers', label: 'Transfers', roles: ['responder'] },
  pages: { path: '/operate/pages', label: 'Pages', roles: ['operator'] },
  reviews: { path: '/operate/reviews', label: 'Reviews', roles: ['operator'] },
  mail: { path: '/operate/mail', label: 'Mail', roles: ['operator'] },
} as const satisfies Record<string, Tab>

/** The head of a page for those who run this instance, with the way to the others that are open to them. */
export function operateHead(c: PageContext, current: keyof typeof tabs): Markup {
  const visitor = getVisitor(c)
  const open = Object.entries<Tab>(tabs).filter(([, tab]) => isOpen(tab, visitor))
  return html`<h1>Operate</h1><nav class="tabs" aria-label="Operate">${open.map(
    ([key, { path, label }]) =>
      html`<a href="${path}" ${key === current ? html`aria-current="page"` : ''}>${label}</a>`,
  )}</nav>`
}

/** The first page that is open to somebody, for the head of all pages; undefined for whoever has no role. */
export function operatePath(visitor: Visitor | undefined): string | undefined {
  return visitor && Object.values<Tab>(tabs).find(tab => isOpen(tab, visitor))?.path
}

function isOpen({ roles }: Tab, visitor: Visitor): boolean {
  return roles.some(role => hasRole(visitor, role))
}
