// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { readAudit } from '../../src/flow/index.ts'
import { authorize, operator } from '../../src/identity/index.ts'
import { publishDocument } from '../live.ts'
import { get, signInByPage } from '../web/site.ts'
import { openWorld, type Someone } from '../world.ts'

const world = await openWorld()
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

const { ports } = world
const ann = await world.someone('ann')
const bob = await world.someone('bob')
await world.publish(ann, '@acme/ui', '1.0.0')
const all = (wish = {}) => readAudit(ports, operator, wish, Number.MAX_SAFE_INTEGER, 1000)
const refused = async (type: string) =>
  (await all()).lines.filter(line => line.type === type).map(line => line.detail)

test('what happened is found by who, what, package and time, newest first, a page at a time', async () => {
  const [line] = (await all({ actor: 'ann', type: 'publish' })).lines
  assert.deepEqual([line?.actor.login, line?.package, line?.version], ['ann', '@acme/ui', '1.0.0'])
  assert.equal((await all({ package: 'other' })).lines.length, 0)
  assert.equal((await all({ since: world.now() + 1 })).lines.length, 0)
  assert.equal((await all({ until: world.now() })).lines.length, 0)
  const everything = (await all()).lines.map(each => each.position)
  assert.deepEqual(
    everything,
    everything.toSorted((a, b) => b - a),
  )
  const paged: number[] = []
  for (let before: number | undefined = Number.MAX_SAFE_INTEGER; before !== undefined; ) {
    const page = await readAudit(ports, operator, {}, before, 3)
    paged.push(...page.lines.map(each => each.position))
    before = page.next
  }
  assert.deepEqual(paged, everything)
})

test('sign-ins, failed ones and denials are in it, with account, reason and address, and without what was typed', async () => {
  const cookie = await signInByPage(world, bob)
  assert.notEqual(cookie, '')
  const wrong = { ...bob, password: 'a wrong password' }
  await signInByPage(world, wrong)
  await signInByPage(world, { ...bob, login: 'my-secret-in-the-wrong-field', password: 'x' })
  await world.npm('PUT /@acme%2fui', { token: bob.token, body: publishDocument('@acme/ui', '2.0.0') })
  await world.npm('GET /-/whoami', { token: `${bob.token.slice(0, -1)}x` })
  const signedIn = (await all({ type: 'session-create' })).lines[0]
  assert.deepEqual([signedIn?.actor.login, typeof signedIn?.detail['address']], ['bob', 'string'])
  const failed = await refused('sign-in-failed')
  assert.ok(failed.some(each => each['account'] === bob.id && each['what'] === 'password'))
  assert.ok(failed.some(each => each['account'] === '' && each['what'] === 'password'))
  assert.ok(failed.some(each => each['what'] === 'request' && each['why'] === 'token-expired'))
  const ofBob = (await all({ actor: 'bob', type: 'denied' })).lines
  assert.deepEqual(
    ofBob.map(line => line.account?.login),
    ['bob'],
  )
  const denied = await refused('denied')
  assert.ok(
    denied.some(
      each =>
        each['account'] === bob.id && each['what'] === 'package:publish' && each['subject'] === '@acme/ui',
    ),
  )
  assert.ok(!JSON.stringify(await all()).includes('my-secret-in-the-wrong-field'))
})

test('guesses beyond the budget are in it as what they are', async () => {
  const eve = { ...(await world.someone('eve')), password: 'a wrong password' }
  for (let guess = 0; guess < 12; guess++) await signInByPage(world, eve)
  const failed = (await refused('sign-in-failed')).filter(each => each['account'] === eve.id)
  assert.deepEqual(failed.map(each => [each['why'], each['count']]).sort(), [
    ['bad-credentials', 10],
    ['rate-limited', 2],
  ])
})

test('a flood of refusals is a few events that count it: nobody fills the disk with them', async () => {
  const before = (await all()).lines.length
  const flood = (index: number) =>
    ports.trail.note({
      type: 'denied',
      accountId: '',
      what: 'package:read',
      subject: `guess-${index}`,
      why: 'forbidden',
      address: `2001:db8::${index}`,
      client: 'x'.repeat(5000),
    })
  for (let round = 0; round < 50; round++) {
    for (let index = 0; index < 1000; index++) flood(round * 1000 + index)
    await ports.trail.flush()
  }
  const written = (await all()).lines.slice(0, -before)
  assert.ok(written.length <= 201, `${written.length} events`)
  world.advance(3600_000)
  flood(1)
  await ports.trail.flush()
  const counted = (await all()).lines
    .slice(0, -before)
    .reduce((sum, line) => sum + Number(line.detail['count']), 0)
  assert.equal(counted, 50_001)
  assert.ok((await all()).lines.every(line => JSON.stringify(line.detail).length < 2000))
})

test('the record is for auditors, operators and responders; to others the pages do not exist', async () => {
  for (const role of ['auditor', 'operator', 'responder'] as const) {
    const who: Someone = await world.someone(`the-${role}`, [role])
    const cookie = await signInByPage(world, who)
    const page = await get(world, '/operate/audit', { cookie })
    assert.equal(page.status, 200)
    // The way there is in the head of each page, and no way to what is closed.
    const home = (await get(world, '/', { cookie })).text
    const way = /<a href="(\/operate[a-z/]*)">Operate</.exec(home)?.[1] ?? ''
    assert.equal((await get(world, way, { cookie })).status, 200, way)
    assert.equal(way === '/operate', role === 'operator')
    assert.equal(page.text.includes('/operate/people'), role === 'operator')
  }
  const cookie = await signInByPage(world, bob)
  for (const path of ['/operate/audit', '/operate/audit/export?format=csv'])
    assert.equal((await get(world, path, { cookie })).status, 404, path)
  assert.equal((await get(world, '/operate/audit')).status, 303)
})

test('an export is what the filter shows, as JSON lines or as a table that a spreadsheet does not run', async () => {
  const cookie = await signInByPage(world, await world.someone('audrey', ['auditor']))
  const json = await get(world, '/operate/audit/export?format=jsonl&type=publish', { cookie })
  const lines = json.text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  assert.deepEqual(
    lines.map(line => [line.type, line.actor.login, line.public.pkg]),
    [['publish', 'ann', '@acme/ui']],
  )
  const csv = await get(world, '/operate/audit/export?format=csv&package=@acme/ui&type=publish', { cookie })
  assert.match(csv.headers.get('content-disposition') ?? '', /attachment/)
  const [head, row] = csv.text.split('\r\n')
  assert.match(head ?? '', /^position,id,time,type/)
  assert.ok(row?.includes(",'@acme/ui,1.0.0,"), row)
})

test('an export has more than a page of the record, each event once', async () => {
  const auditor = await world.someone('adele', ['auditor'])
  const grant = await authorize(world.ports, operator, 'instance:operate', '')
  const many = Array.from({ length: 1100 }, (_, n) => ({ type: 'case', detail: { n } }) as const)
  await world.ports.store.commit(grant, many, async () => {})
  const cookie = await signInByPage(world, auditor)
  const { text } = await get(world, '/operate/audit/export?format=jsonl&type=case', { cookie })
  const lines = text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line).position)
  assert.equal(new Set(lines).size, lines.length)
  assert.ok(lines.length >= 1100, `${lines.length}`)
  assert.deepEqual(
    lines,
    lines.toSorted((a, b) => b - a),
  )
})

test('the page shows and filters, and leads on to what is older', async () => {
  const cookie = await signInByPage(world, await world.someone('auditor-two', ['auditor']))
  const page = await get(world, '/operate/audit?actor=ann&type=publish', { cookie })
  assert.ok(page.text.includes('@acme/ui@1.0.0'))
  const rest = await get(world, '/operate/audit', { cookie })
  const next = /rel="next" href="([^"]+)"/.exec(rest.text)?.[1]
  assert.ok(next !== undefined)
  assert.equal((await get(world, next.replaceAll('&amp;', '&'), { cookie })).status, 200)
})
