// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type Digest, parseNamePattern } from '@holdfast/core'
import { unhostNames } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { publishDocument } from '../live.ts'
import { openWorld, type Someone, type World } from '../world.ts'

let world: World
let alice: Someone
let bob: Someone

before(async () => {
  world = await openWorld()
  alice = await world.someone('alice')
  bob = await world.someone('bob')
})

after(async () => {
  await world.check()
  await world.close()
})

const put = (who: Someone, name: string, version: string, wishes = {}) =>
  world.npm(`PUT /${name.replace('/', '%2f')}`, {
    token: who.token,
    body: publishDocument(name, version, wishes),
  })

test('of many who publish one version at once exactly one wins, and its bytes are the ones served', async () => {
  await world.publish(alice, 'race', '1.0.0')
  const tries = Array.from({ length: 8 }, (_, i) =>
    put(alice, 'race', '1.1.0', { files: { 'who.txt': `${i}` } }),
  )
  const statuses = (await Promise.all(tries)).map(reply => reply.status)
  assert.equal(statuses.filter(status => status === 201).length, 1)
  assert.equal(statuses.filter(status => status === 403).length, 7)
})

test('of two people who make one name at once one owns it and the other cannot publish into it', async () => {
  const replies = await Promise.all([put(alice, 'ours', '1.0.0'), put(bob, 'ours', '2.0.0')])
  assert.deepEqual(replies.map(reply => reply.status).sort(), [201, 403])
  const document = await world.document('ours')
  assert.equal(document.maintainers.length, 1)
  assert.equal(Object.keys(document.versions).length, 1)
})

test('the same hand sending the same bytes again is answered like the first time, another hand is not', async () => {
  const document = publishDocument('again', '1.0.0')
  const send = (who: Someone) => world.npm('PUT /again', { token: who.token, body: document })
  assert.equal((await send(alice)).status, 201)
  const events = await world.ports.store.events.head()
  assert.equal((await send(alice)).status, 201)
  assert.equal(await world.ports.store.events.head(), events)
  assert.equal((await send(bob)).status, 403)
})

test('a repetition long after, or with other bytes, is refused in the words npm knows', async () => {
  await world.publish(alice, 'late', '1.0.0')
  const other = await put(alice, 'late', '1.0.0', { files: { 'new.txt': 'changed' } })
  assert.equal(other.status, 403)
  assert.match(other.body.error, /^You cannot publish over the previously published versions: 1\.0\.0\./)
  world.advance(24 * 3600_000)
  assert.equal((await put(alice, 'late', '1.0.0')).status, 403)
})

test('a publish by a maintainer neither opens nor closes a package', async () => {
  await world.publish(alice, 'closed', '1.0.0', { access: 'restricted' })
  await world.publish(alice, 'closed', '1.0.1', { access: 'public' })
  assert.equal((await world.npm('GET /closed')).status, 404)
  assert.equal((await world.npm('GET /closed', { token: alice.token })).status, 200)
})

test('digests that do not fit the bytes are refused, and nothing is kept', async () => {
  const document = publishDocument('liar', '1.0.0')
  const version = (document.versions as Record<string, { dist: { integrity: string } }>)['1.0.0']
  assert.ok(version)
  version.dist.integrity = `sha512-${Buffer.alloc(64, 1).toString('base64')}`
  const reply = await world.npm('PUT /liar', { token: alice.token, body: document })
  assert.equal(reply.status, 400)
  assert.equal(reply.body.code, 'digest-mismatch')
  assert.equal((await world.npm('GET /liar')).status, 404)
})

test('a name that is not hosted here is refused with the command that hosts it', async () => {
  const closed = await openWorld()
  try {
    await unhostNames(closed.ports, operator, [parseNamePattern('*')])
    const carol = await closed.someone('carol')
    const reply = await closed.npm('PUT /elsewhere', {
      token: carol.token,
      body: publishDocument('elsewhere', '1.0.0'),
    })
    assert.equal(reply.status, 403)
    assert.match(reply.body.error, /holdfast operator host --data \S+ 'elsewhere'/)
  } finally {
    await closed.close()
  }
})

test('a name that looks like one hosted here is refused and says which', async () => {
  await world.publish(alice, 'left-pad', '1.0.0')
  const reply = await put(bob, 'left.pad', '1.0.0')
  assert.equal(reply.status, 403)
  assert.match(reply.body.error, /left-pad/)
})

test('every version carries a signature that verifies with the published key', async () => {
  await world.publish(alice, 'signed', '1.0.0')
  const { keys } = (await world.npm('GET /-/npm/v1/keys')).body
  const { dist } = (await world.document('signed')).versions['1.0.0']
  const key = keys.find((each: { keyid: string }) => each.keyid === dist.signatures[0].keyid)
  const publicKey = createPublicKey({ key: Buffer.from(key.key, 'base64'), format: 'der', type: 'spki' })
  const text = Buffer.from(`signed@1.0.0:${dist.integrity}`)
  assert.ok(verify('sha256', text, publicKey, Buffer.from(dist.signatures[0].sig, 'base64')))
})

test('a refused publish leaves no bytes behind', async () => {
  const count = async () => {
    const digests: Digest[] = []
    for await (const digest of world.ports.blobs.list()) digests.push(digest)
    return digests.length
  }
  const before = await count()
  assert.equal((await put(bob, 'race', '9.0.0')).status, 403)
  assert.equal(await count(), before)
})
