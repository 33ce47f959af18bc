// SPDX-License-Identifier: Apache-2.0
/** The firewall's pages in a browser, over an upstream of which something was refused in every way: wide and narrow, light and dark. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { parsePackageName, parseVersion } from '@holdfast/core'
import { parseRules } from '../../src/catalog/index.ts'
import { applyPolicy, askWaiver, takeMeasure } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { startUpstream } from '../upstream-registry.ts'
import { dayMs, openWorld } from '../world.ts'
import { auditPage } from './accessibility.ts'
import { launchChromium, noChromium } from './chromium.ts'

const names = ['@a-scope-with-a-long-name/a-package-with-a-rather-long-name', 'left-pad', 'thief'] as const

test('its pages can be used wide and narrow, light and dark', { skip: noChromium }, async t => {
  const upstream = await startUpstream()
  t.after(() => upstream.close())
  const world = await openWorld({
    origins: JSON.stringify({ up: upstream.url, down: 'http://127.0.0.1:9' }),
    routes: JSON.stringify({ '*': 'up', '@down/*': 'down' }),
    allowPrivateHosts: '127.0.0.1',
  })
  t.after(() => world.close())
  const rules = [
    { kind: 'release-age', days: 3, mode: 'enforce' },
    { kind: 'deny', packages: ['left-pad'], versions: '1.1.0', mode: 'enforce' },
    { name: 'no-scripts', kind: 'install-script', action: 'hold', mode: 'monitor' },
  ]
  await applyPolicy(world.ports, operator, parseRules(rules))
  const [scoped, pad, thief] = names
  for (const name of names)
    for (const version of ['1.0.0', '1.1.0', '1.2.0'])
      upstream.publish(name, version, {
        publishedAt: world.now() - (version === '1.2.0' ? 1 : 400) * dayMs,
        manifest: name === scoped ? { scripts: { postinstall: 'node setup.js' } } : {},
      })
  for (const name of names) {
    const file = name.split('/').at(-1)
    for (const version of ['1.0.0', '1.1.0', '1.2.0'])
      await world.npm(`GET /${name}/-/${file}-${version}.tgz`, { headers: { 'user-agent': 'npm/11' } })
  }
  await world.npm('GET /@down%2fui')
  const bad = { name: parsePackageName(thief), version: parseVersion('1.1.0') }
  await takeMeasure(world.ports, operator, 'quarantine', bad, { code: 'malware', words: 'steals tokens' })
  await world.npm('GET /thief/-/thief-1.1.0.tgz', { headers: { 'user-agent': 'npm/11' } })
  // One's own wish and that of somebody else look different.
  const wanted = { name: parsePackageName(pad), version: parseVersion('1.2.0') }
  await askWaiver(world.ports, operator, wanted, 'the build of Monday needs it')
  const oper = await world.browse(await world.someone('oper', ['operator', 'responder']))
  const [key = '', value = ''] = oper.cookie.split('=')
  const browser = await launchChromium()
  t.after(() => browser.close())
  const context = await browser.newContext({ reducedMotion: 'reduce' })
  await context.addCookies([{ name: key, value, url: world.url }])
  const page = await context.newPage()
  // The reason goes in by the form that a refusal leads to.
  await page.goto(`${world.url}/why/npm/${pad}/1.1.0`)
  await page.fill('[name=reason]', 'the release of Friday needs it, and nobody can change that any more')
  await page.click('form:has([name=reason]) button')
  for (const [what, path] of Object.entries({
    why: `/why/npm/${pad}/1.1.0`,
    origins: '/operate/origins',
    cached: '/operate/cached',
    policy: '/operate/policy',
    preview: '/operate/policy?try=no-scripts&mode=enforce',
    waivers: '/operate/waivers',
    package: `/package/npm/${scoped}`,
    holds: '/operate/holds',
  }))
    for (const width of [360, 1280])
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height: 900 })
        await page.emulateMedia({ colorScheme })
        assert.equal((await page.goto(world.url + path))?.status(), 200, path)
        assert.deepEqual(await page.evaluate(auditPage), [], `${path} ${width} ${colorScheme}`)
        const folder = process.env['HOLDFAST_TEST_SHOTS']
        if (folder !== undefined)
          await page.screenshot({ path: join(folder, `${what}-${width}-${colorScheme}.png`), fullPage: true })
      }
  // Not everything, while some wait.
  assert.doesNotMatch((await page.textContent('main')) ?? '', /Everything was screened.*to be screened/)
  assert.deepEqual(world.errors, [])
})
