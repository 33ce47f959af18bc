// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { createOrg } from '../../src/flow/index.ts'
import { openIdentify } from '../../src/http/index.ts'
import { toPerson } from '../../src/identity/index.ts'
import { dayMs, openWorld, type Someone, whence } from '../world.ts'

const world = await openWorld()
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

const ann = await world.someone('ann')

/** Makes a token as npm 11 does; gives the secret. */
async function make(wish: object, who: Someone = ann) {
  const body = { name: 'ci', password: who.password, ...wish }
  return world.npm('POST /-/npm/v1/tokens', { token: who.token, body })
}

const publishes = (token: string, name: string) => world.publish({ ...ann, token }, name, '1.0.0')

test('a token is listed by its first characters, never by its secret, and ends when it is revoked by its key', async () => {
  const made = await make({
    packages_and_scopes_permission: 'read-only',
    description: 'for the nightly build',
  })
  assert.equal(made.status, 200)
  assert.match(made.body.token, /^holdfast_[a-z0-9]{8}_[0-9A-Za-z]{38}$/)
  const list = await world.npm('GET /-/npm/v1/tokens', { token: ann.token })
  assert.ok(list.body.urls !== undefined && list.headers.get('cache-control') === 'no-store')
  assert.ok(!list.text.includes(made.body.token))
  const listed = list.body.objects.find((each: { key: string }) => each.key === made.body.key)
  assert.ok(made.body.token.startsWith(listed.token))
  assert.equal(listed.name, 'ci')
  assert.equal((await world.npm('GET /-/whoami', { token: made.body.token })).status, 200)
  assert.equal(
    (await world.npm(`DELETE /-/npm/v1/tokens/token/${listed.key}`, { token: ann.token })).status,
    200,
  )
  assert.equal((await world.npm('GET /-/whoami', { token: made.body.token })).status, 401)
})

test('a token can be revoked by its secret; what is not there is 404', async () => {
  const made = await make({})
  const path = `DELETE /-/npm/v1/tokens/token/${made.body.token}`
  assert.equal((await world.npm(path, { token: ann.token })).status, 200)
  assert.equal((await world.npm(path, { token: ann.token })).status, 404)
})

test("nobody revokes another's token", async () => {
  const bob = await world.someone('bob')
  const made = await make({})
  for (const x of [made.body.key, made.body.token]) {
    assert.equal((await world.npm(`DELETE /-/npm/v1/tokens/token/${x}`, { token: bob.token })).status, 404)
  }
  assert.equal((await world.npm('GET /-/whoami', { token: made.body.token })).status, 200)
})

test('a token wants the password', async () => {
  assert.equal((await make({ password: 'wrong' })).status, 401)
  assert.equal((await make({ password: undefined })).status, 401)
})

test('npm 11 drops --read-only on the way, so a token that does not say read-write may only read', async () => {
  const made = await make({})
  assert.equal(made.body.readonly, true)
  await assert.rejects(publishes(made.body.token, 'anns-own'), /403.*may only read/)
})

test("pnpm's token without `readonly` may write everything, with it nothing", async () => {
  const writer = await make({ name: undefined, readonly: false, cidr_whitelist: [] })
  await publishes(writer.body.token, 'anns-pnpm')
  const reader = await make({ name: undefined, readonly: true })
  await assert.rejects(publishes(reader.body.token, 'anns-other'), /403.*may only read/)
})

test('a token for some packages writes to those and to no others, and does nothing else', async () => {
  const made = await make({
    packages: ['left'],
    scopes: ['@tools'],
    packages_and_scopes_permission: 'read-write',
  })
  const { token } = made.body
  await publishes(token, 'left')
  await publishes(token, '@tools/saw')
  await assert.rejects(publishes(token, 'right'), /403/)
  const more = await world.npm('POST /-/npm/v1/tokens', {
    token,
    body: { password: ann.password, readonly: false },
  })
  assert.equal(more.status, 403)
  assert.equal((await world.npm('POST /-/npm/v1/user', { token, body: { fullname: 'Mallory' } })).status, 403)
})

test('a token that may write has to say to what', async () => {
  assert.equal((await make({ packages_and_scopes_permission: 'read-write' })).status, 400)
  const all = await make({ packages_and_scopes_permission: 'read-write', packages_all: true })
  await publishes(all.body.token, 'anything')
})

test('a token with no access to packages does not see private ones', async () => {
  await world.publish(ann, 'secret-plan', '1.0.0', { access: 'restricted' })
  const none = await make({ packages_and_scopes_permission: 'no-access' })
  assert.equal((await world.npm('GET /secret-plan', { token: none.body.token })).status, 404)
  assert.equal((await world.npm('GET /secret-plan', { token: ann.token })).status, 200)
})

test('a token for an organisation manages that one, writes no packages, and manages no other', async () => {
  const account = await world.ports.store.identity.findAccount(ann.id)
  assert.ok(account !== undefined)
  const session = { kind: 'session', id: '', freshUntil: world.now() + 1 } as const
  for (const org of ['acme', 'other']) await createOrg(world.ports, toPerson(account, session, whence), org)
  const { body } = await make({
    orgs: ['acme'],
    orgs_permission: 'read-write',
    packages_and_scopes_permission: 'read-only',
  })
  const make_ = (org: string) =>
    world.npm(`PUT /-/org/${org}/team`, { token: body.token, body: { name: 'builders' } })
  assert.equal((await make_('acme')).status, 201)
  assert.equal((await make_('other')).status, 403)
  await assert.rejects(publishes(body.token, '@acme/tool'), /403/)
})

test('a token expires after its days', async () => {
  const made = await make({ expires: 7 })
  assert.equal(Date.parse(made.body.expires), world.now() + 7 * dayMs)
  assert.equal((await world.npm('GET /-/whoami', { token: made.body.token })).status, 200)
  world.advance(7 * dayMs + 1)
  assert.equal((await world.npm('GET /-/whoami', { token: made.body.token })).status, 401)
})

test('a token that says nothing of its end lives for 30 days', async () => {
  assert.equal(Date.parse((await make({})).body.expires), world.now() + 30 * dayMs)
})

test('a token that may write lives for 90 days at most, one that reads for a year, and the refusal says what to do', async () => {
  const writes = { packages_and_scopes_permission: 'read-write', packages_all: true }
  assert.equal((await make({ ...writes, expires: 90 })).status, 200)
  assert.equal((await make({ expires: 365 })).status, 200)
  const refused = await make({ ...writes, expires: 91 })
  assert.equal(refused.status, 400)
  assert.match(refused.body.error, /may write lives at most 90 days, not 91 days\. Ask for less/)
  assert.equal((await make({ expires: 366 })).body.code, 'token-life-too-long')
})

test('the list shows description and last use, also of a token that is checked against a network each time', async () => {
  const made = await make({ description: 'for the nightly build', cidr_whitelist: ['127.0.0.0/8'] })
  const listed = async () => {
    const { body } = await world.npm('GET /-/npm/v1/tokens?perPage=500', { token: ann.token })
    return body.objects.find((each: { key: string }) => each.key === made.body.key)
  }
  assert.deepEqual(
    [(await listed()).description, (await listed()).last_used],
    ['for the nightly build', null],
  )
  const identify = openIdentify(world.ports)
  await identify.identify({ authorization: `Bearer ${made.body.token}` }, '127.0.0.1')
  await identify.close()
  assert.equal(Date.parse((await listed()).last_used), world.now())
})

test('a token for staging says what it stages, and does not manage organisations beside that', async () => {
  const stages = { packages_and_scopes_permission: 'read-write-stage-only' }
  assert.equal((await make({ ...stages, packages_all: true })).status, 200)
  assert.match((await make(stages)).body.error, /say what the token may write to/)
  const refused = await make({ ...stages, packages_all: true, orgs: ['acme'], orgs_permission: 'read-write' })
  assert.match(refused.body.error, /a token stages versions or manages organisations, not both/)
})

test('a token for a network does not work from elsewhere, and npm is told why', async () => {
  const here = await make({ cidr_whitelist: ['127.0.0.0/8'] })
  assert.equal((await world.npm('GET /-/whoami', { token: here.body.token })).status, 200)
  const elsewhere = await make({ cidr_whitelist: ['192.0.2.0/24'] })
  const refused = await world.npm('GET /-/whoami', { token: elsewhere.body.token })
  assert.deepEqual([refused.status, refused.headers.get('www-authenticate')], [401, 'ipaddress'])
  assert.equal((await make({ cidr_whitelist: ['192.0.2.0/33'] })).status, 400)
})

test('a token for a network that was just used there does not work from elsewhere either', async t => {
  const proxied = await openWorld({ trustedProxies: '127.0.0.1' })
  t.after(() => proxied.close())
  const nomad = await proxied.someone('nomad')
  const token = await proxied.token(nomad, { cidr: ['198.51.100.0/24'] })
  const from = async (address: string, line: string) =>
    (await proxied.npm(line, { token, headers: { 'x-forwarded-for': address } })).status
  await proxied.publish(nomad, 'oasis', '1.0.0')
  for (const line of ['GET /-/whoami', 'GET /oasis']) {
    assert.deepEqual([await from('198.51.100.20', line), await from('198.51.100.20', line)], [200, 200])
    assert.notEqual(await from('203.0.113.66', line), 200, line)
  }
})

test('lists of tokens are paged, and the next page has the address of this mount', async () => {
  const cal = await world.someone('cal')
  for (let index = 0; index < 4; index++) await make({}, cal)
  const first = await world.npm('GET /-/npm/v1/tokens?perPage=3', { token: cal.token })
  assert.deepEqual([first.body.objects.length, first.body.total], [3, 5])
  assert.ok(first.body.urls.next.startsWith(`${world.url}/npm/-/npm/v1/tokens?`))
  const next = await world.ask(`GET ${first.body.urls.next.slice(world.url.length)}`, { token: cal.token })
  assert.deepEqual([next.body.objects.length, next.body.urls], [2, {}])
})

test('the owner is told by mail of each new token', async () => {
  await make({ name: 'a token to notice' })
  const letters = await world.ports.store.mail.listRecent(20)
  const told = letters.find(letter => letter.subject.includes('a token to notice'))
  assert.ok(told?.to === ann.email && !told.secret && !told.text.includes('holdfast_'))
})

test('strange bodies are refused with a reason', async () => {
  for (const wish of [
    { packages: 'left' },
    { packages: ['Not A Name'] },
    { expires: '7' },
    { expires: -1 },
    { scopes: [7] },
  ]) {
    const refused = await make({ packages_and_scopes_permission: 'read-write', ...wish })
    assert.equal(refused.status, 400, JSON.stringify(wish))
  }
})
