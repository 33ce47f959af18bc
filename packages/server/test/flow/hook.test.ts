// SPDX-License-Identifier: Apache-2.0
/** People's own webhooks: signed, tried again, bounded, and ended when nobody listens. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { listenForHooks } from '../hook-listener.ts'
import { get, post } from '../web/site.ts'
import { dayMs, openWorld } from '../world.ts'

async function open(t: TestContext, flags: Readonly<Record<string, string>> = {}) {
  const world = await openWorld(flags)
  t.after(() => world.close())
  const [ann, bob] = [await world.someone('ann'), await world.someone('bob')]
  const visit = await world.browse(bob)
  await world.publish(ann, 'ui', '1.0.0')
  await post(world, '/watch', { act: 'begin', kind: 'package', subject: 'ui', next: '/' }, visit)
  return { world, ann, bob, visit }
}

const lax = { allowPrivateHosts: '127.0.0.1' }

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(20)
}

test('a hook is told of what is watched, signed as Standard Webhooks wants it; the secret is shown once', async t => {
  const soc = await listenForHooks(t)
  const { world, ann, visit } = await open(t, lax)
  const made = await post(world, '/account/webhooks', { act: 'add', url: soc.url }, visit)
  const secret = /whsec_[A-Za-z0-9+/=]+/.exec(made.text)?.[0] ?? ''
  assert.notEqual(secret, '')
  assert.doesNotMatch((await get(world, '/account/webhooks', visit)).text, /whsec_/)
  await world.publish(ann, 'ui', '1.1.0')
  await until(() => soc.got.length > 0)
  const [{ headers, text } = { headers: {}, text: '' }] = soc.got
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`
  const mac = createHmac('sha256', key).update(signed).digest('base64')
  assert.equal(headers['webhook-signature'], `v1,${mac}`)
  const { type, data } = JSON.parse(text)
  assert.deepEqual([type, data.package, data.version], ['package.publish', 'ui', '1.1.0'])
  await until(async () => /taken/.test((await get(world, '/account/webhooks', visit)).text))
})

test('what is refused comes again under the same id; who takes nothing for days is ended, with a letter', async t => {
  const soc = await listenForHooks(t)
  const { world, ann, bob, visit } = await open(t, lax)
  await post(world, '/account/webhooks', { act: 'add', url: soc.url }, visit)
  soc.state.refuses = true
  await world.publish(ann, 'ui', '1.1.0')
  await until(() => soc.state.asked === 1)
  await until(async () => /it answered 503/.test((await get(world, '/account/webhooks', visit)).text))
  soc.state.refuses = false
  world.advance(3600_000)
  await until(() => soc.got.length === 1)
  await until(async () => /well/.test((await get(world, '/account/webhooks', visit)).text))
  soc.state.refuses = true
  await world.publish(ann, 'ui', '1.2.0')
  await until(() => soc.state.asked === 3)
  await until(async () => /failing/.test((await get(world, '/account/webhooks', visit)).text))
  world.advance(6 * dayMs)
  const hooks = () => world.ports.store.community.listHooks(bob.id)
  await until(async () => (await hooks())[0]?.isDead === true)
  const letters = await world.ports.store.mail.listRecent(10)
  assert.ok(letters.some(({ to, subject }) => to === bob.email && /webhook to 127/.test(subject)))
  const [hook] = await hooks()
  assert.ok(
    (await world.ports.store.hooks.listDeliveries(hook?.id ?? '', 10)).every(each => each.state === 'done'),
  )
})

test('a private network is not reached; what is no address, and the hook of another, is refused', async t => {
  const soc = await listenForHooks(t)
  const { world, ann, visit } = await open(t)
  assert.equal(
    (await post(world, '/account/webhooks', { act: 'add', url: 'ftp://x.example' }, visit)).status,
    400,
  )
  await post(world, '/account/webhooks', { act: 'add', url: soc.url }, visit)
  await world.publish(ann, 'ui', '1.1.0')
  await until(async () => /failing/.test((await get(world, '/account/webhooks', visit)).text))
  assert.equal(soc.state.asked, 0)
  const id =
    /name="id" value="(wh_[^"]+)"/.exec((await get(world, '/account/webhooks', visit)).text)?.[1] ?? ''
  const other = await world.browse(ann)
  assert.equal((await post(world, '/account/webhooks', { act: 'remove', id }, other)).status, 404)
  assert.equal((await post(world, '/account/webhooks', { act: 'remove', id }, visit)).status, 303)
  assert.doesNotMatch((await get(world, '/account/webhooks', visit)).text, /wh_/)
})
