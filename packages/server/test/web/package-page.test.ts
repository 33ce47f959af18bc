// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type PackageName, parseVersion, type ReasonCode, type Version } from '@holdfast/core'
import type { Advisory } from '../../src/catalog/index.ts'
import { addAdvisories, type Measure, takeMeasure, unpublishPackage } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { openWorld } from '../world.ts'
import { get } from './site.ts'

const world = await openWorld()
const alice = await world.someone('alice')
const bob = await world.someone('bob')
after(() => world.close())

const attack = '"><script>alert(1)</script><img src=x onerror=alert(1)>'

async function measure(
  what: Measure,
  name: string,
  version: string,
  code: ReasonCode,
  words: string,
): Promise<void> {
  await takeMeasure(
    world.ports,
    operator,
    what,
    { name: name as PackageName, version: parseVersion(version) },
    { code, words },
  )
}

test('of a package without a README the page says that there is none, not what npm sends instead', async () => {
  const manifest = { readme: 'ERROR: No README data found!', readmeFilename: '' }
  await world.publish(alice, 'unread', '1.0.0', { manifest })
  const { text } = await get(world, '/package/npm/unread')
  assert.match(text, /This package has no README/)
  assert.doesNotMatch(text, /No README data/)
})

test('a page shows what the package says of itself, and how to install it', async () => {
  const manifest = {
    description: 'Buttons',
    license: 'MIT',
    homepage: 'https://ui.example/',
    repository: 'acme/ui',
    keywords: ['ui'],
    dependencies: { '@acme/tokens': '^1.0.0', elsewhere: '*' },
  }
  await world.publish(alice, '@acme/tokens', '1.0.0')
  await world.publish(alice, '@acme/ui', '1.0.0', { manifest, files: { 'README.md': '# Hello *there*' } })
  const { status, text } = await get(world, '/package/npm/@acme/ui')
  assert.equal(status, 200)
  for (const wanted of [
    'Buttons',
    'npm install @acme/ui',
    'Hello <em>there</em>',
    'github.com/acme/ui',
    'signed',
    'alice',
  ]) {
    assert.ok(text.includes(wanted), wanted)
  }
  const { text: dependencies } = await get(world, '/package/npm/@acme/ui?show=dependencies')
  assert.match(dependencies, /<a href="\/package\/npm\/@acme\/tokens">/)
  assert.doesNotMatch(dependencies, /<a href="\/package\/npm\/elsewhere">/)
  assert.match(
    (await get(world, '/package/npm/@acme/tokens?show=dependents')).text,
    /<a href="\/package\/npm\/@acme\/ui">/,
  )
  assert.equal((await get(world, '/package/npm/@acme%2fui')).status, 200)
})

test('the tab of security tells what is known of a version and what nobody proved, advisories last', async () => {
  const manifest = { repository: 'acme/guarded', scripts: { install: 'node x.js' } }
  for (const version of ['1.0.0', '1.1.0']) await world.publish(alice, 'guarded', version, { manifest })
  const advisory: Advisory = {
    ...{ id: 'TEST-2026-1', package: 'guarded' as PackageName, range: '<1.1.0', fixed: ['1.1.0' as Version] },
    ...{ kind: 'vulnerability', severity: 'high', title: 'Lets <everybody> in', url: '' },
    ...{ aliases: [], cvss: null, cwe: [] },
    ...{ publishedAt: world.now(), modifiedAt: world.now(), withdrawnAt: null },
  }
  await addAdvisories(world.ports, operator, [advisory], [])
  const { text } = await get(world, '/package/npm/guarded?v=1.0.0&show=security')
  const main = text.slice(text.indexOf('<main'), text.indexOf('</main>'))
  const order = [
    'by a person',
    'The publisher names',
    'Nobody checked that these bytes come from there',
    'runs scripts',
    'nobody attests where and how this version was built',
    'sha512-',
    'TEST-2026-1',
    'Lets &lt;everybody&gt; in',
  ]
  assert.deepEqual(
    order.filter(words => !main.includes(words)),
    [],
  )
  assert.deepEqual(
    [...order].sort((a, b) => main.indexOf(a) - main.indexOf(b)),
    order,
  )
  assert.match(
    (await get(world, '/package/npm/guarded?v=1.1.0&show=security')).text,
    /knows of none for 1\.1\.0/,
  )
})

test('beside a package stands the whole statement of who attests it, after what people look for first', async () => {
  const { text } = await get(world, '/package/npm/guarded')
  const aside = text.slice(text.indexOf('<aside'), text.indexOf('</aside>'))
  assert.match(
    aside,
    /People[\s\S]*<h2>.*Security<\/h2>[\s\S]*nobody attests where and how this version was built/,
  )
  for (const [, path = '', id = ''] of aside.matchAll(/href="([^"#]*show=security)#(\w+)"/g))
    assert.match((await get(world, path.replaceAll('&amp;', '&'))).text, new RegExp(` id="${id}"`))
})

test('nothing a publisher writes runs on a page', async () => {
  const manifest = {
    description: attack,
    license: attack,
    homepage: 'javascript:alert(1)',
    repository: { url: 'javascript:alert(1)' },
    keywords: [attack],
    engines: { node: attack },
    dependencies: { [attack]: attack },
  }
  await world.publish(alice, 'evil-one', '1.0.0', { manifest, files: { 'README.md': attack } })
  const pages = [
    '/',
    '/search?q=evil',
    '/package/npm/evil-one',
    '/package/npm/evil-one?show=versions',
    '/package/npm/evil-one?show=dependencies',
  ]
  for (const page of pages) {
    const { text } = await get(world, page)
    assert.doesNotMatch(text, /<script>|onerror=alert\(1\)>|href="javascript/, page)
  }
  assert.match((await get(world, '/package/npm/evil-one?show=dependencies')).text, /&lt;script&gt;/)
})

test('nothing an address says runs on a page, and it goes nowhere else', async () => {
  for (const path of [
    `/search?q=${encodeURIComponent(attack)}`,
    `/package/npm/${encodeURIComponent(attack)}`,
    `/package/npm/evil-one?v=${encodeURIComponent(attack)}`,
    `/${encodeURIComponent(attack)}`,
    `/sign-in?next=${encodeURIComponent(attack)}`,
  ]) {
    const { text } = await get(world, path)
    assert.doesNotMatch(text, /<script>|onerror=alert\(1\)>/, path)
  }
})

test('every page forbids scripts of others, frames and sniffing, and is kept by no cache', async () => {
  for (const path of ['/', '/search', '/use', '/package/npm/@acme/ui', '/sign-in', '/nothing']) {
    const { headers } = await get(world, path)
    const policy = headers.get('content-security-policy') ?? ''
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(policy, /unsafe|\*|https?:/)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('referrer-policy'), 'same-origin')
  }
})

test('style and script come from this origin, under addresses that never change their content', async () => {
  const { text } = await get(world, '/')
  const files = [...text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path = '']) => path)
  assert.equal(files.length, 3)
  for (const file of files) {
    const { status, headers } = await get(world, file)
    assert.equal(status, 200)
    assert.match(headers.get('cache-control') ?? '', /immutable/)
    assert.match(file, /\.[0-9a-f]{16}\./)
  }
  assert.equal((await get(world, '/assets/style.0000000000000000.css')).status, 404)
  assert.equal((await get(world, '/assets/../package.json')).status, 404)
  assert.doesNotMatch(text, /<script(?![^>]* src=)|<style| style="| on[a-z]+="/)
})

test('a private package does not exist for outsiders, and no page tells of it', async () => {
  await world.publish(alice, '@acme/secret', '1.0.0', {
    access: 'restricted',
    manifest: { description: 'hush', dependencies: { '@acme/tokens': '1' } },
  })
  const cookies = [undefined, (await world.browse(bob)).cookie]
  for (const cookie of cookies) {
    const visit = cookie === undefined ? {} : { cookie }
    const hidden = await get(world, '/package/npm/@acme/secret', visit)
    const missing = await get(world, '/package/npm/@acme/no-such', visit)
    assert.equal(hidden.status, 404)
    const plain = (text: string) =>
      text.replace(/(@|%40)acme(%2F|\/)(secret|no-such)/g, 'NAME').replace(/request <code>[^<]*/, '')
    assert.equal(plain(hidden.text), plain(missing.text))
    for (const path of [
      '/',
      '/search?q=secret',
      '/search?q=acme',
      '/package/npm/@acme/tokens?show=dependents',
    ]) {
      assert.doesNotMatch((await get(world, path, visit)).text, /@acme\/secret/, path)
    }
  }
  const { cookie } = await world.browse(alice)
  assert.match((await get(world, '/package/npm/@acme/secret', { cookie })).text, /hush/)
  assert.match(
    (await get(world, '/package/npm/@acme/tokens?show=dependents', { cookie })).text,
    /@acme\/secret/,
  )
})

test('a quarantined version says so in words, names another, and offers neither install line nor its links', async () => {
  const manifest = { homepage: 'https://trap.example/' }
  for (const version of ['1.0.0', '1.1.0'])
    await world.publish(alice, 'trap', version, {
      manifest,
      files: { 'README.md': '[come](https://trap.example/)' },
    })
  await measure('quarantine', 'trap', '1.1.0', 'malware', 'Sends the environment away')
  const { text } = await get(world, '/package/npm/trap?v=1.1.0')
  assert.match(text, /quarantined: do not use it/)
  assert.match(text, /Sends the environment away/)
  assert.match(text, /Use <a href="\/package\/npm\/trap\?v=1\.0\.0">1\.0\.0<\/a> instead/)
  assert.doesNotMatch(text, /npm install|trap\.example/)
  assert.match((await get(world, '/package/npm/trap')).text, /npm install trap/)
  assert.match((await get(world, '/package/npm/trap?show=versions')).text, /quarantined/)
})

test('a package of which nothing can be used says that, and is not found by search', async () => {
  await world.publish(alice, 'all-bad', '1.0.0')
  await measure('quarantine', 'all-bad', '1.0.0', 'malware', 'bad')
  assert.match((await get(world, '/package/npm/all-bad')).text, /quarantined/)
  assert.doesNotMatch((await get(world, '/search?q=all-bad')).text, /href="\/package\/npm\/all-bad"/)
})

test('a yanked version keeps its install line and says why not to take it', async () => {
  for (const version of ['1.0.0', '1.1.0']) await world.publish(alice, 'pulled', version)
  await measure('yank', 'pulled', '1.1.0', 'broken', 'Loses data')
  const { text } = await get(world, '/package/npm/pulled?v=1.1.0')
  assert.match(text, /was yanked/)
  assert.match(text, /Loses data/)
  assert.match(text, /npm install pulled@1\.1\.0/)
})

test('an unpublished package leaves a tombstone', async () => {
  await world.publish(alice, 'gone', '1.0.0', { files: { 'README.md': 'was here' } })
  const known = await world.ports.store.catalog.findPackage('gone' as PackageName)
  await unpublishPackage(world.ports, operator, 'gone' as PackageName, known?.revision)
  const { status, text } = await get(world, '/package/npm/gone')
  assert.equal(status, 410)
  assert.match(text, /was unpublished/)
  assert.doesNotMatch(text, /was here|npm install/)
})

test('a version or tag that is not there is a page with the right status', async () => {
  assert.equal((await get(world, '/package/npm/trap?v=9.9.9')).status, 404)
  assert.equal((await get(world, '/package/npm/trap?v=nonsense')).status, 400)
  assert.equal((await get(world, '/package/npm/trap?v=latest')).status, 200)
  assert.equal((await get(world, '/package/npm/UPPER%20CASE')).status, 400)
})

test('search is ranked and paged', async () => {
  for (let i = 10; i < 35; i++)
    await world.publish(alice, `tool-${i}`, '1.0.0', { manifest: { description: 'a thing' } })
  const first = await get(world, '/search?q=tool')
  const second = await get(world, '/search?q=tool&page=2')
  const names = (text: string) =>
    [...text.matchAll(/<h2><a href="\/package\/npm\/(tool-\d+)"/g)].map(([, name]) => name)
  assert.deepEqual([names(first.text).length, names(second.text).length], [20, 5])
  assert.match(first.text, /25 packages/)
  assert.match(first.text, /rel="next"/)
  assert.equal(names((await get(world, '/search?q=tool-20')).text)[0], 'tool-20')
})

test('HEAD is answered like GET without the body', async () => {
  const { status, text, headers } = await world.ask('HEAD /package/npm/trap')
  assert.deepEqual([status, text], [200, ''])
  assert.ok(Number(headers.get('content-length')) > 1000)
})

test('nothing here was a bug', () => assert.deepEqual(world.errors, []))
