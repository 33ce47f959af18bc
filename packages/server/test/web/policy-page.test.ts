// SPDX-License-Identifier: Apache-2.0
/** What this registry promises: pages that operators edit, security.txt, and the register of reviews. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { parseSecurityText } from '@holdfast/core'
import { policyPages } from '../../src/community/index.ts'
import { remindOfReview, unpublishLimits } from '../../src/flow/index.ts'
import { dayMs, openWorld } from '../world.ts'
import { get, post } from './site.ts'

const world = await openWorld({
  securityContact: 'mailto:security@acme.example https://acme.example/report',
  unpublishHours: '48',
})
after(() => world.close())
const olga = await world.someone('olga', ['operator'])

test('every policy is public, and none has a place that nobody filled', async () => {
  for (const [page, { title }] of Object.entries(policyPages)) {
    const { status, text } = await get(world, `/policy/${page}`)
    assert.equal(status, 200)
    assert.match(text, new RegExp(`<h1>${title}</h1>`))
    assert.doesNotMatch(text, /\{\{/, page)
  }
  assert.equal((await get(world, '/policy/nothing')).status, 404)
})

test('the unpublish policy says what the code does', async () => {
  const { text } = await get(world, '/policy/unpublish')
  assert.match(text, /within 48 hours of its publication/)
  assert.match(text, new RegExp(`fewer than ${unpublishLimits.downloads} times`))
})

test('security.txt says where to turn to, and until when it may be believed', async () => {
  const { text, headers } = await get(world, '/.well-known/security.txt')
  assert.equal(headers.get('content-type'), 'text/plain; charset=utf-8')
  const told = parseSecurityText(text)
  assert.deepEqual(told.contacts, ['mailto:security@acme.example', 'https://acme.example/report'])
  assert.deepEqual(told.policies, [`${world.url}/policy/disclosure`])
  assert.ok(told.expiresAt > world.now() + 80 * dayMs)
})

test('an operator edits a page: history shows what changed, the event says who, nobody overwrites unseen', async () => {
  const visit = await world.browse(olga)
  const path = '/operate/pages/acceptable-use'
  const text = '# Ours\n\nBe kind <img src=x onerror=alert(1)> for {{unpublishWindow}}.'
  const looked = await post(world, path, { act: 'look', base: '0', text }, visit)
  assert.match(looked.text, /Be kind\s+for 48 hours/)
  assert.match((await get(world, '/policy/acceptable-use')).text, /What may not be published/)
  assert.equal(
    (await post(world, path, { act: 'save', base: '0', text, words: 'kinder' }, visit)).status,
    303,
  )
  const page = (await get(world, '/policy/acceptable-use')).text
  assert.match(page, /Be kind\s+for 48 hours/)
  assert.doesNotMatch(page, /onerror|What may not be published/)
  assert.match((await get(world, '/policy/acceptable-use?version=0')).text, /What may not be published/)
  const history = (await get(world, '/policy/acceptable-use/history')).text
  assert.match(history, /kinder[\s\S]*<ins>\+# Ours<\/ins>/)
  assert.equal((await post(world, path, { act: 'save', base: '0', text: 'mine' }, visit)).status, 409)
  const events = (await world.ports.store.events.read(0, 1000)).filter(({ type }) => type === 'policy-page')
  assert.deepEqual(
    events.map(({ actorId, detail }) => [actorId, detail['page'], detail['version']]),
    [[olga.id, 'acceptable-use', 1]],
  )
})

test('what names a fact that there is not is refused, with the text still there', async () => {
  const visit = await world.browse(olga)
  const reply = await post(
    world,
    '/operate/pages/naming',
    { act: 'save', base: '0', text: 'See {{nobody}}' },
    visit,
  )
  assert.equal(reply.status, 400)
  assert.match(reply.text, /there is no \{\{nobody\}\}[\s\S]*See \{\{nobody\}\}/)
})

test('only operators edit pages and enter reviews', async () => {
  const bob = await world.browse(await world.someone('bob', ['auditor']))
  for (const path of ['/operate/pages', '/operate/pages/naming', '/operate/reviews'])
    assert.equal((await get(world, path, bob)).status, 404)
  assert.equal(
    (await post(world, '/operate/pages/naming', { act: 'save', base: '0', text: 'x' }, bob)).status,
    404,
  )
})

test('a review turns red after 12 months, and operators hear of it a month before', async () => {
  const visit = await world.browse(olga)
  const iso = new Date(world.now()).toISOString().slice(0, 10)
  const fields = { date: iso, scope: 'All <b>', reviewer: 'Ann', findings: 'high | Hole | closed | open' }
  assert.equal((await post(world, '/operate/reviews', fields, visit)).status, 303)
  const register = async () => (await get(world, '/security/reviews')).text
  assert.match(await register(), /All &lt;b&gt;[\s\S]*Hole[\s\S]*closed[\s\S]*open/)
  const letters = async () =>
    (await world.ports.store.mail.listRecent(100)).filter(({ subject }) => /review is due/.test(subject))
      .length
  await remindOfReview(world.ports)
  assert.equal(await letters(), 0)
  world.advance(340 * dayMs)
  await remindOfReview(world.ports)
  assert.equal(await letters(), 1)
  assert.match(await register(), /next review is due/)
  world.advance(30 * dayMs)
  assert.match(await register(), /Overdue/)
  assert.match((await get(world, '/security')).text, /id="general-3-review"[\s\S]{0,600}not here/)
})

test('a finding that is mended is changed in its place', async () => {
  const visit = await world.browse(olga)
  const [review] = await world.ports.store.community.listReviews()
  const form = (await get(world, `/operate/reviews?id=${review?.id}`, visit)).text
  assert.match(form, /high \| Hole \| closed \| open/)
  const fields = { id: review?.id ?? '', date: review?.date ?? '', scope: 'All', reviewer: 'Ann' }
  const wrong = await post(world, '/operate/reviews', { ...fields, findings: 'grave | Hole' }, visit)
  assert.equal(wrong.status, 400)
  await post(world, '/operate/reviews', { ...fields, findings: 'high | Hole | closed | fixed' }, visit)
  const all = await world.ports.store.community.listReviews()
  assert.deepEqual(
    all.map(each => each.findings.map(({ state }) => state)),
    [['fixed']],
  )
})
