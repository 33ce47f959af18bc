// SPDX-License-Identifier: Apache-2.0
/** Somebody who lost password and authenticator, with letters as they arrive at a mail server; without a script. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { type Mailbox, openMailbox } from '../mailbox.ts'
import { dayMs, openWorld, type Someone, type World } from '../world.ts'
import { auditPage } from './accessibility.ts'
import { launchChromium, noChromium } from './chromium.ts'

const wideLight: BrowserContextOptions = { colorScheme: 'light', viewport: { width: 1200, height: 800 } }
const narrowDark: BrowserContextOptions = { colorScheme: 'dark', viewport: { width: 360, height: 740 } }
const password = 'seven calm otters by a pond'

describe('the way back in, in a browser', { skip: noChromium }, () => {
  let mailbox: Mailbox
  let world: World
  let browser: Browser
  let ann: Someone

  before(async () => {
    mailbox = await openMailbox()
    world = await openWorld({ smtp: mailbox.url, mfa: 'optional' })
    ann = await world.someone('ann')
    browser = await launchChromium()
  })
  after(async () => {
    await browser?.close()
    await world?.close()
    await mailbox?.close()
  })

  async function open(options: BrowserContextOptions): Promise<Page> {
    const context = await browser.newContext({ ...options, javaScriptEnabled: false })
    return context.newPage()
  }

  /** What a machine can tell of accessibility, on the page that is open. */
  async function audit(page: Page): Promise<void> {
    const looking = await browser.newContext({ viewport: page.viewportSize() })
    const copy = await looking.newPage()
    await copy.goto(page.url())
    assert.deepEqual(await copy.evaluate(auditPage), [], page.url())
    await looking.close()
  }

  const linkFor = async (subject: RegExp, form: RegExp) =>
    form.exec((await mailbox.wait(ann.email, subject)).mail.text ?? '')?.[0] ?? ''

  test('from the sign-in page over the letter to a new password, after the wait that the policy says', async () => {
    const page = await open(wideLight)
    await page.goto(`${world.url}/sign-in`)
    await page.getByRole('link', { name: 'Get back in' }).click()
    await page.getByLabel('User name or e-mail address').fill('ann')
    await audit(page)
    await page.getByRole('button', { name: 'Send the letter' }).click()
    await page.goto(await linkFor(/^Your way back in/, /http\S+\/recover\/\S+/))
    await audit(page)
    await page.getByRole('button', { name: 'Begin' }).click()
    assert.match((await page.locator('main').textContent()) ?? '', /choose a new password in 3 days/)
    await audit(page)
    world.advance(3 * dayMs)
    await page.goto(await linkFor(/keep this letter/, /http\S+\/recovery\/\S+/))
    await audit(page)
    await page.getByLabel('New password', { exact: true }).fill(password)
    await page.getByLabel('New password again').fill(password)
    await page.getByRole('button', { name: 'Set the password' }).click()
    await page.getByLabel('User name or e-mail address').fill('ann')
    await page.getByLabel('Password', { exact: true }).fill(password)
    await page.locator('main').getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.goto(`${world.url}/account`)
    assert.equal(await page.locator('main h1').textContent(), 'ann')
  })

  test('a thief in the mailbox is stopped by one click in a letter, on a phone', async () => {
    const page = await open(narrowDark)
    await page.goto(`${world.url}/policy/recovery`)
    await audit(page)
    await page.goto(`${world.url}/recover`)
    await page.getByLabel('User name or e-mail address').fill(ann.email)
    const before = mailbox.letters.length
    await page.getByRole('button', { name: 'Send the letter' }).click()
    while (mailbox.letters.length === before) await page.waitForTimeout(50)
    await page.goto(await linkFor(/^Your way back in/, /http\S+\/recover\/\S+/))
    const told = mailbox.letters.length
    await page.getByRole('button', { name: 'Begin' }).click()
    const thiefsPage = page.url()
    while (mailbox.letters.length < told + 2) await page.waitForTimeout(50)
    await page.goto(await linkFor(/has begun/, /http\S+\/recovery\/cancel\/\S+/))
    await audit(page)
    await page.getByRole('button', { name: 'Stop it' }).click()
    assert.match((await page.locator('h1').textContent()) ?? '', /stopped/)
    world.advance(3 * dayMs)
    assert.equal((await page.goto(thiefsPage))?.status(), 410)
    assert.deepEqual(world.errors, [])
  })
})
