// SPDX-License-Identifier: Apache-2.0
/** From the first letter to the published package without a password: a real browser, real mail, the real npm. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { type Desk, noTerminal, openDesk, type RunOptions } from '../client/client.ts'
import { passes } from '../client/expect.ts'
import { type Mailbox, openMailbox } from '../mailbox.ts'
import { openWorld, type World } from '../world.ts'
import { launchChromium, noChromium } from './chromium.ts'

describe('with a passkey, in a browser', { skip: noChromium }, () => {
  let mailbox: Mailbox
  let world: World
  let site: string
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let desk: Desk
  const complaints: string[] = []
  const codes: string[] = []

  before(async () => {
    mailbox = await openMailbox()
    world = await openWorld({ signUp: 'open', smtp: mailbox.url, publicUrl: 'http://localhost:0' })
    site = world.ports.config.publicUrl
    browser = await launchChromium()
    context = await browser.newContext()
    page = await context.newPage()
    page.on('console', message => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        complaints.push(message.text())
    })
    page.on('pageerror', error => complaints.push(error.message))
    await addAuthenticator(page)
    desk = await openDesk('npm', `${site}/npm/`)
    await desk.folder('.', { name: '@rosa/first', version: '1.0.0', license: 'MIT' })
  })
  after(async () => {
    await desk?.remove()
    await browser?.close()
    await world?.close()
    await mailbox?.close()
  })

  /** Opens the page that npm names, and touches the passkey there. */
  function approving(seen: string[]): RunOptions {
    return {
      onOutput(text) {
        const found = /https?:\S+\/login\/cli\/\w{20,}/.exec(text)?.[0]
        if (found === undefined || seen.length > 0) return
        seen.push(found)
        void approve(found, seen).catch(error => complaints.push(String(error)))
      },
    }
  }

  async function approve(address: string, seen: string[]): Promise<void> {
    await page.goto(address)
    seen.push((await page.textContent('.request')) ?? '')
    await page.click('text=Approve with your passkey')
    await page.waitForSelector('h1 >> text=Approved')
  }

  test('an account is made without a password, and its address confirmed by the letter', async () => {
    await page.goto(`${site}/sign-up`)
    await page.fill('#login', 'rosa')
    await page.fill('#email', 'rosa@people.example')
    await page.click('text=Continue with a passkey')
    await page.waitForURL('**/account?done=welcome')
    const { mail } = await mailbox.wait('rosa@people.example', /Confirm your e-mail address/)
    await page.goto(/https?:\S+\/verify\/\S+/.exec(mail.text ?? '')?.[0] ?? '')
    await page.click('main button')
    await page.waitForURL('**/account?done=verified')
    const account = await world.ports.store.identity.findAccountByLogin('rosa')
    assert.deepEqual([account?.passwordHash, account?.hasPasskey], [null, true])
  })

  test('the security page lists the passkey and says what to do next', async () => {
    await page.goto(`${site}/account/security`)
    assert.match((await page.textContent('.notice.warn')) ?? '', /Next: make recovery codes/)
    assert.match((await page.textContent('tbody')) ?? '', /Chrome on Linux.*never/s)
    await page.click('#recovery ~ form button')
    codes.push(...((await page.textContent('#codes code')) ?? '').trim().split('\n'))
    assert.equal(codes.length, 10)
  })

  test('signing in asks for no name and no password', async () => {
    await page.click('text=Sign out')
    await page.waitForURL(`${site}/`)
    await page.goto(`${site}/sign-in?next=/account/security`)
    await page.click('text=Sign in with a passkey')
    await page.waitForURL('**/account/security')
    assert.match((await page.textContent('tbody')) ?? '', /just now/)
  })

  test('a second passkey is added, renamed and removed', async () => {
    await page.goto(`${site}/account/passkeys/new`)
    await page.fill('#name', 'the key on the ring')
    const other = await addAuthenticator(page, 'usb')
    await page.press('#name', 'Enter')
    await page.waitForURL('**/account/security?done=added')
    assert.match((await page.textContent('.notice.good')) ?? '', /added/)
    const row = page.locator('tr', { hasText: 'the key on the ring' })
    await row.locator('summary').click()
    await row.locator('input[name=name]').fill('the drawer')
    await row.locator('text=Rename').click()
    const renamed = page.locator('tr', { hasText: 'the drawer' })
    await renamed.locator('summary').click()
    await renamed.locator('text=Remove').click()
    await page.waitForURL('**/account/security?done=removed')
    assert.equal(await page.locator('tbody tr').count(), 1)
    await other()
  })

  test('npm login shows its page, and goes on after a touch', async () => {
    const seen: string[] = []
    const run = await desk.run('.', ['login'], approving(seen))
    assert.match(seen[1] ?? '', /npm login.*127\.0\.0\.1.*just now/s)
    passes(run)
    assert.equal(passes(await desk.run('.', ['whoami'])).stdout.trim(), 'rosa')
    const { mail } = await mailbox.wait('rosa@people.example', /signed in to your account/)
    assert.match(mail.text ?? '', /A command line at \S+ signed in to your account, approved from \S+/)
    assert.match(passes(await desk.run('.', ['profile', 'get'])).stdout, /two-factor auth: auth-and-writes/)
  })

  test('npm publish asks for a touch, for this package', { skip: noTerminal }, async () => {
    const seen: string[] = []
    passes(await desk.run('.', ['publish', '--access=public'], { terminal: true, ...approving(seen) }))
    assert.match(seen[1] ?? '', /npm publish.*@rosa\/first/s)
    assert.equal((await world.npm('GET /@rosa%2ffirst/1.0.0')).status, 200)
    await mailbox.wait('rosa@people.example', /publish of @rosa\/first\) was approved from/)
  })

  test('a recovery code, typed and sent by Enter, approves too', async () => {
    const { body } = await world.npm('POST /-/v1/login', { body: {} })
    await page.goto(body.loginUrl)
    await page.click('text=Use a code instead')
    await page.fill('#otp', codes.pop() ?? '')
    await page.press('#otp', 'Enter')
    await page.waitForSelector('h1 >> text=Approved')
  })

  test('an old session is made fresh by a touch', async () => {
    world.advance(11 * 60_000)
    await page.goto(`${site}/account/passkeys/new`)
    await page.click('text=Confirm with your passkey')
    await page.waitForURL('**/account/passkeys/new')
    await page.waitForSelector('text=Make the passkey')
  })

  test('where browsers know no passkeys, the page says where they do', async () => {
    await page.goto(`${world.url}/sign-in?next=/account`)
    const link = page.locator('[data-passkey-note] a')
    assert.equal(await link.getAttribute('href'), `${site}/sign-in?next=/account`)
    assert.equal(await page.locator('text=Sign in with a passkey').isVisible(), false)
  })

  test('the browser had nothing to complain about', () => {
    assert.deepEqual(complaints, [])
    assert.deepEqual(world.errors, [])
  })
})

/** A device with a finger on it. Gives the way to take it off again. */
async function addAuthenticator(page: Page, transport: 'internal' | 'usb' = 'internal') {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport,
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return () => devtools.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId })
}
