// SPDX-License-Identifier: Apache-2.0
/** What a version must prove, as the owners of its package see and change it on the page of access. */
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import type { PackageName } from '@holdfast/core'
import { builtDocument, openSigstoreBox } from '../sigstore-box.ts'
import { openWorld } from '../world.ts'
import { get, post, signInByPage } from './site.ts'

const box = await openSigstoreBox()
const world = await openWorld({ sigstoreTrustRoot: box.rootFile, ciIssuers: 'gitlab' })
world.advance(Date.now() - world.now())
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

const ann = await world.someone('ann')
const bob = await world.someone('bob')
const body = await builtDocument(box, 'widget', '1.0.0')
assert.equal((await world.npm('PUT /widget', { token: ann.token, body })).status, 201)
await world.publish(ann, 'plain', '1.0.0')
const path = '/access/npm/widget'
const trust = () => world.ports.store.trust.findTrust('widget' as PackageName)

test('owners see what the next version must prove, lower it, and take that back', async () => {
  const cookie = await signInByPage(world, ann)
  const page = (await get(world, path, { cookie })).text
  for (const text of [
    'provenance, from one of the repositories below',
    'https://github.com/acme/widget',
    'id 1001, owner 77',
  ])
    assert.ok(page.includes(text), text)
  assert.equal((await post(world, path, { act: 'lower', level: 'oidc' }, { cookie })).status, 303)
  const lowered = (await get(world, path, { cookie })).text
  assert.match(lowered, /This is lowered in 3 days/)
  assert.equal((await trust())?.lowering?.level, 'oidc')
  assert.equal((await post(world, path, { act: 'hold' }, { cookie })).status, 303)
  assert.equal((await trust())?.lowering, null)
  const refused = await post(world, path, { act: 'lower', level: 'source' }, { cookie })
  assert.equal(refused.status, 409)
  assert.ok(refused.text.includes('source is not less than source'))
})

test('owners add the repository that the package moves to, and remove the old one once the new one counts', async () => {
  const cookie = await signInByPage(world, ann)
  const added = {
    act: 'source-add',
    repository: 'https://gitlab.com/acme/widget',
    issuer: 'https://gitlab.com',
  }
  assert.equal((await post(world, path, added, { cookie })).status, 303)
  assert.match((await get(world, path, { cookie })).text, /gitlab\.com\/acme\/widget.*counts in 3 days/s)
  const old = { act: 'source-remove', repository: 'https://github.com/acme/widget' }
  assert.equal((await post(world, path, old, { cookie })).status, 409)
  world.advance(73 * 3600_000)
  const later = await signInByPage(world, ann)
  assert.equal((await post(world, path, old, { cookie: later })).status, 303)
  assert.deepEqual(
    (await trust())?.sources.map(each => each.repository),
    ['https://gitlab.com/acme/widget'],
  )
})

test('a package that proved nothing asks for nothing, and strangers change nothing', async () => {
  const cookie = await signInByPage(world, ann)
  const page = (await get(world, '/access/npm/plain', { cookie })).text
  assert.ok(
    page.includes('nothing: whoever may publish, publishes') && !page.includes('Let versions prove less'),
  )
  const stranger = await signInByPage(world, bob)
  const before = await trust()
  for (const act of ['lower', 'source-add', 'source-remove', 'hold'])
    assert.equal((await post(world, path, { act, level: 'none' }, { cookie: stranger })).status, 403, act)
  assert.deepEqual(await trust(), before)
})

test('a version that proves less than those before it says so on its page', async () => {
  const cookie = await signInByPage(world, ann)
  assert.equal((await post(world, path, { act: 'lower', level: 'none' }, { cookie })).status, 303)
  world.advance(73 * 3600_000)
  await world.publish(ann, 'widget', '1.1.0')
  const shown = (await get(world, '/package/npm/widget?v=1.1.0&show=security')).text
  assert.match(shown, /trust lowered.*versions before this one proved where they were built/s)
  const before = (await get(world, '/package/npm/widget?v=1.0.0&show=security')).text
  assert.ok(before.includes('SLSA build level') && !before.includes('trust lowered'))
})
