// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { parsePackageName, parseVersion } from '@holdfast/core'
import { openCase, takeMeasure } from '../../src/flow/index.ts'
import { authorize, operator } from '../../src/identity/index.ts'
import { listenForHooks } from '../hook-listener.ts'
import { get } from '../web/site.ts'
import { dayMs, openWorld, type World } from '../world.ts'

const listen = (t: TestContext) => listenForHooks(t, '/hook/s3cret')

async function open(t: TestContext, webhooks: unknown): Promise<World> {
  const world = await openWorld({ webhooks: JSON.stringify(webhooks), allowPrivateHosts: '127.0.0.1' })
  t.after(() => world.close())
  return world
}

/** Whether an endpoint's refusal is on record: only then does it rest by the clock. */
async function isResting({ ports }: World): Promise<boolean> {
  return (await ports.store.webhooks.list()).some(each => each.failures > 0)
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(20)
}

const name = parsePackageName('@acme/ui')
const version = parseVersion('1.0.0')

async function quarantine(world: World, words: string): Promise<void> {
  await takeMeasure(world.ports, operator, 'quarantine', { name, version }, { code: 'malware', words })
}

async function report(world: World, words: string): Promise<void> {
  const { ports } = world
  const grant = await authorize(ports, operator, 'instance:operate', '')
  const draft = {
    kind: 'takedown',
    title: 'gone',
    severity: 'high',
    subjects: [{ package: name, version }],
  } as const
  await ports.store.commit(grant, [], tx => openCase(tx, 'operator', ports.clock(), { ...draft, words }))
}

test('a chat tool hears what it wants, and words from outside call nobody and make no link', async t => {
  const chat = await listen(t)
  const world = await open(t, [{ url: chat.url, as: 'chat', on: ['held'] }])
  await world.publish(await world.someone('ann'), name, version)
  await report(world, 'a case is not what it wants')
  await quarantine(world, 'see <http://evil.example|here>\n<!channel> @here & more')
  await until(() => chat.got.length > 0)
  const { text } = JSON.parse(chat.got[0]?.text ?? '')
  assert.equal(
    text,
    `*held* \`@acme/ui@1.0.0\` was quarantined: see &lt;http:\u200b//evil.example|here&gt; &lt;!channel&gt; @\u200bhere &amp; more ${world.url}/why/npm/@acme/ui/1.0.0`,
  )
})

test('JSON carries the event’s id and is signed over time and body', async t => {
  const soc = await listen(t)
  const secret = 'a secret of some length'
  const world = await open(t, [{ url: soc.url, secret }])
  await report(world, 'the upstream removed it')
  await until(() => soc.got.length > 0)
  const [message] = soc.got
  const [, at, mac] =
    /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(message?.headers['x-holdfast-signature'])) ?? []
  assert.equal(Number(at), world.now())
  assert.equal(mac, createHmac('sha256', secret).update(`${at}.${message?.text}`).digest('hex'))
  const { alerts, registry } = JSON.parse(message?.text ?? '')
  assert.equal(registry, world.url)
  const [event] = (await world.ports.store.events.ofPackage(name)).filter(each => each.type === 'case')
  assert.deepEqual(
    [alerts[0].id, alerts[0].kind, alerts[0].package, alerts[0].words],
    [event?.id, 'takedown', name, 'gone: the upstream removed it'],
  )
})

test('a webhook that refuses rests longer and longer, keeps no other waiting, and gets what it missed, once', async t => {
  const [down, up] = [await listen(t), await listen(t)]
  down.state.refuses = true
  const world = await open(t, [{ url: down.url }, { url: up.url }])
  await report(world, 'one')
  await until(() => up.got.length === 1 && down.state.asked === 1)
  await report(world, 'two')
  await until(() => up.got.length === 2)
  assert.equal(down.state.asked, 1)
  const ann = await world.browse(await world.someone('ann', ['operator']))
  await until(() => isResting(world))
  const { text } = await get(world, '/operate/webhooks', ann)
  assert.match(text, /failed 1 times[\s\S]*it answered 503/)
  assert.doesNotMatch(text, /s3cret/)
  down.state.refuses = false
  world.advance(6000)
  await report(world, 'three')
  await until(() => down.got.length === 1)
  const words = JSON.parse(down.got[0]?.text ?? '').alerts.map((each: { words: string }) => each.words)
  assert.deepEqual(words, ['gone: one', 'gone: two', 'gone: three'])
  await until(() => up.got.length === 3)
  await until(async () => !(await isResting(world)))
  assert.doesNotMatch((await get(world, '/operate/webhooks', ann)).text, /failed/)
})

test('what happened long before a webhook listened again is left out', async t => {
  const soc = await listen(t)
  soc.state.refuses = true
  const world = await open(t, [{ url: soc.url }])
  await report(world, 'old')
  await until(() => isResting(world))
  assert.equal(soc.state.asked, 1)
  world.advance(4 * dayMs)
  soc.state.refuses = false
  await report(world, 'new')
  await until(() => soc.got.length === 1)
  assert.deepEqual(
    JSON.parse(soc.got[0]?.text ?? '').alerts.map((each: { words: string }) => each.words),
    ['gone: new'],
  )
})

test('versions that were asked for and not let out, and waivers, are told too', async t => {
  const soc = await listen(t)
  const world = await open(t, [{ url: soc.url, on: ['blocked', 'waiver'] }])
  await world.publish(await world.someone('ann'), name, version)
  await quarantine(world, 'malware')
  for (let times = 0; times < 2; times++)
    assert.equal((await world.npm('GET /@acme/ui/-/ui-1.0.0.tgz')).status, 403)
  await world.ports.trail.flush()
  await until(() => soc.got.length === 1)
  const [blocked] = JSON.parse(soc.got[0]?.text ?? '').alerts
  assert.deepEqual(
    [blocked.kind, blocked.package, blocked.version, blocked.words],
    ['blocked', name, version, 'was asked for 2 times and not let out (version-quarantined)'],
  )
  const grant = await authorize(world.ports, operator, 'instance:operate', '')
  const events = ['ask', 'refuse'].map(
    op => ({ type: 'waiver-ask', pkg: name, ver: version, detail: { op, words: op } }) as const,
  )
  await world.ports.store.commit(grant, events, async () => {})
  await until(() => soc.got.length === 2)
  const told = JSON.parse(soc.got[1]?.text ?? '').alerts
  assert.deepEqual(
    told.map((each: { words: string }) => each.words),
    ['is asked for as an exception: ask'],
  )
})
