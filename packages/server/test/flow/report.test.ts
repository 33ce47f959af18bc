// SPDX-License-Identifier: Apache-2.0
/** Reports, from the form and the API to the letter that says how they ended. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { get, post, type Visit } from '../web/site.ts'
import { openWorld, type Someone, type World } from '../world.ts'

let world: World
let alice: Someone
let rae: Someone
let bob: Someone
let responder: Visit

before(async () => {
  world = await openWorld()
  alice = await world.someone('alice')
  bob = await world.someone('bob')
  rae = await world.someone('rae', ['responder'])
  responder = await world.browse(rae)
})
after(async () => {
  assert.deepEqual(world.errors, [])
  await world.check()
  await world.close()
})

const malware = { kind: 'malware', words: 'it reads my keys <script>alert(1)</script>', evidence: 'index.js' }

const letters = async (to: string, subject: RegExp) =>
  (await world.ports.store.mail.listRecent(100)).filter(each => each.to === to && subject.test(each.subject))

/** What an anonymous person does by the form; gives the path of the link in the letter. */
async function reportByPage(about: Readonly<Record<string, string>>, email: string): Promise<string> {
  const reply = await post(world, '/report', { ...malware, ...about, email })
  assert.match(reply.text, /Look into your mailbox/)
  const [letter] = await letters(email, /^Confirm your report/)
  return /(\/report\/confirm\/\S+)/.exec(letter?.text ?? '')?.[1] ?? ''
}

async function reportByApi(who: Someone, body: object) {
  return world.ask('POST /api/v1/reports', { token: who.token, body: { ...malware, ...body } })
}

const cases = async (title: string) =>
  (await world.ports.store.incident.listCases(Number.MAX_SAFE_INTEGER, 100)).filter(
    each => each.title === title,
  )

const statusOf = async (name: string) => (await world.npm(`GET /${name}/-/${name}-1.0.0.tgz`)).status

test('three reports, by page, API and again, are one case; an unconfirmed one counts for nothing', async () => {
  await world.publish(alice, 'thief', '1.0.0')
  const link = await reportByPage({ package: 'thief', version: '1.0.0' }, 'ann@outside.example')
  assert.deepEqual(await cases('thief is reported'), [])
  assert.match((await get(world, link)).text, /thief@1\.0\.0/)
  assert.deepEqual(await cases('thief is reported'), [], 'a scanner that opens the link confirms nothing')
  assert.match((await post(world, link, {})).text, /Thank you/)
  assert.equal((await post(world, link, {})).status, 410)
  assert.equal((await reportByApi(bob, { package: 'thief', version: '1.0.0' })).body.state, 'open')
  await reportByApi(bob, { package: 'thief', kind: 'spam' })
  const [found, ...others] = await cases('thief is reported')
  assert.deepEqual([others.length, found?.severity], [0, 'high'])
  const { text } = await get(world, `/operate/cases/${found?.id}`, responder)
  assert.match(text, /it reads my keys &lt;script&gt;/)
  assert.doesNotMatch(text, /<script>alert/)
  assert.equal(await statusOf('thief'), 200, 'without a trusted reporter a person looks first')
  const done = await post(
    world,
    `/operate/cases/${found?.id}`,
    { words: 'it is', outcome: 'confirmed' },
    responder,
  )
  assert.equal(done.status, 303)
  for (const to of ['ann@outside.example', bob.email])
    assert.match((await letters(to, /^How your report of thief/))[0]?.text ?? '', /you were right/)
  const kept = await world.ports.store.reports.ofCase(found?.id ?? '')
  assert.deepEqual(
    kept.map(each => each.mailbox),
    ['', '', ''],
  )
})

test('a trusted reporter closes what is younger than a day; dismissed by two, it is let go and the reporter is told', async () => {
  await world.publish(alice, 'fresh', '1.0.0')
  assert.equal((await post(world, '/operate/reporters', { who: 'bob', act: 'trust' }, responder)).status, 303)
  assert.match((await get(world, '/operate/reporters', responder)).text, /bob[\s\S]*trusted/)
  await reportByApi(bob, { package: 'fresh', version: '1.0.0', kind: 'spam' })
  assert.equal(await statusOf('fresh'), 200)
  await reportByApi(bob, { package: 'fresh', version: '1.0.0' })
  assert.equal(await statusOf('fresh'), 403)
  const [found] = await cases('fresh is reported')
  const path = `/operate/cases/${found?.id}`
  assert.match(
    (await get(world, path, responder)).text,
    /1\.0\.0 was quarantined by itself: a trusted reporter/,
  )
  const wrong = { words: 'it is a test tool', outcome: 'dismissed' }
  await post(world, path, wrong, responder)
  assert.equal(await statusOf('fresh'), 403, 'one person opens nothing')
  assert.match((await get(world, path, responder)).text, /somebody else has to agree\. it is a test tool/)
  assert.equal((await post(world, path, wrong, responder)).status, 403, 'nor does one who says it twice')
  assert.deepEqual(await letters(bob.email, /^How your report of fresh/), [])
  const roy = await world.someone('roy', ['responder'])
  const target = `POST /api/v1/incidents/${found?.id}/close`
  const told = await world.ask(target, { token: roy.token, body: wrong })
  assert.equal(JSON.parse(told.text).state, 'closed', told.text)
  assert.equal(await statusOf('fresh'), 200)
  assert.match((await letters(bob.email, /^How your report of fresh/))[0]?.text ?? '', /nothing wrong/)
})

test('of what is older two must say so; one person with two mailboxes is one reporter', async () => {
  await world.publish(alice, 'older', '1.0.0')
  world.advance(25 * 3600_000)
  responder = await world.browse(rae)
  await post(world, '/operate/reporters', { who: 'bob', act: 'trust' }, responder)
  const cyd = await world.someone('cyd')
  await post(world, '/operate/reporters', { who: 'cyd', act: 'trust' }, responder)
  await reportByApi(cyd, { package: 'older', version: '1.0.0' })
  const own = await reportByPage({ package: 'older', version: '1.0.0' }, cyd.email)
  await post(world, own, {})
  assert.equal(await statusOf('older'), 200)
  const link = await reportByPage({ package: 'older', version: '1.0.0' }, 'dan@outside.example')
  await post(world, link, {})
  assert.equal(await statusOf('older'), 403)
})

test('what is long out or much used is never closed by reports, whoever makes them', async () => {
  await world.publish(alice, 'used', '1.0.0')
  const now = world.now()
  const fetched = {
    package: 'used',
    version: '1.0.0',
    accountId: '',
    tokenId: '',
    address: '192.0.2.1',
    client: '',
  }
  await world.ports.store.downloads.add([{ ...fetched, count: 500, firstAt: now, lastAt: now } as never])
  const eve = await world.someone('eve')
  for (const who of ['bob', 'eve']) await post(world, '/operate/reporters', { who, act: 'trust' }, responder)
  for (const who of [bob, eve]) await reportByApi(who, { package: 'used', version: '1.0.0' })
  assert.equal(await statusOf('used'), 200)
  const [found] = await cases('used is reported')
  const { text } = await get(world, `/operate/cases/${found?.id}`, responder)
  assert.match(text, /stays as it is: a person must look first: it was fetched 500 times/)
})

test('a token in a report is revoked and kept nowhere', async () => {
  const leaked = await world.token(alice)
  await reportByApi(bob, { package: 'thief', kind: 'secret', words: `found ${leaked}` })
  const [found] = await cases('thief is reported')
  const page = await get(world, `/operate/cases/${found?.id}`, responder)
  assert.match(page.text, /found \(a token\)/)
  assert.equal((await world.npm('GET /-/whoami', { token: leaked })).status, 401)
})

test('floods end: of one address, and of letters into one mailbox', async () => {
  let sent = 0
  for (let i = 0; i < 30; i++) {
    const reply = await post(world, '/report', {
      ...malware,
      package: `any-${i}`,
      email: 'mob@outside.example',
    })
    if (reply.status === 429) break
    sent += 1
  }
  assert.ok(sent < 25, `${sent} were taken`)
  assert.equal((await letters('mob@outside.example', /./)).length, 5)
})
