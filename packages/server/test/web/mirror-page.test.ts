// SPDX-License-Identifier: Apache-2.0
/** The page of a package that comes from an upstream: what is known of it, in words that say who knows it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type NamePattern, type PackageName, parseVersion } from '@holdfast/core'
import { defaultRules } from '../../src/catalog/index.ts'
import { applyPolicy, hostNames, takeMeasure } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { startUpstream, type UpstreamRegistry } from '../upstream-registry.ts'
import { dayMs, openWorld, type World } from '../world.ts'
import { get } from './site.ts'

const attack = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
const colours = 'colours' as PackageName
let upstream: UpstreamRegistry
let world: World

before(async () => {
  upstream = await startUpstream()
  world = await openWorld({ origins: JSON.stringify({ up: upstream.url }), allowPrivateHosts: '127.0.0.1' })
  const manifest = {
    license: 'MIT',
    homepage: 'https://colours.example/',
    repository: 'github:acme/colours',
    dependencies: { '@acme/hidden': '*', cached: '^1.0.0', elsewhere: '*' },
    _npmUser: { name: 'ann', email: 'ann@people.example' },
  }
  upstream.publish('cached', '1.0.0')
  upstream.publish('colours', '1.0.0', { manifest })
  upstream.publish('colours', '1.1.0', { manifest: { ...manifest, license: 'ISC' } })
  upstream.publish('colours', '1.2.0', { manifest, publishedAt: world.now() - dayMs })
  Object.assign(upstream.documents.get('colours'), {
    description: 'Colours for terminals',
    readme: '# Hello *there*\n\n<script>alert(1)</script>',
  })
})
after(async () => {
  assert.deepEqual(world.errors, [])
  await world.close()
  await upstream.close()
})

const page = (path = '') => get(world, `/package/npm/colours${path}`)

function includes(text: string, ...all: readonly string[]): void {
  for (const wanted of all) assert.ok(text.includes(wanted), `${wanted} is not in ${text}`)
}

test('it shows the version that an install takes, what it says of itself, and who says the rest', async () => {
  const { status, text } = await page()
  assert.equal(status, 200)
  includes(text, '>1.1.0<', 'Colours for terminals', 'npm install colours', 'Hello <em>there</em>', 'ISC')
  includes(text, 'github.com/acme/colours', 'https://colours.example/', 'by ann', 'from up', '>asked <time')
  includes(text, 'none told', 'not here yet')
  assert.doesNotMatch(text, /alert\(1\)<\/script>/)
  includes((await page('?show=security')).text, 'verified', 'the upstream’s, over name', 'not here yet')
})

test('what came in is told apart from what the upstream says', async () => {
  await world.npm('GET /colours/-/colours-1.0.0.tgz')
  for (let shown = ''; !shown.includes('when they came in'); await delay(20))
    shown = (await page('?v=1.0.0&show=security')).text
  await world.ports.downloads.flush()
  const { text } = await page('?v=1.0.0&show=security')
  includes(text, 'MIT', 'in its bytes too', '1 download in 30 days')
  assert.match((await page('?v=1.0.0&show=history')).text, /came in from its upstream, checked/)
})

test('a version that waits has no install line, says until when, and keeps the time it was promised', async () => {
  const { text } = await page('?v=1.2.0')
  includes(text, 'too new to be installed', 'Use <a href="/package/npm/colours?v=1.1.0">1.1.0</a> instead')
  assert.doesNotMatch(text, /npm install colours|Hello|colours\.example/)
  const versions = (await page('?show=versions')).text
  includes(versions, '1 version cannot be installed from here now', '/why/npm/colours/1.2.0')
  assert.match(versions, /changes <time[^>]*>in 2 days/)
})

test('what a person closed promises no change', async () => {
  const reason = { code: 'security', words: 'looked at' } as const
  const subject = { name: colours, version: parseVersion('1.2.0') }
  await takeMeasure(world.ports, operator, 'quarantine', subject, reason)
  assert.doesNotMatch((await page('?show=versions')).text, /changes <time/)
  assert.doesNotMatch((await get(world, '/why/npm/colours/1.2.0')).text, /may change by itself/)
  assert.match((await page('?v=1.2.0&show=history')).text, /quarantined/)
  await takeMeasure(world.ports, operator, 'release', subject, reason)
  assert.match((await page('?v=1.2.0&show=history')).text, /released/)
})

test('its history names the rules that changed since it was out, and only those that look at it', async () => {
  const changed = defaultRules.map(rule =>
    rule.kind === 'release-age'
      ? { ...rule, days: 2 }
      : rule.kind === 'install-script'
        ? { ...rule, packages: ['other'] as never }
        : rule.kind === 'deprecated'
          ? { ...rule, except: ['colours'] as never, mode: 'enforce' as const }
          : rule,
  )
  await applyPolicy(world.ports, operator, changed)
  const { text } = await page('?show=history')
  assert.match(text, /policy changed: release-age, install-script, deprecated/)
  const again = changed.map(rule =>
    rule.kind === 'deprecated' ? { ...rule, mode: 'monitor' as const } : rule,
  )
  await applyPolicy(world.ports, operator, again)
  assert.equal(
    (await page('?show=history')).text.split('policy changed').length,
    2,
    'it is no longer looked at',
  )
  const { body } = await world.ask('GET /api/v1/why/npm/colours/1.1.0')
  assert.deepEqual(body.history[0].rules, ['release-age', 'install-script', 'deprecated'])
})

test('dependencies lead to what is here, and never tell of a private package', async () => {
  const alice = await world.someone('alice')
  await hostNames(world.ports, operator, ['@acme/*' as NamePattern])
  await world.publish(alice, '@acme/hidden', '1.0.0', { access: 'restricted' })
  await get(world, '/package/npm/cached')
  const { text } = await page('?show=dependencies')
  assert.match(text, /<a href="\/package\/npm\/cached">/)
  for (const name of ['elsewhere', '@acme/hidden']) {
    assert.ok(text.includes(name))
    assert.ok(!text.includes(`href="/package/npm/${name}"`), name)
  }
})

test('nothing an upstream says runs on the page', async () => {
  const manifest = {
    license: attack,
    homepage: 'javascript:alert(1)',
    repository: { url: `https://x.example/${attack}` },
    engines: { node: attack },
    dependencies: { [attack]: attack },
    _npmUser: { name: attack },
  }
  upstream.publish('worm', '1.0.0', { manifest })
  Object.assign(upstream.documents.get('worm'), {
    description: attack,
    readme: `${attack}\n\n[x](javascript:alert(1))`,
  })
  for (const show of ['readme', 'versions', 'dependencies', 'dependents', 'history']) {
    const { status, text } = await get(world, `/package/npm/worm?show=${show}`)
    assert.equal(status, 200, show)
    assert.doesNotMatch(text, /<script>|<img src=x|href="javascript:/, show)
  }
})
