// SPDX-License-Identifier: Apache-2.0
/** Leaked tokens over HTTP: handed in by anybody, reported by people, and by a programme that signs. */
import assert from 'node:assert/strict'
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readConfig, startInstance } from '../../src/main.ts'
import { openWorld } from '../world.ts'

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const published = [{ key_identifier: 'one', key: pemOf(pair.publicKey), is_current: true }]
let asked = 0
const keyServer = createServer((_, answer) => {
  asked += 1
  answer.end(JSON.stringify({ public_keys: published }))
}).listen(0, '127.0.0.1')
await once(keyServer, 'listening')
const keysUrl = `http://127.0.0.1:${(keyServer.address() as AddressInfo).port}/meta/public_keys/secret_scanning`

const world = await openWorld({ secretScanningKeys: keysUrl, allowPrivateHosts: '127.0.0.1' })
after(async () => {
  await world.close()
  keyServer.close()
})
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})
const ann = await world.someone('ann')

function pemOf(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString()
}

const works = async (token: string) => (await world.npm('GET /-/whoami', { token })).status === 200

/** Sends a report as GitHub does; `change` alters the body after it was signed. */
async function report(
  findings: unknown,
  { id = 'one', key = pair.privateKey, change = (body: string) => body, url = world.url } = {},
) {
  const body = JSON.stringify(findings)
  const signature = createSign('SHA256').update(body).sign(key, 'base64')
  const answer = await fetch(`${url}/api/v1/leaks/github`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'github-public-key-identifier': id,
      'github-public-key-signature': signature,
    },
    body: change(body),
  })
  return { status: answer.status, body: await answer.json() }
}

test('whoever has a whole token ends it without an account, and is told the same of one that never was', async () => {
  const token = await world.token(ann)
  const good = await world.ask('POST /api/v1/tokens/revoke', { body: { tokens: [token] } })
  const bad = await world.ask('POST /api/v1/tokens/revoke', { body: { tokens: [`${token}x`] } })
  assert.deepEqual([good.status, good.text], [200, '{"received":1}'])
  assert.deepEqual([bad.status, bad.text], [200, '{"received":1}'])
  assert.ok(!(await works(token)))
})

test('a token may be revoked by itself, also when it came as the credential', async () => {
  const token = await world.token(ann, { permission: 'read-only', packages: [] })
  assert.equal(
    (await world.ask('POST /api/v1/tokens/revoke', { token, body: { tokens: [token] } })).status,
    200,
  )
  assert.ok(!(await works(token)))
})

test('what is not a list of texts is refused with the reason, as problem+json', async () => {
  for (const body of [
    {},
    { tokens: 'x' },
    { tokens: [7] },
    { tokens: [] },
    { tokens: Array(101).fill('x') },
  ]) {
    const refused = await world.ask('POST /api/v1/tokens/revoke', { body })
    assert.equal(refused.status, 400, JSON.stringify(body))
    assert.equal(refused.headers.get('content-type'), 'application/problem+json')
    assert.equal(refused.body.code, 'invalid-body')
  }
  assert.equal((await world.ask('GET /api/v1/tokens/revoke')).status, 405)
  assert.equal((await world.ask('POST /api/v1/nothing')).status, 404)
})

test('somebody with an account reports leaks and learns of each if it worked', async () => {
  const bob = await world.someone('bob')
  const token = await world.token(ann)
  const leaks = [{ token, url: 'https://paste.example/1' }, { token: 'holdfast_no' }]
  assert.equal((await world.ask('POST /api/v1/leaks', { body: { leaks } })).status, 401)
  assert.ok(await works(token))
  const answer = await world.ask('POST /api/v1/leaks', { token: bob.token, body: { leaks } })
  assert.deepEqual(
    answer.body.map((each: { label: string }) => each.label),
    ['true_positive', 'false_positive'],
  )
  assert.ok(!(await works(token)))
  const letters = await world.ports.store.mail.listRecent(10)
  assert.ok(letters.some(each => each.to === ann.email && each.text.includes('https://paste.example/1')))
  const event = (await world.ports.store.events.read(0, 10_000)).findLast(
    each => each.type === 'token-revoke',
  )
  assert.equal(event?.detail['by'], bob.id)
  assert.ok(!event?.leaf?.includes(bob.id))
})

test('a session of a browser reports nothing: nobody is made to do it by another page', async () => {
  const { cookie } = await world.browse(ann)
  const body = { leaks: [{ token: 'x' }] }
  assert.equal((await world.ask('POST /api/v1/leaks', { headers: { cookie }, body })).status, 401)
})

test('an address in a report is a link and nothing else', async () => {
  for (const url of ['javascript:alert(1)', 'https://a.example/\nDear customer', 'https://a.example/ b']) {
    const body = { leaks: [{ token: 'x', url }] }
    assert.equal((await world.ask('POST /api/v1/leaks', { token: ann.token, body })).status, 400, url)
  }
})

test('a signed report ends the tokens and labels each finding', async () => {
  const token = await world.token(ann)
  const answer = await report([
    { token, type: 'holdfast_token', url: 'https://forge.example/a/b/blob/x/.npmrc', source: 'content' },
    { token: 'holdfast_abcd1234_0', type: 'holdfast_token', url: '' },
  ])
  assert.deepEqual(answer.body, [
    { token_raw: token, token_type: 'holdfast_token', label: 'true_positive' },
    { token_raw: 'holdfast_abcd1234_0', token_type: 'holdfast_token', label: 'false_positive' },
  ])
  assert.ok(!(await works(token)))
})

test('a report is refused when body, key or signature is another one, and ends nothing', async () => {
  const token = await world.token(ann)
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const wrong = [
    { change: (body: string) => body.replace('"x"', '"y"') },
    { change: (body: string) => `${body} ` },
    { key: other },
    { id: 'two' },
    { id: '' },
  ]
  for (const each of wrong) {
    const answer = await report([{ token, type: 'x', url: null }], each)
    assert.deepEqual([answer.status, answer.body.code], [401, 'signature-invalid'])
  }
  assert.ok(await works(token))
})

test('keys are asked for once an hour; unknown ids ask again at most once a minute', async () => {
  world.advance(3600_000 + 1)
  const before = asked
  for (let i = 0; i < 3; i++) await report([])
  assert.equal(asked, before + 1)
  for (const id of ['a', 'b', 'c']) await report([], { id })
  assert.equal(asked, before + 1)
  world.advance(60_001)
  for (const id of ['a', 'b', 'c']) await report([], { id })
  assert.equal(asked, before + 2)
  published.push({ key_identifier: 'new', key: pemOf(pair.publicKey), is_current: true })
  world.advance(60_001)
  assert.equal((await report([], { id: 'new' })).status, 200)
})

test('signatures that do not hold are limited by address', async () => {
  world.advance(16 * 60_000)
  for (let i = 0; i < 20; i++) assert.equal((await report([], { id: 'two' })).status, 401)
  const answer = await report([], { id: 'two' })
  assert.deepEqual([answer.status, answer.body.retryAfter], [429, 900])
  assert.equal((await report([])).status, 200)
})

test('where no programme is configured the address does not exist; keys may lie in a file', async t => {
  const without = await openWorld()
  const file = join(tmpdir(), `holdfast-keys-${process.pid}.json`)
  await writeFile(file, JSON.stringify({ public_keys: published }))
  const withFile = await openWorld({ secretScanningKeys: file })
  t.after(() => Promise.all([without.close(), withFile.close(), rm(file)]))
  assert.equal((await report([], { url: without.url })).status, 404)
  assert.equal((await report([], { url: withFile.url })).status, 200)
})

test('what a signed report says of a place is told as a link of one line or not at all, and its token ends all the same', async () => {
  const position = await world.ports.store.events.head()
  const bad = [`https://a.example/${'x'.repeat(501)}`, 'https://a.example/\nDear customer', 'javascript:a', 7]
  for (const url of bad) {
    const token = await world.token(ann)
    assert.equal((await report([{ token, type: '', url }])).body[0].label, 'true_positive')
  }
  const events = await world.ports.store.events.read(position, 100)
  assert.deepEqual(
    events.filter(({ type }) => type === 'token-revoke').map(({ detail }) => detail['where']),
    bad.map(() => ''),
  )
  assert.equal((await report([{ token: 'x', type: 'y'.repeat(201) }])).status, 400)
})

test('a token that one replica is told of is dead on the other within a second', async t => {
  const { data, database } = world.ports.config
  const config = readConfig({ data, port: '0', ...(database === undefined ? {} : { database }) }, {})
  const log = { request() {}, say() {}, flush() {} }
  const replica = await startInstance(config, log, world.now)
  t.after(() => replica.stop())
  const token = await world.token(ann)
  const worksThere = async () => {
    const headers = { authorization: `Bearer ${token}` }
    return (await fetch(`${replica.url}/npm/-/whoami`, { headers })).status === 200
  }
  assert.ok(await worksThere())
  assert.ok(await worksThere())
  await report([{ token, type: '', url: '' }])
  await delay(1000)
  assert.ok(!(await worksThere()))
})
