// SPDX-License-Identifier: Apache-2.0
/** Whatever can be guessed at: each on counters of its own, shared by replicas, with a time that is true. */
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { isProblem, tokenChecksum } from '@holdfast/core'
import { addressBudgets, book, guess } from '../../src/flow/guess.ts'
import { checkPassword, invite } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { openPorts, type Ports, readConfig } from '../../src/main.ts'
import { get, post } from '../web/site.ts'
import { openWorld, whence } from '../world.ts'

const world = await openWorld({ mfa: 'optional' })
const { data, database } = world.ports.config
const config = readConfig({ data, port: '0', ...(database === undefined ? {} : { database }) }, {})
const replica = await openPorts(config, world.now)
after(async () => {
  await replica.close()
  await world.close()
})
afterEach(() => assert.deepEqual(world.errors, []))

/** Sends wrong guesses all at once, to both replicas in turn; says how many were looked at. */
async function attack(
  count: number,
  account: (i: number) => string,
  address: (i: number) => string,
): Promise<number> {
  let evaluated = 0
  const wrong = async () => {
    evaluated += 1
    return false
  }
  const sides: readonly Ports[] = [world.ports, replica.ports]
  const guesses = Array.from({ length: count }, (_, i) =>
    guess(sides[i % 2] ?? world.ports, 'password', account(i), address(i), wrong),
  )
  const refusals = (await Promise.allSettled(guesses)).filter(each => each.status === 'rejected')
  assert.ok(refusals.every(({ reason }) => isProblem(reason) && reason.code === 'rate-limited'))
  assert.equal(evaluated + refusals.length, count)
  return evaluated
}

test('of ten thousand guesses at one account, from ten thousand addresses, on two replicas, ten are evaluated', async () => {
  const anywhere = (i: number) => `2001:db8:${(i % 65_536).toString(16)}:${i >> 4}::1`
  assert.equal(await attack(10_000, () => 'a_0000000000000001', anywhere), 10)
})

test('of three thousand guesses from one address, each at another account, a hundred are evaluated', async () => {
  assert.equal(
    await attack(
      3000,
      i => `one address ${i}`,
      () => '198.51.100.7',
    ),
    100,
  )
})

test('of three thousand guesses from all addresses of a network a thousand are evaluated', async () => {
  assert.equal(
    await attack(
      3000,
      i => `network ${i}`,
      i => `203.0.113.${i % 256}`,
    ),
    1000,
  )
})

test('the time in a refusal is true: it goes on then, and not before', async () => {
  const budget = addressBudgets('password', '192.0.2.99', 2)
  await book(world.ports, budget)
  world.advance(60_000)
  await book(world.ports, budget)
  const refusal = await book(world.ports, budget).catch((error: unknown) => error)
  assert.ok(isProblem(refusal))
  assert.equal(refusal.data['retryAfter'], 14 * 60)
  world.advance(14 * 60_000 - 1)
  await assert.rejects(book(world.ports, budget), { code: 'rate-limited', data: { retryAfter: 1 } })
  world.advance(1)
  await book(world.ports, budget)
})

test('what was right is no failure, also at the address', async () => {
  for (let i = 0; i < 150; i++)
    assert.ok(await guess(world.ports, 'totp', 'a_0000000000000002', '192.0.2.50', async () => true))
})

test('guesses at one thing leave the other counters alone', async () => {
  const from = ['a_0000000000000003', '192.0.2.60'] as const
  for (let i = 0; i < 10; i++) await guess(world.ports, 'password', ...from, async () => false)
  await assert.rejects(
    guess(world.ports, 'password', ...from, async () => true),
    { code: 'rate-limited' },
  )
  for (const what of ['totp', 'recovery', 'passkey'] as const)
    assert.ok(await guess(world.ports, what, ...from, async () => true), what)
})

test('an account that is not there is throttled like one that is', async () => {
  await world.someone('here')
  const answers = await Promise.all(
    ['here', 'not-here', 'here@people.example', 'not-here@people.example'].map(async login => {
      const codes: string[] = []
      for (let i = 0; i < 12; i++) {
        const from = { ...whence, address: `2001:db8:77:${i}::1` }
        codes.push(await checkPassword(world.ports, login, 'wrong', from).catch(error => error.code))
      }
      return codes.filter(code => code === 'bad-credentials').length
    }),
  )
  // Name and address of one account share its budget.
  assert.deepEqual([(answers[0] ?? 0) + (answers[2] ?? 0), answers[1], answers[3]], [10, 10, 10])
})

/** A token of the right form that nobody has. */
function madeUp(i: number): string {
  const body = `holdfast_${world.ports.store.instance.id}_${String(i).padStart(32, '0')}`
  return body + tokenChecksum(body)
}

test('bad tokens are answered 429 when there were too many, and never hold up good credentials from the same address', async () => {
  const ann = await world.someone('ann')
  const statusOf = async (token: string) => (await world.npm('GET /-/whoami', { token })).status
  for (let i = 0; i < 100; i++) assert.equal(await statusOf(madeUp(i)), 401)
  const refused = await world.npm('GET /-/whoami', { token: madeUp(100) })
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '900'])
  assert.equal(await statusOf(await world.token(ann)), 200)
  assert.ok((await world.browse(ann)).cookie !== '')
  // What has no right checksum cannot be a token, and counts nowhere.
  assert.equal(await statusOf('holdfast_nonsense'), 401)
  world.advance(900_000)
  assert.equal(await statusOf(madeUp(101)), 401)
})

test('a page that refuses too many guesses says when to come back, to people and to programs', async () => {
  const fields = { login: 'nobody-here', password: 'wrong' }
  for (let i = 0; i < 10; i++) assert.equal((await post(world, '/sign-in', fields)).status, 401)
  const refused = await post(world, '/sign-in', fields)
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '900'])
  assert.match(refused.text, /Try again in 15 minutes/)
})

test('links that are none are answered 429 when there were too many; a good one still opens', async () => {
  const places = ['/invitation/', '/login/cli/']
  const { cookie } = await world.browse(await world.someone('bob'))
  for (let i = 0; i < 100; i++) {
    const { status } = await get(world, `${places[i % 2]}${'x'.repeat(30)}${i}`, { cookie })
    assert.ok(status === 403 || status === 410, String(status))
  }
  assert.equal((await get(world, '/invitation/nothing')).status, 429)
  const link = await invite(world.ports, operator, 'cal@people.example', [])
  assert.equal((await get(world, new URL(link).pathname)).status, 200)
})
