// SPDX-License-Identifier: Apache-2.0
/** Tokens that come to light are dead at once, and their owners know. */
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { tokenChecksum } from '@holdfast/core'
import { addRobot, addRobotToken, createOrg, revokeLeaked, revokePosted } from '../../src/flow/index.ts'
import { toPerson } from '../../src/identity/index.ts'
import { dayMs, openWorld, type Someone, whence } from '../world.ts'

const world = await openWorld({ mfa: 'optional' })
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

const { ports } = world
const ann = await world.someone('ann')

const works = async (token: string) => (await world.npm('GET /-/whoami', { token })).status === 200

/** A letter to ann whose text holds these words. */
async function letterWith(words: string) {
  return (await ports.store.mail.listRecent(100)).find(
    letter => letter.to === ann.email && letter.text.includes(words),
  )
}

async function publish(who: Someone, version: string, files: Record<string, string>, more: object = {}) {
  return world.publish(who, 'anns-tool', version, { files, ...more })
}

test('a leaked token is dead in the process that knew it, its owner is told where it was, and an event says so', async () => {
  const token = await world.token(ann)
  assert.ok(await works(token))
  const where = 'https://forge.example/acme/shop/.npmrc'
  assert.ok(await revokeLeaked(ports, token, { source: 'secret-scanning', where }))
  assert.ok(!(await works(token)))
  const letter = await letterWith(where)
  assert.ok(letter !== undefined && !letter.secret && !letter.text.includes(token))
  const event = (await ports.store.events.read(0, 10_000)).findLast(each => each.type === 'token-revoke')
  assert.deepEqual(event?.detail, { source: 'secret-scanning', where })
  assert.match(event?.leaf ?? '', /"reason":"leaked"/)
  assert.ok(!event?.leaf?.includes('forge.example'))
})

test('of a robot’s leaked token the owners of its organisation are told', async () => {
  const account = await ports.store.identity.findAccount(ann.id)
  assert.ok(account !== undefined)
  const session = { kind: 'session', id: 's_1', freshUntil: world.now() + 1 } as const
  const person = toPerson(account, session, whence)
  await createOrg(ports, person, 'acme')
  const robot = await addRobot(ports, person, 'acme', 'build')
  const { secret } = await addRobotToken(ports, person, 'acme', robot.id, { lifeMs: dayMs, publishes: [] })
  assert.ok(await works(secret))
  assert.ok(await revokeLeaked(ports, secret, { source: 'report', where: 'https://paste.example/7' }))
  assert.ok(!(await works(secret)))
  assert.ok(
    await letterWith('A token of the robot build of acme was reported as leaked (https://paste.example/7)'),
  )
})

test('what is no token of ours, or is one no longer, is answered so and changes nothing', async () => {
  const token = await world.token(ann)
  const leak = { source: 'posted', where: '' } as const
  assert.ok(await revokeLeaked(ports, token, leak))
  const events = await ports.store.events.head()
  const foreign = `holdfast_zzzzzzzz_${'7'.repeat(32)}`
  for (const other of [token, foreign + tokenChecksum(foreign), `${token}x`, '', 'npm_abc'])
    assert.ok(!(await revokeLeaked(ports, other, leak)))
  assert.equal(await ports.store.events.head(), events)
})

test('whoever posts a whole token ends it; a part of it ends nothing', async () => {
  const token = await world.token(ann)
  await revokePosted(ports, [token.slice(0, -1), token.slice(0, 30)], '192.0.2.1')
  assert.ok(await works(token))
  await revokePosted(ports, ['nonsense', token], '192.0.2.1')
  assert.ok(!(await works(token)))
})

test('posting is limited by address, with the time when it goes on', async () => {
  for (let i = 0; i < 60; i++) await revokePosted(ports, ['x'], '198.51.100.9')
  await assert.rejects(revokePosted(ports, ['x'], '198.51.100.9'), {
    code: 'rate-limited',
    data: { retryAfter: 900 },
  })
  await revokePosted(ports, ['x'], '198.51.100.10')
  world.advance(15 * 60_000 + 1)
  await revokePosted(ports, ['x'], '198.51.100.9')
})

test('a package with a token in a file is refused by the name of the file, and the token is dead', async () => {
  const token = await world.token(ann)
  await assert.rejects(
    publish(ann, '1.0.0', { 'conf/.npmrc': `//registry.example/npm/:_authToken=${token}\n` }),
    /400.*anns-tool@1\.0\.0 \(conf\/\.npmrc\) and must not become public; it is revoked now.*npm pack --dry-run/,
  )
  assert.ok(!(await works(token)))
  assert.ok(await letterWith('anns-tool@1.0.0: conf/.npmrc'))
  assert.equal((await world.npm('GET /anns-tool', { token: ann.token })).status, 404)
})

test('the refusal stays when the token is dead, so that nobody learns to publish twice', async () => {
  const token = await world.token(ann)
  const files = { 'x.js': token }
  await assert.rejects(publish(ann, '1.0.0', files), /it is revoked now/)
  await assert.rejects(publish(ann, '1.0.0', files), /it works no longer/)
})

test('a token of another registry is refused too, and said to be revoked there', async () => {
  const body = `holdfast_zzzzzzzz_${'7'.repeat(32)}`
  const files = { 'x.js': body + tokenChecksum(body) }
  await assert.rejects(publish(ann, '1.0.0', files), /it belongs to another registry/)
})

test('a token in the manifest or the README is found as one in a file', async () => {
  for (const where of ['manifest', 'README'] as const) {
    const token = await world.token(ann)
    const wish =
      where === 'manifest' ? { manifest: { description: `use ${token}` } } : { files: { 'README.md': token } }
    await assert.rejects(world.publish(ann, 'anns-tool', '1.0.0', wish), /must not become public/, where)
    assert.ok(!(await works(token)), where)
  }
})

test('text that only looks like a token is published', async () => {
  const near = `holdfast_abcd1234_${'7'.repeat(38)}`
  await publish(ann, '1.0.1', { 'docs.md': `tokens look like ${near}` })
})
