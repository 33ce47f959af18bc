// SPDX-License-Identifier: Apache-2.0
import { type Enrolment, enrolOnPage, nextCode } from '../enrolment.ts'
import { loginAsNpm } from '../npm-login.ts'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { openFormBrowser, openPerson, type ProbePerson } from '../probe-person.ts'

/** An authenticator is asked for at sign-in, and each code and recovery code works once, however it is spelled. */
export const authenticator: Probe = { capability: 'authn-1-totp', run }

async function run(instance: ProbeInstance): Promise<Evidence> {
  const who = await openPerson(instance)
  const enrolment = await enrolOnPage(who)
  await checkAsked(instance, who, enrolment)
  await checkCode(instance, who, nextCode(enrolment))
  await checkRecoveryCode(instance, who, enrolment.recoveryCodes[0] ?? '')
  return [
    'with an authenticator a password alone signs nobody in, at the command line nor in the browser',
    'a code works once: its repetition is refused, also with white space around or inside',
    'a recovery code works once and in one spelling; the only factors are authenticator, passkey and recovery codes',
  ]
}

async function checkAsked(instance: ProbeInstance, who: ProbePerson, { usedCode }: Enrolment): Promise<void> {
  const without = await loginAsNpm(instance, who)
  demand(without.status === 401, `a password alone must sign nobody in: ${without.status}`)
  const page = await openFormBrowser(instance).post('/sign-in', { login: who.login, password: who.password })
  demand(page.status === 401, `a password alone must sign nobody in on the page: ${page.status}`)
  const replay = await loginAsNpm(instance, who, usedCode)
  demand(replay.status === 401, `the code that finished the set-up must be used up: ${replay.status}`)
}

async function checkCode(instance: ProbeInstance, who: ProbePerson, code: string): Promise<void> {
  const first = await loginAsNpm(instance, who, code)
  demand(first.status === 201, `a right code must sign in: ${first.status} ${first.text}`)
  for (const again of [code, `${code.slice(0, 3)} ${code.slice(3)}`, `0${code}`]) {
    const replay = await loginAsNpm(instance, who, again)
    demand(replay.status === 401, `a used code must be refused, also as '${again}': ${replay.status}`)
  }
  const typed = { login: who.login, password: who.password, otp: ` ${code} ` }
  const page = await openFormBrowser(instance).post('/sign-in', typed)
  demand(page.status === 401, `a used code must be refused on the page, also with spaces: ${page.status}`)
}

async function checkRecoveryCode(instance: ProbeInstance, who: ProbePerson, code: string): Promise<void> {
  const shouted = await loginAsNpm(instance, who, code.toUpperCase())
  demand(shouted.status === 401, `a recovery code must have one spelling: ${shouted.status}`)
  const first = await loginAsNpm(instance, who, code)
  demand(first.status === 201, `a recovery code must sign in: ${first.status} ${first.text}`)
  const again = await loginAsNpm(instance, who, code)
  demand(again.status === 401, `a recovery code must work once: ${again.status}`)
}
