// SPDX-License-Identifier: Apache-2.0
import { html, type Markup } from '../markup.ts'

const tabs = {
  profile: ['/account', 'Profile'],
  security: ['/account/security', 'Security'],
  addresses: ['/account/addresses', 'Mail'],
  watches: ['/account/watches', 'Watches'],
  hooks: ['/account/webhooks', 'Webhooks'],
  orgs: ['/account/organisations', 'Organisations'],
  told: ['/account/told', 'Told'],
  downloads: ['/account/downloads', 'Downloads'],
  exposure: ['/exposure', 'Exposure'],
  tokens: ['/account/tokens', 'Tokens'],
  sessions: ['/account/sessions', 'Sessions'],
  password: ['/account/password', 'Password'],
  second: ['/account/second-factor', 'Authenticator'],
} as const

/** The pages of one's account. */
export function accountTabs(current: keyof typeof tabs): Markup {
  return html`<nav class="tabs" aria-label="Your account">${Object.entries(tabs).map(
    ([key, [path, label]]) =>
      html`<a href="${path}" ${key === current ? html`aria-current="page"` : ''}>${label}</a>`,
  )}</nav>`
}
