// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { type Enrolment, enrolOnPage, nextCode } from '../enrolment.ts'
import { loginAsNpm } from '../npm-login.ts'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { openPerson, type ProbePerson } from '../probe-person.ts'
import { toBase62 } from './authz-1-prefix.ts'

/** Guessing is throttled: passwords, codes, recovery codes and tokens, each on a counter of its own. */
export const throttling: Probe = { capability: 'authn-1-bruteforce', run }

const guesses = 60
const tokenGuesses = 160
const budget = 10

async function run(shared: ProbeInstance): Promise<Evidence> {
  // An instance of its own: whoever guesses here must not use up what other probes may do from this address.
  const instance = await shared.startOther({})
  const [one, two] = [await openPerson(instance), await openPerson(instance)]
  await guessPasswords(instance, one)
  const enrolment = await enrolOnPage(two)
  await guessCodes(instance, two, enrolment)
  await guessRecoveryCodes(instance, two, enrolment)
  await guessTokens(instance, two)
  return [
    `of ${guesses} wrong passwords at once no more than ${budget} are looked at; then the right one is refused too`,
    'codes of the authenticator and recovery codes have counters of their own: with one used up the other still works',
    `guessing at tokens ends in 429, and a good token from the same address goes on`,
  ]
}

async function guessPasswords(instance: ProbeInstance, who: ProbePerson): Promise<void> {
  const wrong = Array.from({ length: guesses }, (_, n) =>
    loginAsNpm(instance, { login: who.login, password: `wrong password ${n}` }),
  )
  const looked = (await Promise.all(wrong)).filter(each => each.status === 401).length
  demand(looked <= budget, `of ${guesses} wrong passwords at most ${budget} may be looked at: ${looked}`)
  const right = await loginAsNpm(instance, who)
  demand(right.status === 429, `the right password must wait with the wrong ones: ${right.status}`)
}

async function guessCodes(instance: ProbeInstance, who: ProbePerson, enrolment: Enrolment): Promise<void> {
  const right = nextCode(enrolment)
  const statuses: number[] = []
  for (let n = 0; n < budget + 5; n++) {
    const code = String((Number(right) + 1 + n) % 1_000_000).padStart(6, '0')
    statuses.push((await loginAsNpm(instance, who, code)).status)
  }
  const looked = statuses.filter(each => each === 401).length
  demand(looked <= budget, `at most ${budget} wrong codes may be looked at: ${looked}`)
  const late = await loginAsNpm(instance, who, right)
  demand(late.status === 429, `the right code must wait with the wrong ones: ${late.status}`)
}

async function guessRecoveryCodes(
  instance: ProbeInstance,
  who: ProbePerson,
  { recoveryCodes: [first = '', second = ''] }: Enrolment,
): Promise<void> {
  const own = await loginAsNpm(instance, who, first)
  demand(own.status === 201, `recovery codes must have a counter of their own: ${own.status}`)
  const statuses: number[] = []
  for (let n = 0; n < budget + 5; n++)
    statuses.push((await loginAsNpm(instance, who, 'aaaaa-bbbbb-ccccc-ddddd')).status)
  const looked = statuses.filter(each => each === 401).length
  demand(looked <= budget, `at most ${budget} wrong recovery codes may be looked at: ${looked}`)
  const late = await loginAsNpm(instance, who, second)
  demand(late.status === 429, `a right recovery code must wait with the wrong ones: ${late.status}`)
}

/** A token of the right form, checksum included, that nobody made. */
function makeUp(good: string): string {
  const body = `${good.split('_').slice(0, 2).join('_')}_${randomBytes(16).toString('hex')}`
  return body + toBase62(crc32(body))
}

async function guessTokens(instance: ProbeInstance, who: ProbePerson): Promise<void> {
  const good = (await instance.operate('token', '--user', who.login, '--read-only', '--expires', '1h')).trim()
  const whoami = async (token: string) => {
    const headers = { authorization: `Bearer ${token}` }
    return (await fetch(`${instance.url}/npm/-/whoami`, { headers })).status
  }
  const statuses: number[] = []
  for (let n = 0; n < tokenGuesses; n += 20) {
    const tries = Array.from({ length: 20 }, () => whoami(makeUp(good)))
    statuses.push(...(await Promise.all(tries)))
  }
  demand(
    statuses.every(each => each === 401 || each === 429) && statuses.includes(429),
    `guessing tokens must end in 429: ${[...new Set(statuses)].join()}`,
  )
  const still = await whoami(good)
  demand(still === 200, `a bad token must never hold up a good one: ${still}`)
}
