// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { loginAsNpm } from '../npm-login.ts'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { openFormBrowser, openPerson, type ProbePerson } from '../probe-person.ts'

/** Leaked passwords are refused at sign-up and change, and a leaked one at sign-in must be changed before anything else. */
export const leakedPasswords: Probe = { capability: 'authn-2-leaked', run }

/** What everybody tries first; it needs no service. */
const common = 'Sunshine-Monkey-2024'
/** How long an instance leaves a service alone that was down, and a little more. */
const pauseMs = 10_500

interface RangeService {
  readonly url: string
  /** Passwords that it knows. */
  readonly leaked: Set<string>
  /** What it was asked: never more than five digits. */
  readonly asked: string[]
  isDown: boolean
  close(): void
}

async function run(instance: ProbeInstance): Promise<Evidence> {
  const service = await openRangeService()
  try {
    const other = await instance.startOther({
      HOLDFAST_LEAKED_PASSWORDS: service.url,
      HOLDFAST_ALLOW_PRIVATE_HOSTS: '127.0.0.1',
      HOLDFAST_SIGN_UP: 'open',
      HOLDFAST_MFA: 'optional',
    })
    await checkSignUp(other, service)
    await checkSignIn(other, await openPerson(other), service)
    const most = Math.max(...service.asked.map(each => each.length))
    demand(most === 5, `the service must see five digits of a hash, and saw ${most}`)
    return [
      'sign-up refuses a password that the range service knows, and one that only the list of the instance knows',
      'a new password that leaked is refused',
      'whoever signs in with a leaked password is led to change it from every page, npm is told where, and then all is open again',
      `the range service was asked for ${service.asked.length} prefixes of five digits and nothing else`,
    ]
  } finally {
    service.close()
  }
}

async function checkSignUp(instance: ProbeInstance, service: RangeService): Promise<void> {
  const leaked = randomBytes(18).toString('base64url')
  service.leaked.add(leaked)
  const signUp = (password: string) => {
    const login = `probe-${randomBytes(5).toString('hex')}`
    return openFormBrowser(instance).post('/sign-up', { login, email: `${login}@probe.example`, password })
  }
  const [known, listed] = [await signUp(leaked), await signUp(common)]
  demand(known.status === 400, `sign-up must refuse a password the service knows: ${known.status}`)
  demand(listed.status === 400, `sign-up must refuse a password of the list: ${listed.status}`)
  const good = await signUp(randomBytes(18).toString('base64url'))
  demand(good.status === 303, `sign-up must take a password that nobody knows: ${good.status}`)
}

async function checkSignIn(instance: ProbeInstance, who: ProbePerson, service: RangeService): Promise<void> {
  const { browser, login } = who
  const password = randomBytes(18).toString('base64url')
  const change = (old: string, wanted: string) =>
    browser.post('/account/password', { old, new: wanted, again: wanted })
  const refused = await change(who.password, common)
  demand(refused.status === 400, `a new password that leaked must be refused: ${refused.status}`)
  // Chosen while the service is down, so that nothing of its range is remembered when it leaks.
  service.isDown = true
  service.leaked.add(password)
  const chosen = await change(who.password, password)
  demand(chosen.status === 303, `a service that is down must keep nobody out: ${chosen.status}`)
  service.isDown = false
  await delay(pauseMs)
  await checkForced(instance, service, login, password)
}

async function checkForced(
  instance: ProbeInstance,
  service: RangeService,
  login: string,
  password: string,
): Promise<void> {
  const browser = openFormBrowser(instance)
  const signedIn = await browser.post('/sign-in', { login, password })
  demand(signedIn.status === 303, `the right password must sign in: ${signedIn.status}`)
  for (const path of ['/', '/account', '/account/tokens', '/search']) {
    const page = await browser.get(path)
    const isLed = page.status === 303 && page.location.startsWith('/account/password')
    demand(isLed, `with a leaked password ${path} must lead to changing it: ${page.status} ${page.location}`)
  }
  const npm = await loginAsNpm(instance, { login, password })
  demand(npm.status === 403 && npm.text.includes('/account/password'), `npm must be told: ${npm.status}`)
  const fresh = randomBytes(18).toString('base64url')
  await browser.post('/account/password', { old: password, new: fresh, again: fresh })
  demand(!service.leaked.has(fresh), 'a random password cannot have leaked')
  demand((await browser.get('/account')).status === 200, 'with a new password all must be open again')
}

async function openRangeService(): Promise<RangeService> {
  const server = createServer((request, response) => {
    const prefix = request.url?.split('/').at(-1) ?? ''
    service.asked.push(prefix)
    if (service.isDown) return void response.writeHead(503).end()
    const found = [...service.leaked].map(digest).filter(each => each.startsWith(prefix))
    response.end(found.map(each => `${each.slice(5)}:3`).join('\r\n'))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const service: RangeService = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/range`,
    leaked: new Set(),
    asked: [],
    isDown: false,
    close: () => server.close().closeAllConnections(),
  }
  return service
}

function digest(text: string): string {
  return createHash('sha1').update(text).digest('hex').toUpperCase()
}
