// SPDX-License-Identifier: Apache-2.0
/** The pages in a real browser: by keyboard, without a script, in both colour schemes, wide and narrow. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { defaultRules, parseRules } from '../../src/catalog/index.ts'
import { applyPolicy, askWaiver, createOrg, createTeam } from '../../src/flow/index.ts'
import { operator, toPerson } from '../../src/identity/index.ts'
import { openWorld, type Someone, type World, whence } from '../world.ts'
import { auditPage } from './accessibility.ts'
import { launchChromium, noChromium } from './chromium.ts'

async function makeOrg(world: World, who: Someone, org: string): Promise<void> {
  const account = await world.ports.store.identity.findAccount(who.id)
  assert.ok(account !== undefined)
  const session = { kind: 'session', id: '', freshUntil: world.now() + 1 } as const
  const actor = toPerson(account, session, whence)
  await createOrg(world.ports, actor, org)
  await createTeam(world.ports, actor, org, 'core')
}

describe('in a browser', { skip: noChromium }, () => {
  let world: World
  let browser: Browser
  let olga: Someone
  const complaints: string[] = []

  before(async () => {
    world = await openWorld()
    olga = await world.someone('olga', ['operator', 'responder'])
    await makeOrg(world, olga, 'olgas')
    for (const version of ['1.0.0', '1.1.0']) {
      const manifest = {
        description: 'Buttons',
        keywords: ['ui'],
        dependencies: { '@acme/tokens': '1' },
        homepage: 'https://ui.example/',
      }
      await world.publish(olga, '@acme/ui', version, { manifest, files: { 'README.md': readme } })
    }
    await world.publish(olga, '@acme/tokens', '1.0.0')
    await world.publish(olga, 'denied', '1.0.0')
    const rules = parseRules([{ kind: 'deny', packages: ['denied'], mode: 'enforce', origins: ['hosted'] }])
    await applyPolicy(world.ports, operator, [...defaultRules, ...rules])
    await askWaiver(world.ports, operator, { name: 'denied' as never, version: '1.0.0' as never }, 'a test')
    browser = await launchChromium()
  })
  after(async () => {
    await browser?.close()
    await world?.close()
  })

  /** A context in which every complaint of the browser, a breach of the policy above all, fails the test. */
  async function open(options: BrowserContextOptions = {}): Promise<{ context: BrowserContext; page: Page }> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    page.on('console', message => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        complaints.push(message.text())
    })
    page.on('pageerror', error => complaints.push(error.message))
    page.on('request', request => {
      if (!request.url().startsWith(world.url)) complaints.push(`it asks ${request.url()}`)
    })
    page.on('dialog', async dialog => {
      complaints.push(`a dialog: ${dialog.message()}`)
      await dialog.dismiss()
    })
    return { context, page }
  }

  test('one signs in, makes a token and signs out by keyboard alone', async () => {
    const { context, page } = await open()
    await page.goto(`${world.url}/account/tokens`)
    await page.keyboard.type('olga')
    await page.keyboard.press('Tab')
    await page.keyboard.type(olga.password)
    await page.keyboard.press('Enter')
    await page.waitForURL('**/account/tokens')
    await tabTo(page, 'Make a token')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/account/tokens/new')
    await page.keyboard.type('by keyboard')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#secret')
    assert.match((await page.textContent('#secret code')) ?? '', /^holdfast_/)
    await tabTo(page, 'Sign out')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${world.url}/`)
    assert.equal(await page.getByText('Sign out').count(), 0)
    await context.close()
  })

  test('the first stop of the keyboard leads past the head to the content', async () => {
    const { context, page } = await open()
    await page.goto(`${world.url}/package/npm/@acme/ui`)
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to the content')
    await page.keyboard.press('Enter')
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'main')
    await context.close()
  })

  test('everything works without a script', async () => {
    const { context, page } = await open({ javaScriptEnabled: false })
    await page.goto(world.url)
    await page.fill('.hero input', 'ui')
    await page.press('.hero input', 'Enter')
    await page.click('text=@acme/ui')
    await page.click('.tabs >> text=2 versions')
    await page.click('text=1.0.0')
    await page.goto(`${world.url}/sign-in?next=/operate/names`)
    await page.fill('#login', 'olga')
    await page.fill('#password', olga.password)
    await page.click('main button[type=submit]')
    await page.fill('#patterns', '@quiet/*')
    await page.click('main .form button')
    assert.equal(await page.locator('td >> text=@quiet/*').count(), 1)
    await page.click('[aria-label="Remove @quiet/*"]')
    assert.equal(await page.locator('td >> text=@quiet/*').count(), 0)
    assert.equal(await page.locator('button.copy').count(), 0)
    await context.close()
  })

  test('the copy button copies the snippet', async () => {
    const { context, page } = await open({ permissions: ['clipboard-read', 'clipboard-write'] })
    await page.goto(`${world.url}/use`)
    await page.click('#npmrc .copy')
    await page.waitForSelector('#npmrc .copy >> text=Copied')
    assert.equal(
      await page.evaluate(() => navigator.clipboard.readText()),
      await page.textContent('#npmrc code'),
    )
    await context.close()
  })

  const forAnyone = [
    '/',
    '/search?q=acme',
    '/package/npm/@acme/ui',
    '/package/npm/@acme/ui?show=security',
    '/package/npm/@acme/ui?show=versions',
    '/package/npm/@acme/ui?show=dependencies',
    '/package/npm/@acme/tokens?show=dependents',
    '/log',
    '/log/entry/1',
    '/log/checkpoints',
    '/use',
    '/policy/unpublish',
    '/policy',
    '/policy/disclosure',
    '/policy/disclosure/history',
    '/security/reviews',
    '/status',
    '/policy/tokens',
    '/security',
    '/revoke-token',
    '/sign-in',
    '/sign-up',
    '/why/npm/denied/1.0.0',
    '/why/npm/@acme/ui/1.1.0',
    '/nothing',
  ]
  const forOperators = [
    '/account',
    '/account/tokens',
    '/account/tokens/new',
    '/account/sessions',
    '/account/password',
    '/account/second-factor',
    '/account/security',
    '/account/passkeys/new',
    '/operate',
    '/operate/names',
    '/operate/people',
    '/operate/mail',
    '/operate/pages',
    '/operate/pages/disclosure',
    '/operate/reviews',
    '/account/watches',
    '/account/webhooks',
    '/operate/people/olga',
    '/operate/risk',
    '/operate/critical',
    '/operate/audit',
    '/operate/policy',
    '/operate/policy?try=deny&mode=monitor',
    '/operate/waivers',
    '/why/npm/denied/1.0.0',
    '/access/npm/@acme/ui',
    '/account/organisations',
    '/organisation/olgas',
  ]

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 320]) {
      test(`every page can be read, ${colorScheme}, ${width} wide`, async () => {
        const { context, page } = await open({ colorScheme, viewport: { width, height: 800 } })
        const wrong: string[] = []
        const check = async (path: string) => {
          await page.goto(world.url + path)
          wrong.push(...(await page.evaluate(auditPage)).map(each => `${path}: ${each}`))
        }
        for (const path of forAnyone) await check(path)
        const { cookie } = await world.browse(olga)
        const [name = '', value = ''] = cookie.split('=')
        await context.addCookies([{ name, value, url: world.url }])
        for (const path of forOperators) await check(path)
        await context.close()
        assert.deepEqual(wrong, [])
      })
    }
  }

  test('the browser had nothing to complain about, and nothing was asked of other hosts', () => {
    assert.deepEqual(complaints, [])
    assert.deepEqual(world.errors, [])
  })
})

const readme = `# @acme/ui

[![build](https://img.example/b.svg)](https://ci.example/) ![logo](https://img.example/logo.png)
<script>alert('readme')</script><img src="https://img.example/x.png" onerror="alert('readme')">

| Option | Type |
|---|---|
| \`label\` | string |

\`\`\`js
${'a long line of code '.repeat(20)}
\`\`\`

> quoted, with [a link](https://elsewhere.example/)
`

/** Presses Tab until what has the focus reads so; the keyboard reaches everything, or the test ends. */
async function tabTo(page: Page, text: string): Promise<void> {
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab')
    if ((await page.evaluate(() => document.activeElement?.textContent?.trim())) === text) return
  }
  assert.fail(`the keyboard does not reach ${text}`)
}
