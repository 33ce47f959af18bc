// SPDX-License-Identifier: Apache-2.0
import { demand } from './probe.ts'
import { totp } from './probe-authenticator.ts'
import type { ProbePerson } from './probe-person.ts'

/** An authenticator of a person, and the codes for the drawer. */
export interface Enrolment {
  readonly seed: string
  readonly recoveryCodes: readonly string[]
  /** The code that finished it: it is used up. */
  readonly usedCode: string
}

const path = '/account/second-factor'

/** Sets up an authenticator on the pages of the account. */
export async function enrolOnPage({ browser, password }: ProbePerson): Promise<Enrolment> {
  const begun = await browser.post(path, { act: 'begin', mode: 'auth-and-writes', password })
  const seed = /[?&](?:amp;)?secret=([A-Z2-7]+)/.exec(begun.text)?.[1] ?? ''
  demand(seed !== '', `beginning a second factor must show its key: ${begun.status}`)
  const usedCode = totp(seed, Date.now())
  const done = await browser.post(path, { act: 'finish', code: usedCode })
  const recoveryCodes = done.text.match(/\b[a-z2-9]{5}(?:-[a-z2-9]{5}){3}\b/g) ?? []
  demand(recoveryCodes.length >= 8, `finishing it must show recovery codes: ${done.status}`)
  return { seed, recoveryCodes, usedCode }
}

/** A code that was not used yet: of the step that comes next, which clocks that run ahead show already. */
export function nextCode({ seed }: Pick<Enrolment, 'seed'>): string {
  return totp(seed, Date.now() + 30_000)
}
