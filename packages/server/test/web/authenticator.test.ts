// SPDX-License-Identifier: Apache-2.0
/** The way of those without a passkey: a password, an authenticator, the real npm. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { totpCode } from '../../src/identity/index.ts'
import { type Desk, noTerminal, openDesk, type RunOptions } from '../client/client.ts'
import { passes } from '../client/expect.ts'
import { type Mailbox, openMailbox } from '../mailbox.ts'
import { openWorld, type World } from '../world.ts'
import { launchChromium, noChromium } from './chromium.ts'

const password = 'eleven quiet herons at dawn'

describe('with an authenticator, in a browser', { skip: noChromium }, () => {
  let mailbox: Mailbox
  let world: World
  let site: string
  let browser: Browser
  let page: Page
  let desk: Desk
  let seed = ''
  const complaints: string[] = []
  /** The next code: each works once. */
  const code = () => {
    world.advance(60_000)
    return totpCode(seed, world.now())
  }

  before(async () => {
    mailbox = await openMailbox()
    world = await openWorld({ signUp: 'open', smtp: mailbox.url })
    site = world.url
    browser = await launchChromium()
    page = await browser.newPage()
    page.on('pageerror', error => complaints.push(error.message))
    desk = await openDesk('npm', `${site}/npm/`)
    await desk.folder('.', { name: '@theo/first', version: '1.0.0', license: 'MIT' })
  })
  after(async () => {
    await desk?.remove()
    await browser?.close()
    await world?.close()
    await mailbox?.close()
  })

  /** Opens the page that npm names, and approves there. */
  function approving(seen: string[]): RunOptions {
    const approve = async (address: string) => {
      await page.goto(address)
      seen.push((await page.textContent('.request')) ?? '')
      await page.click('button[value=approve]')
      await page.waitForSelector('h1 >> text=Approved')
    }
    return {
      onOutput(text) {
        const found = /https?:\S+\/login\/cli\/\w{20,}/.exec(text)?.[0]
        if (found === undefined || seen.includes(found)) return
        seen.push(found)
        void approve(found).catch(error => complaints.push(String(error)))
      },
    }
  }

  test('an account is made with a password, and its address confirmed by the letter', async () => {
    await page.goto(`${site}/sign-up`)
    await page.fill('#login', 'theo')
    await page.fill('#email', 'theo@people.example')
    await page.fill('#password', password)
    await page.click('text=Make the account')
    await page.waitForURL('**/account?done=welcome')
    const { mail } = await mailbox.wait('theo@people.example', /Confirm your e-mail address/)
    await page.goto(/https?:\S+\/verify\/\S+/.exec(mail.text ?? '')?.[0] ?? '')
    await page.click('main button')
    await page.waitForURL('**/account?done=verified')
  })

  test('an authenticator is set up with its key, and gives recovery codes', async () => {
    await page.goto(`${site}/account/second-factor`)
    await page.fill('#password', password)
    await page.click('text=Begin')
    seed = ((await page.textContent('#key code')) ?? '').trim()
    await page.fill('#code', code())
    await page.click('text=Switch it on')
    assert.equal((await page.textContent('#codes code'))?.trim().split('\n').length, 10)
    await mailbox.wait('theo@people.example', /was switched on/)
  })

  test('signing in asks for the password and a code', async () => {
    await page.click('text=Sign out')
    await page.waitForURL(`${site}/`)
    await page.goto(`${site}/sign-in?next=/account/tokens`)
    await page.fill('#login', 'theo')
    await page.fill('#password', password)
    await page.click('button[type=submit] >> text=Sign in')
    await page.fill('#password', password)
    await page.fill('#otp', code())
    await page.click('button[type=submit] >> text=Sign in')
    await page.waitForURL('**/account/tokens')
  })

  test('npm login and npm publish go on after an approval', { skip: noTerminal }, async () => {
    const [login, publish]: [string[], string[]] = [[], []]
    passes(await desk.run('.', ['login'], approving(login)))
    assert.equal(passes(await desk.run('.', ['whoami'])).stdout.trim(), 'theo')
    passes(await desk.run('.', ['publish', '--access=public'], { terminal: true, ...approving(publish) }))
    assert.match(publish[1] ?? '', /npm publish.*@theo\/first/s)
    assert.equal((await world.npm('GET /@theo%2ffirst/1.0.0')).status, 200)
  })

  test('in an old session the approval asks for a code', { skip: noTerminal }, async () => {
    world.advance(11 * 60_000)
    await desk.folder('.', { name: '@theo/first', version: '1.0.1', license: 'MIT' })
    const approve = async (address: string) => {
      await page.goto(address)
      await page.fill('#otp', code())
      await page.click('button[value=approve]')
      await page.waitForSelector('h1 >> text=Approved')
    }
    let seen = ''
    const onOutput = (text: string) => {
      const found = /https?:\S+\/login\/cli\/\w{20,}/.exec(text)?.[0] ?? ''
      if (found === seen) return
      seen = found
      void approve(found).catch(error => complaints.push(String(error)))
    }
    passes(await desk.run('.', ['publish'], { terminal: true, onOutput }))
    assert.deepEqual(complaints, [])
    assert.deepEqual(world.errors, [])
  })
})
