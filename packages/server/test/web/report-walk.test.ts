// SPDX-License-Identifier: Apache-2.0
/** In a browser, from an anonymous report over letters by real SMTP to the version let go again; each page looked at in both schemes and widths. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { type Mailbox, openMailbox } from '../mailbox.ts'
import { openWorld, type Someone, type World } from '../world.ts'
import { auditPage } from './accessibility.ts'
import { launchChromium, noChromium } from './chromium.ts'

describe('a report in a browser', { skip: noChromium }, () => {
  let world: World
  let browser: Browser
  let rae: Someone
  let ron: Someone
  let tom: Someone
  let hal: Someone
  let mailbox: Mailbox

  before(async () => {
    mailbox = await openMailbox()
    world = await openWorld({ smtp: mailbox.url, mfa: 'optional' })
    const alice = await world.someone('alice')
    rae = await world.someone('rae', ['responder'])
    ron = await world.someone('ron', ['responder'])
    tom = await world.someone('tom')
    hal = await world.someone('hal')
    await world.publish(alice, 'thief', '1.0.0')
    await world.npm('GET /thief/-/thief-1.0.0.tgz', { token: hal.token })
    await world.ports.downloads.flush()
    browser = await launchChromium()
  })
  after(async () => {
    await browser?.close()
    await world?.close()
    await mailbox?.close()
  })

  async function signIn(who: Someone): Promise<Page> {
    const page = await (await browser.newContext()).newPage()
    await page.goto(`${world.url}/sign-in`)
    await page.fill('#login', who.login)
    await page.fill('#password', who.password)
    await page.press('#password', 'Enter')
    await page.waitForURL(url => !url.pathname.startsWith('/sign-in'))
    return page
  }

  async function report(page: Page, words: string, email?: string): Promise<void> {
    await page.goto(`${world.url}/package/npm/thief?v=1.0.0`)
    await page.click('text=Report this package')
    await page.fill('#words', words)
    if (email !== undefined) await page.fill('#email', email)
    await look(page, 'report-form')
    await page.click('main button[type=submit]')
  }

  const letter = async (to: string, subject: RegExp) => (await mailbox.wait(to, subject)).mail.text ?? ''

  const status = async () => (await world.npm('GET /thief/-/thief-1.0.0.tgz')).status

  test('anonymous, confirmed by letter; a trusted reporter closes it; a responder works, tells everybody, ends it, and lets it go', async () => {
    const anybody = await (await browser.newContext()).newPage()
    await report(anybody, '<b>it reads</b> my keys', 'ann@outside.example')
    await anybody.waitForSelector('text=Look into your mailbox')
    const link = /(\/report\/confirm\/\S+)/.exec(await letter('ann@outside.example', /^Confirm/))
    await anybody.goto(`${world.url}${link?.[1]}`)
    await anybody.click('text=Yes, it is mine')
    await anybody.waitForSelector('text=Thank you')
    assert.equal(await status(), 200)

    const responder = await signIn(rae)
    await responder.goto(`${world.url}/operate/reporters`)
    await responder.fill('#who', 'tom')
    await responder.click('main form:last-of-type button')
    await responder.waitForSelector('td:has-text("tom")')
    await look(responder, 'reporters')
    await report(await signIn(tom), 'it sends them away')
    assert.equal(await status(), 403)

    await responder.goto(`${world.url}/operate/cases`)
    await look(responder, 'inbox')
    await responder.click('text=thief is reported')
    await responder.click('text=Take it on')
    await responder.click('summary:has-text("Add tasks")')
    await responder.selectOption('#playbook', 'malicious-version')
    await responder.click('text=Add its tasks')
    await responder.click('button:has-text("Done") >> nth=0')
    await responder.waitForSelector('text=done: Quarantine the version')
    await look(responder, 'room')
    const room = responder.url()
    await responder.click('text=Blast radius')
    await responder.waitForSelector('td:has-text("hal")')
    await look(responder, 'blast')
    await responder.click('text=Write to everybody who has it')
    await responder.waitForSelector('text=1 letter sent, 0 done')
    assert.match(await letter(hal.email, /^You have what a case is about/), /thief@1\.0\.0/)
    const holder = await signIn(hal)
    await holder.goto(`${world.url}/account/told`)
    await holder.click('text=It is done')
    await responder.reload()
    await responder.waitForSelector('text=1 letter sent, 1 done')
    await responder.goto(room)
    await responder.fill('#advice', 'It sends keys away.')
    await responder.click('text=Publish as malware')
    await responder.waitForSelector('text=published as malware')
    await responder.fill('#words', 'confirmed by hand')
    await responder.check('#outcome-confirmed')
    await responder.click('text=Close the case')
    await responder.waitForSelector('td:has-text("confirmed by hand")')
    for (const to of ['ann@outside.example', tom.email])
      assert.match(await letter(to, /^How your report/), /you were right/)
    await anybody.goto(`${world.url}/package/npm/thief`)
    await anybody.waitForSelector('text=There is malware in this package')
    await look(anybody, 'banner')
    assert.equal(await status(), 403)
    await responder.goto(room)
    await look(responder, 'closed')
    await responder.click('text=Ask to let thief@1.0.0 go again')
    await responder.waitForSelector('text=somebody else has to agree')
    assert.equal(await status(), 403)
    await look(responder, 'asked')
    const second = await signIn(ron)
    await second.goto(room)
    await second.click('text=Agree with rae to let thief@1.0.0 go')
    await second.waitForSelector('text=release thief@1.0.0')
    assert.equal(await status(), 200)
    await anybody.reload()
    assert.equal(await anybody.isVisible('text=There is malware in this package'), false)
    await anybody.goto(`${world.url}/transparency`)
    await look(anybody, 'transparency')
  })
})

/** What a machine can tell of accessibility, narrow and wide, light and dark; pictures for people who ask for them. */
async function look(page: Page, name: string): Promise<void> {
  for (const width of [360, 1200])
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize({ width, height: 900 })
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      // Colours of links change softly.
      await page.waitForTimeout(300)
      assert.deepEqual(await page.evaluate(auditPage), [], `${name} ${width} ${colorScheme}`)
      const folder = process.env['HOLDFAST_TEST_SHOTS']
      if (folder !== undefined)
        await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true })
    }
}
