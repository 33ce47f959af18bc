// SPDX-License-Identifier: Apache-2.0
/** Tokens end, their owners know before, and the operator's are seen. */
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { createToken, ensureAccount, type TokenRequest, tellOfEndingTokens } from '../../src/flow/index.ts'
import { authorize, operator, toPerson } from '../../src/identity/index.ts'
import { dayMs, openWorld, type Someone, whence } from '../world.ts'

const world = await openWorld({ mfa: 'optional' })
const strict = await openWorld({ operatorTokens: 'off' })
after(() => Promise.all([world.close(), strict.close()]))
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

const { ports } = world
const reads = { permission: 'read-only', bypassTfa: false } as const
const writes = { permission: 'read-write', bypassTfa: true } as const

async function make(who: Someone, request: Omit<TokenRequest, 'name'>, name = 'ci') {
  const account = await ports.store.identity.findAccount(who.id)
  assert.ok(account !== undefined)
  const credential = { kind: 'session', id: 's_1', freshUntil: ports.clock() + 1 } as const
  return createToken(ports, toPerson(account, credential, whence), account, { name, ...request })
}

/** Subjects of the letters about ends of tokens that somebody got, oldest first. */
async function told(who: Someone): Promise<string[]> {
  const letters = await ports.store.mail.listRecent(500)
  const theirs = letters.filter(({ to, subject }) => to === who.email && subject.includes(' ends in '))
  return theirs.reverse().map(({ subject }) => subject.split(' – ')[0] ?? '')
}

test('the owner is told 14, 3 and 1 days before the end, once each however often somebody looks', async () => {
  const ann = await world.someone('ann')
  await make(ann, { limits: reads, lifeMs: 30 * dayMs })
  await make(ann, { limits: reads, lifeMs: dayMs }, 'short')
  for (let hour = 0; hour < 31 * 24; hour += 6) {
    await Promise.all([tellOfEndingTokens(ports), tellOfEndingTokens(ports)])
    world.advance(6 * 3600_000)
  }
  assert.deepEqual(await told(ann), [
    "Your token 'ci' ends in 14 days",
    "Your token 'ci' ends in 3 days",
    "Your token 'ci' ends in 1 day",
  ])
})

test('an account holds as many tokens as somebody can look through, and one that is over counts no longer', async () => {
  const cleo = await world.someone('cleo')
  const limits = { permission: 'read-write', bypassTfa: false } as const
  for (let held = 2; held < 250; held++) await world.token(cleo, {}, ports.clock() + dayMs)
  const [one, other] = await Promise.allSettled([make(cleo, { limits }), make(cleo, { limits })])
  assert.deepEqual([one.status, other.status].sort(), ['fulfilled', 'rejected'])
  const login = { name: cleo.login, password: cleo.password }
  const refused = await world.npm('PUT /-/user/org.couchdb.user:cleo', { body: login })
  assert.equal(refused.status, 409)
  assert.match(refused.body.error, /^There can be at most 250 tokens of one account at a time\. Remove one/)
  world.advance(dayMs)
  await make(cleo, { limits })
})

test('a letter says when, by which token, when it was last used, and never its secret', async () => {
  const bob = await world.someone('bob')
  const { secret, token } = await make(bob, { limits: reads, lifeMs: 20 * dayMs })
  await ports.store.upkeep.setTokensUsed([token.id], world.now())
  world.advance(7 * dayMs)
  await tellOfEndingTokens(ports)
  const letter = (await ports.store.mail.listRecent(50)).find(
    ({ to, text }) => to === bob.email && text.includes(token.hint),
  )
  assert.match(letter?.text ?? '', /was last used at 20/)
  assert.ok(letter?.text.includes(new Date(token.expiresAt ?? 0).toISOString()))
  assert.ok(!letter?.text.includes(secret) && letter?.secret === false)
})

test('nobody is told of a token that is revoked, or when the account is disabled', async () => {
  const cal = await world.someone('cal')
  const { token } = await make(cal, { limits: reads, lifeMs: 20 * dayMs })
  const grant = await authorize(ports, operator, 'token:revoke', cal.id)
  const event = { type: 'token-revoke', fields: { subject: token.id, reason: 'request' } } as const
  await ports.store.commit(grant, event, tx => tx.identity.revokeToken(token.id, world.now()))
  world.advance(19 * dayMs)
  await tellOfEndingTokens(ports)
  assert.deepEqual(await told(cal), [])
})

test('a token of the operator that may publish lives a day at most, and is seen by the account', async () => {
  const dan = await world.someone('dan')
  const account = await ensureAccount(ports, operator, 'dan')
  const ask = (lifeMs?: number) =>
    createToken(ports, operator, account, {
      name: 'x',
      limits: writes,
      ...(lifeMs === undefined ? {} : { lifeMs }),
    })
  await assert.rejects(ask(dayMs + 1), { code: 'token-life-too-long' })
  const { token } = await ask()
  assert.equal(token.expiresAt, world.now() + 3600_000)
  const letters = await ports.store.mail.listRecent(20)
  assert.ok(letters.some(({ to, subject }) => to === dan.email && /^The operator made a token/.test(subject)))
  const list = await world.npm('GET /-/npm/v1/tokens', { token: dan.token })
  const listed = list.body.objects.find((each: { key: string }) => each.key === token.id)
  assert.equal(listed.origin, 'operator')
  const { cookie } = await world.browse(dan)
  const page = await world.ask('GET /account/tokens', { headers: { cookie } })
  assert.match(page.text, /made by the operator/)
})

test('the configuration can take the operator the right to make tokens', async () => {
  const account = await ensureAccount(strict.ports, operator, 'eve')
  const request = { name: 'x', limits: reads }
  await assert.rejects(createToken(strict.ports, operator, account, request), { code: 'operator-tokens-off' })
  assert.deepEqual(await strict.ports.store.identity.listTokens(account.id), [])
})
