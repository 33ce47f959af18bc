// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { dayMs, openWorld } from '../world.ts'
import { get, post, signInByPage } from './site.ts'

const world = await openWorld({ recoveryWaitHours: '96', mfa: 'optional' })
after(() => world.close())
afterEach(() => assert.deepEqual(world.errors, []))

const newest = async (email: string, form: RegExp) => {
  const letters = (await world.ports.store.mail.listRecent(100)).filter(each => each.to === email)
  return letters.flatMap(each => form.exec(each.text)?.[1] ?? [])[0] ?? ''
}

test('the policy is published, two links from every page, and says the wait that is configured', async () => {
  assert.match((await get(world, '/')).text, /href="\/policy"/)
  assert.match((await get(world, '/policy')).text, /href="\/policy\/recovery"/)
  const policy = await get(world, '/policy/recovery')
  assert.equal(policy.status, 200)
  assert.match(policy.text, /4 days/)
  assert.match((await get(world, '/sign-in')).text, /href="\/recover"/)
})

test('somebody who forgot the password gets back in by pages alone, and looking at a link does nothing', async () => {
  const ann = await world.someone('ann')
  const said = await post(world, '/recover', { name: 'ann' })
  const other = await post(world, '/recover', { name: 'nobody-here' })
  assert.equal(said.text, other.text)
  const link = await newest(ann.email, /(\/recover\/\S+)/)
  const before = await world.ports.store.events.head()
  assert.match((await get(world, link)).text, /Get back in as ann/)
  assert.equal(await world.ports.store.events.head(), before)
  const begun = await post(world, link, { otp: '' })
  const path = begun.headers.get('location') ?? ''
  assert.match((await get(world, path)).text, /in 4 days/)
  const early = await post(world, path, { new: 'a fresh sentence of ann', again: 'a fresh sentence of ann' })
  assert.equal(early.status, 403)
  const stop = await newest(ann.email, /(\/recovery\/cancel\/\S+)/)
  assert.equal((await get(world, stop)).status, 200)
  world.advance(4 * dayMs)
  const typo = await post(world, path, { new: 'a fresh sentence of ann', again: 'a fresh sentense of ann' })
  assert.match(typo.text, /the two differ/)
  const done = await post(world, path, { new: 'a fresh sentence of ann', again: 'a fresh sentence of ann' })
  assert.equal(done.headers.get('location'), '/sign-in?done=recovered')
  const cookie = await signInByPage(world, { ...ann, password: 'a fresh sentence of ann' })
  assert.equal((await get(world, '/account', { cookie })).status, 200)
})

test('a form of another site begins, finishes and stops nothing', async () => {
  const evil = { headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' } }
  for (const path of ['/recover', '/recover/a_1.x', '/recovery/x', '/recovery/cancel/x'])
    assert.equal((await post(world, path, {}, evil)).status, 403, path)
})

test('two of the staff agree on a page; others do not see it', async () => {
  const [bob, one, two] = [
    await world.someone('bob'),
    await world.someone('one', ['responder']),
    await world.someone('two', ['operator']),
  ]
  assert.equal(
    (await get(world, '/operate/recovery', { cookie: await signInByPage(world, bob) })).status,
    403,
  )
  const [first, second] = [await signInByPage(world, one), await signInByPage(world, two)]
  const form = { act: 'propose', login: 'bob', email: 'bob@new.example' }
  await post(world, '/operate/recovery', form, { cookie: first })
  assert.doesNotMatch((await get(world, '/operate/recovery', { cookie: first })).text, /value="agree"/)
  const page = await get(world, '/operate/recovery', { cookie: second })
  const recovery = /name="recovery" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  const agreed = await post(world, '/operate/recovery', { act: 'agree', recovery }, { cookie: second })
  assert.match(agreed.text, /Hand this link over yourself/)
})
