// SPDX-License-Identifier: Apache-2.0
/** Drills by page: begun by those who respond, read by those who may, told to everybody in one line. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { openWorld } from '../world.ts'
import { auditPage } from './accessibility.ts'
import { launchChromium, noChromium } from './chromium.ts'
import { get, post } from './site.ts'

const world = await openWorld()
after(() => world.close())

test('a responder begins a drill by the page and reads its report; an auditor only reads, others see nothing', async () => {
  const rae = await world.browse(await world.someone('rae', ['responder']))
  const aud = await world.browse(await world.someone('aud', ['auditor']))
  const ann = await world.browse(await world.someone('ann'))
  const before = (await get(world, '/operate/drills', rae)).text
  assert.match(before, /A drill is due[\s\S]*<button type="submit">Begin it now/)
  assert.doesNotMatch((await get(world, '/operate/drills', aud)).text, /Begin it now/)
  assert.equal((await get(world, '/operate/drills', ann)).status, 404)
  const wish = { playbook: 'worm', path: 'automatic', packages: '5' }
  assert.equal((await post(world, '/operate/drills', wish, aud)).status, 403)
  assert.match((await post(world, '/operate/drills', { ...wish, packages: '900' }, rae)).text, /1 to 200/)
  const begun = await post(world, '/operate/drills', wish, rae)
  assert.equal(begun.status, 303)
  const path = begun.headers.get('location') ?? ''
  while ((await world.ports.store.drills.findOpen()) !== undefined) await delay(50)
  const page = (await get(world, path, aud)).text
  assert.match(page, /done[\s\S]*Seen[\s\S]*Contained[\s\S]*a reader gets none of it any more/)
  assert.match((await get(world, '/transparency')).text, /\(worm\) and was contained after/)
  const list = (await get(world, '/operate/drills', rae)).text
  assert.ok(list.includes(path))
  assert.doesNotMatch(list, /A drill is due/)
})

test('the pages can be used by keyboard, wide and narrow, light and dark', { skip: noChromium }, async t => {
  const oper = await world.browse(await world.someone('oper', ['operator', 'responder']))
  const browser = await launchChromium()
  t.after(() => browser.close())
  const [drill] = await world.ports.store.drills.list(1)
  const [name = '', value = ''] = oper.cookie.split('=')
  for (const options of [
    { viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
    { viewport: { width: 360, height: 800 }, colorScheme: 'dark' },
  ] as const) {
    const context = await browser.newContext(options)
    await context.addCookies([{ name, value, url: world.url }])
    const page = await context.newPage()
    for (const path of ['/operate/drills', `/operate/drills/${drill?.id}`]) {
      await page.goto(world.url + path)
      assert.deepEqual(await page.evaluate(auditPage), [], path)
      const shots = process.env['HOLDFAST_TEST_SHOTS']
      const file = `${path.length > 20 ? 'one' : 'all'}-${options.colorScheme}.png`
      if (shots !== undefined) await page.screenshot({ path: `${shots}/${file}`, fullPage: true })
    }
    await context.close()
  }
})
