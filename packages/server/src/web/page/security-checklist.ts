// SPDX-License-Identifier: Apache-2.0
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { notice } from '../part/notice.ts'

/** What is known of how an account is kept. */
export interface Safety {
  readonly isConfirmed: boolean
  /** Browsers can have passkeys for this registry. */
  readonly canHavePasskeys: boolean
  readonly passkeys: number
  readonly codes: number
  /** A passkey or an authenticator. */
  readonly hasFactor: boolean
  readonly hasAuthenticator: boolean
  readonly hasPassword: boolean
}

/** One thing to have, and how to get it. */
export interface Step {
  readonly what: string
  readonly isDone: boolean
  readonly why: string
  readonly act: string
  readonly path: string
}

/** What a safe account has, in the order in which to get it. */
export function stepsOf(safety: Safety): readonly Step[] {
  const { isConfirmed, canHavePasskeys, passkeys, codes, hasFactor, hasAuthenticator } = safety
  const withPasskeys: readonly Step[] = [
    {
      what: 'A passkey',
      isDone: passkeys > 0,
      why: 'It signs you in without a password, and cannot be phished.',
      act: 'Add a passkey',
      path: '/account/passkeys/new',
    },
    {
      what: 'A second passkey',
      isDone: passkeys > 1,
      why: 'On another device or a security key: who loses one is not locked out.',
      act: 'Add a second passkey',
      path: '/account/passkeys/new',
    },
  ]
  const withCodes: Step = {
    what: 'An authenticator',
    isDone: hasAuthenticator,
    why: 'With its codes a stolen password is not enough.',
    act: 'Set up an authenticator',
    path: '/account/second-factor',
  }
  return [
    {
      what: 'A confirmed mail address',
      isDone: isConfirmed,
      why: 'Until then the account can do nothing for others.',
      act: 'Confirm your address',
      path: '/account',
    },
    ...(canHavePasskeys ? withPasskeys.slice(0, 1) : [withCodes]),
    {
      what: 'Recovery codes',
      isDone: hasFactor && codes > 0,
      why: 'On paper, for the day on which no device is at hand.',
      act: 'Make recovery codes',
      path: '#recovery',
    },
    ...(canHavePasskeys ? withPasskeys.slice(1) : []),
  ]
}

/** The list, with the next thing to do in front. */
export function checklist(safety: Safety): Markup {
  const steps = stepsOf(safety)
  const next = steps.find(step => !step.isDone)
  return html`${next === undefined ? notice('good', 'Your account is well kept') : nextNotice(next)}
${stepList(steps)}
${safety.hasPassword || safety.passkeys === 0 ? nothing : html`<p class="small">There is no password: you sign in by passkey.</p>`}`
}

/** Each step, and whether it is done. */
export function stepList(steps: readonly Step[]): Markup {
  return html`<ul class="bare">${steps.map(step => html`<li>${step.isDone ? badge('done', 'good', '✓') : badge('to do', 'warn', '○')} ${step.what} <span class="small">${step.why}</span></li>`)}</ul>`
}

function nextNotice({ act, why, path }: Step): Markup {
  return notice(
    'warn',
    `Next: ${act.toLowerCase()}`,
    html`<p>${why}</p><p><a class="button" href="${path}">${act}</a></p>`,
  )
}
