// SPDX-License-Identifier: Apache-2.0
/** The log on pages, and proofs that a real browser checks by itself. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { openWorld } from '../world.ts'
import { launchChromium, noChromium } from './chromium.ts'
import { get } from './site.ts'

const world = await openWorld()
const alice = await world.someone('alice')
const bob = await world.someone('bob')
for (const version of ['1.0.0', '1.1.0']) await world.publish(alice, '@acme/ui', version)
await world.publish(bob, 'left', '1.0.0')
after(async () => {
  assert.deepEqual(world.errors, [])
  await world.close()
})

const rows = (text: string) =>
  [...text.matchAll(/href="\/log\/entry\/(\d+)"/g)].map(([, index]) => Number(index))

test('entries stand newest first, and are found by package and by who made them', async () => {
  const size = (await world.ports.log.published())?.size ?? 0
  const all = (await get(world, '/log')).text
  assert.deepEqual(rows(all), [...Array(size).keys()].reverse())
  const ofPackage = (await get(world, '/log?package=@acme/ui')).text
  assert.match(ofPackage, /publish 1\.1\.0[\s\S]*publish 1\.0\.0/)
  const own = await world.ports.store.log.ofPackage('@acme/ui' as never)
  assert.deepEqual(rows(ofPackage), own.map(({ index }) => index).reverse())
  const ofBob = (await get(world, `/log?actor=${bob.id}`)).text
  assert.match(ofBob, /left/)
  assert.doesNotMatch(ofBob, /@acme\/ui/)
  assert.doesNotMatch(all, /alice|bob@|people\.example/)
})

test('older entries come page by page, none twice and none left out', async () => {
  for (let i = 0; i < 60; i++) await world.publish(alice, `many-${i}`, '1.0.0')
  const size = (await world.ports.log.published())?.size ?? 0
  for (const start of ['/log', `/log?actor=${alice.id}`]) {
    const seen: number[] = []
    for (let path: string | undefined = start; path !== undefined; ) {
      const { text } = await get(world, path)
      seen.push(...rows(text))
      path = /rel="next" href="([^"#]+)/.exec(text)?.[1]?.replaceAll('&amp;', '&')
    }
    assert.deepEqual(
      seen,
      [...new Set(seen)].sort((a, b) => b - a),
      start,
    )
    assert.ok(seen.length >= 62)
    if (start === '/log') assert.equal(seen.length, size)
  }
})

test('an entry shows every member of its leaf, and leads to its package; checkpoints tell how the log grew', async () => {
  const { text } = await get(world, '/log/entry/1')
  for (const words of [
    'dist.integrity',
    'sha512-',
    'publish 1.0.0',
    '/package/npm/@acme/ui?show=security',
    'its claim',
  ])
    assert.ok(text.includes(words), words)
  for (const path of ['/log/entry/999999', '/log/entry/x', '/log/entry/-1', '/log/entry/'])
    assert.equal((await get(world, path)).status, 404, path)
  const { text: checkpoints } = await get(world, '/log/checkpoints')
  assert.match(checkpoints, new RegExp(`<td>${(await world.ports.log.published())?.size}</td>`))
})

test('each checkpoint leads to the entries that came with it, and shows what was signed; the list goes on to the first', async () => {
  const published = await world.ports.log.published()
  const seen: number[] = []
  let path: string | undefined = '/log/checkpoints'
  while (path !== undefined) {
    const { text }: { text: string } = await get(world, path)
    if (path === '/log/checkpoints') assert.ok(text.includes(published?.note ?? '?'))
    for (const [, size, count] of text.matchAll(/before=(\d+)#entries">(\d+)</g)) {
      seen.push(Number(count))
      const first = (await get(world, `/log?before=${size}`)).text.match(/\/log\/entry\/(\d+)"/)?.[1]
      assert.equal(Number(first), Number(size) - 1)
    }
    path = text.match(/rel="next" href="([^"]+)"/)?.[1]
  }
  assert.equal(
    seen.reduce((sum, count) => sum + count, 0),
    published?.size,
  )
})

test('a word out of the address stays a word', async () => {
  const attack = encodeURIComponent('"><script>alert(1)</script>')
  for (const path of [
    `/log?package=${attack}`,
    `/log?actor=${attack}`,
    `/log?before=${attack}`,
    `/log/entry/${attack}`,
  ])
    assert.doesNotMatch((await get(world, path)).text, /<script>alert/, path)
})

describe('in a browser', { skip: noChromium }, () => {
  let browser: Browser
  before(async () => {
    browser = await launchChromium()
  })
  after(() => browser?.close())

  const security = '/package/npm/@acme/ui?show=security&v=1.0.0'

  /** The page, changed on its way, once its check is over. */
  async function look(path: string, change: (html: string) => string = html => html): Promise<Page> {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.route(world.url + path, async route => {
      const response = await route.fetch()
      await route.fulfill({ response, body: change(await response.text()) })
    })
    await page.goto(world.url + path)
    await page.waitForSelector('[data-log-result].good, [data-log-result].bad')
    return page
  }

  const found = async (page: Page) => {
    const text = (await page.textContent('[data-log-result]')) ?? ''
    await page.context().close()
    return text
  }

  test('the proof of a version and its whole history are verified there', async () => {
    const text = await found(await look(security))
    assert.match(text, /Verified here, on your machine/)
    assert.match(text, /\d entries of its package follow one another without a gap/)
  })

  test('so is the proof of any entry', async () => {
    assert.match(await found(await look('/log/entry/0')), /Verified here/)
  })

  const changed: readonly (readonly [string, (html: string) => string, RegExp])[] = [
    [
      'the digest that the page shows',
      html => html.replace(/(integrity&quot;:&quot;sha512-)./, '$1_'),
      /The page says/,
    ],
    [
      'the version it claims',
      html => html.replace(/ver&quot;:&quot;1\.0\.0/, 'ver&quot;:&quot;1.1.0'),
      /The page says 1\.1\.0/,
    ],
    ['the leaf in the proof', html => html.replace(/^extra eyJ/m, 'extra eyK'), /./],
    [
      'a hash of the path',
      html => html.replace(/^(index \d+\n)(.)/m, (_, line, first) => line + (first === 'A' ? 'B' : 'A')),
      /not in the tree/,
    ],
    ['the checkpoint', html => html.replace(/(data-log-proof>[\s\S]*?\n\n[^\n]*\n)(\d+)/, '$1999'), /./],
    ['the key', html => html.replace(/data-vkey="([^"]*)\+../, 'data-vkey="$1+zz'), /./],
    ['the log it is of', html => html.replace(/data-origin="/, 'data-origin="other.'), /another log/],
    ['an entry of the history', html => html.replace(/(data-log-leaf[^>]*>[^<]*?at&quot;:)1/, '$12'), /./],
    [
      'a history without its first entry',
      html => html.replace(/<pre class="text" data-log-leaf>[^<]*<\/pre>/, ''),
      /missing/,
    ],
    [
      'a history without its last entry',
      html => html.replace(/<pre class="text" data-log-leaf>[^<]*<\/pre><\/details>/, '</details>'),
      /last entry/,
    ],
  ]
  for (const [what, change, why] of changed)
    test(`it says so when somebody changed ${what}`, async () => {
      let isChanged = false
      const page = await look(security, html => {
        const other = change(html)
        isChanged = other !== html
        return other
      })
      const text = await found(page)
      assert.ok(isChanged)
      assert.match(text, /^Not verified/)
      assert.match(text, why)
    })

  test('without a script the page says how to check, and offers the proof', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(world.url + security)
    assert.match((await page.textContent('[data-log-result]')) ?? '', /verify --offline/)
    const link = (await page.getAttribute('text=/^Download the proof/', 'href')) ?? ''
    await context.close()
    assert.match((await get(world, link)).text, /^c2sp\.org\/tlog-proof@v1\n/)
  })
})
