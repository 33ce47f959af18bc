// SPDX-License-Identifier: Apache-2.0
/** The pages of the policy: who sees and changes what, by forms and without scripts. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parseRules } from '../../src/catalog/index.ts'
import { applyPolicy } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { openWorld, type Someone, type World } from '../world.ts'

let world: World
let alice: Someone
const cookies = new Map<string, string>()

before(async () => {
  world = await openWorld()
  alice = await world.someone('alice')
  for (const [login, role] of [
    ['olga', 'operator'],
    ['rita', 'responder'],
    ['anna', 'auditor'],
  ] as const)
    cookies.set(login, (await world.browse(await world.someone(login, [role]))).cookie)
  cookies.set('alice', (await world.browse(alice)).cookie)
  await world.publish(alice, 'ui', '1.0.0')
  await world.publish(alice, 'ui', '1.1.0', { manifest: { scripts: { install: 'node x.js' } } })
  await applyPolicy(world.ports, operator, parseRules([{ kind: 'install-script', origins: ['hosted'] }]))
})
after(async () => {
  assert.deepEqual(world.errors, [])
  await world.close()
})

const see = (who: string, path: string) =>
  world.ask(`GET ${path}`, { headers: { cookie: cookies.get(who) ?? '' } })

async function send(who: string, path: string, fields: Readonly<Record<string, string>>) {
  const response = await fetch(world.url + path, {
    method: 'POST',
    redirect: 'manual',
    headers: {
      cookie: cookies.get(who) ?? '',
      origin: new URL(world.ports.config.publicUrl).origin,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams(fields),
  })
  return { status: response.status, text: await response.text() }
}

test('the pages exist for staff alone', async () => {
  for (const path of ['/operate/policy', '/operate/waivers']) {
    for (const who of ['olga', 'rita', 'anna'])
      assert.equal((await see(who, path)).status, 200, `${who} ${path}`)
    assert.equal((await see('alice', path)).status, 404)
    assert.equal((await see('nobody', path)).status, 303, 'to sign in')
  }
})

test('an operator tries a rule, enforces it and sees what was refused; others cannot', async () => {
  const rule = { rule: 'install-script', mode: 'enforce' }
  assert.match(
    (await see('olga', '/operate/policy?try=install-script&mode=enforce')).text,
    /This would hide 0 versions/,
  )
  assert.equal((await send('rita', '/operate/policy', rule)).status, 403)
  assert.equal((await send('alice', '/operate/policy', rule)).status, 404)
  world.advance(1000)
  assert.equal((await send('olga', '/operate/policy', rule)).status, 303)
  assert.equal((await send('olga', '/operate/policy', { rule: 'no-such', mode: 'enforce' })).status, 404)
  assert.equal((await world.npm('GET /ui/-/ui-1.1.0.tgz')).status, 403)
  const page = await see('olga', '/operate/policy')
  assert.match(page.text, /Blocked lately[\s\S]*ui@1\.1\.0[\s\S]*<td class="number">1<\/td>/)
  assert.ok(!(await see('anna', '/operate/policy')).text.includes('Only watch…'))
})

test('somebody asks on the page that explains, a responder decides, and only a responder', async () => {
  assert.match((await world.ask('GET /why/npm/ui/1.1.0')).text, /Sign in<\/a> to ask/)
  const why = '/why/npm/ui/1.1.0'
  assert.equal((await send('alice', why, { reason: '' })).status, 400)
  assert.equal((await send('alice', why, { reason: 'the driver needs it' })).status, 303)
  const list = (await see('rita', '/operate/waivers')).text
  assert.match(list, /Asked by alice/)
  const id = /name="id" value="(wv_[0-9a-f]+)"/.exec(list)?.[1] ?? ''
  assert.ok(!(await see('anna', '/operate/waivers')).text.includes('Grant</button>'))
  const grant = { id, act: 'grant', days: '10', words: 'until the fix' }
  for (const who of ['alice', 'anna', 'olga'])
    assert.ok((await send(who, '/operate/waivers', grant)).status >= 403)
  assert.equal((await send('rita', '/operate/waivers', { ...grant, days: '4000' })).status, 400)
  assert.equal((await send('rita', '/operate/waivers', { ...grant, act: 'constructor' })).status, 400)
  assert.equal((await send('rita', '/operate/waivers', grant)).status, 303)
  assert.equal((await world.npm('GET /ui/-/ui-1.1.0.tgz')).status, 200)
  assert.match((await world.ask(`GET ${why}`)).text, /What happened to it[\s\S]*waiver granted/)
  assert.equal((await send('rita', '/operate/waivers', { id, act: 'end' })).status, 303)
  assert.equal((await world.npm('GET /ui/-/ui-1.1.0.tgz')).status, 403)
})

test('a responder sees that another one decides about their own wish, and may take it back', async () => {
  const why = '/why/npm/ui/1.1.0'
  assert.equal((await send('rita', why, { reason: 'for myself' })).status, 303)
  const list = (await see('rita', '/operate/waivers')).text
  assert.match(list, /another responder decides[\s\S]*Take back<\/button>/)
  assert.ok(!list.includes('value="grant"'))
  const id = /name="id" value="(wv_[0-9a-f]+)"/.exec(list)?.[1] ?? ''
  assert.ok((await send('rita', '/operate/waivers', { id, act: 'grant', days: '10' })).status >= 400)
  assert.equal((await send('rita', '/operate/waivers', { id, act: 'refuse' })).status, 303)
})

test('an address that names no version leads to the versions of the package, and a hostile one nowhere', async () => {
  const lead = await world.ask('GET /why/npm/ui')
  assert.deepEqual([lead.status, lead.headers.get('location')], [303, '/package/npm/ui?show=versions'])
  assert.match((await see('alice', '/package/npm/ui?show=versions')).text, /href="\/why\/npm\/ui\/1\.1\.0"/)
  for (const path of [
    '/why/npm/%2f%2fevil.example',
    '/why/npm/ui/latest',
    '/why/npm/ui/9.9.9',
    '/why/npm/@acme',
  ])
    assert.ok([400, 404].includes((await world.ask(`GET ${path}`)).status), path)
})
