// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { openWorld } from '../world.ts'
import { get, post, signInByPage } from './site.ts'

const world = await openWorld({ ciIssuers: 'github generic:sub=https://ci.acme.example' })
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

const ann = await world.someone('ann')
const bob = await world.someone('bob')
const path = '/organisation/acme/machines'

test('an owner makes a robot and its token on the page, sees the secret once, and ends it', async () => {
  const cookie = await signInByPage(world, ann)
  await post(world, '/account/organisations', { name: 'acme' }, { cookie })
  await world.publish(ann, '@acme/ui', '1.0.0', { access: 'restricted' })
  assert.ok((await get(world, '/organisation/acme', { cookie })).text.includes(`href="${path}"`))
  assert.equal((await post(world, path, { act: 'robot', name: 'build' }, { cookie })).status, 303)
  const id = /value="(rb_\w+)"/.exec((await get(world, path, { cookie })).text)?.[1] ?? ''
  const made = await post(world, path, { act: 'token', id, days: '365' }, { cookie })
  const token = /holdfast_[a-z0-9]{8}_\w{38}/.exec(made.text)?.[0] ?? ''
  assert.equal((await world.npm('GET /@acme%2fui', { token })).status, 200)
  const again = await get(world, path, { cookie })
  assert.ok(again.text.includes('build') && !again.text.includes(token))
  const tooLong = await post(world, path, { act: 'token', id, days: '365', publishes: '@acme/*' }, { cookie })
  assert.equal(tooLong.status, 400)
  assert.ok(tooLong.text.includes('90 days'))
  assert.equal((await post(world, path, { act: 'remove-robot', id }, { cookie })).status, 303)
  assert.equal((await world.npm('GET /@acme%2fui', { token })).status, 401)
})

test('an owner says whose CI jobs install, by id and never by issuer alone', async () => {
  const cookie = await signInByPage(world, ann)
  const github = { act: 'reader', issuer: 'https://token.actions.githubusercontent.com' }
  assert.equal((await post(world, path, { ...github, ownerId: '' }, { cookie })).status, 400)
  assert.equal(
    (await post(world, path, { ...github, ownerId: '77', repositoryId: '5' }, { cookie })).status,
    303,
  )
  const generic = {
    act: 'reader',
    issuer: 'https://ci.acme.example',
    claims: 'sub=https://ci.acme.example/job/a',
  }
  assert.equal((await post(world, path, generic, { cookie })).status, 303)
  const page = await get(world, path, { cookie })
  assert.ok(page.text.includes('owner 77, repository 5'))
  assert.ok(page.text.includes('sub=https://ci.acme.example/job/a'))
  const id = /value="(tp_\w+)"/.exec(page.text)?.[1] ?? ''
  assert.equal((await post(world, path, { act: 'remove-reader', id }, { cookie })).status, 303)
})

test('who is not of the organisation sees nothing of its machines', async () => {
  const cookie = await signInByPage(world, bob)
  assert.equal((await get(world, path, { cookie })).status, 403)
  assert.equal((await post(world, path, { act: 'robot', name: 'mine' }, { cookie })).status, 403)
  assert.equal((await get(world, path)).status, 303)
})
