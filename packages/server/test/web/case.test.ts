// SPDX-License-Identifier: Apache-2.0
/** The record of incidents, for those who respond, operate or audit. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { parsePackageName, parseVersion } from '@holdfast/core'
import { openCase } from '../../src/flow/index.ts'
import { authorize } from '../../src/identity/index.ts'
import { openWorld } from '../world.ts'
import { get, post } from './site.ts'

const world = await openWorld()
after(() => world.close())
const name = parsePackageName('left-pad')

async function open(words: string): Promise<string> {
  const { ports } = world
  const grant = await authorize(ports, { kind: 'system', id: 'reconcile' }, 'version:contain', '')
  const draft = {
    kind: 'takedown',
    title: 'left-pad was withdrawn <b>upstream</b>',
    severity: 'critical',
    subjects: [{ package: name, version: parseVersion('1.0.0') }],
    words,
  } as const
  return (await ports.store.commit(grant, [], tx => openCase(tx, 'reconcile', ports.clock(), draft))).id
}

test('a case shows what it is about, what happened in order, and who fetched the bytes', async () => {
  const ann = await world.someone('ann', ['auditor'])
  await world.publish(ann, 'left-pad', '1.0.0')
  const file = '/left-pad/-/left-pad-1.0.0.tgz'
  await world.npm(`GET ${file}`, { token: ann.token, headers: { 'user-agent': 'npm/11 <i>' } })
  await world.npm(`GET ${file}`)
  await world.ports.downloads.flush()
  const id = await open('the upstream removed <i>it</i>')
  world.advance(1000)
  assert.equal(await open('it is back with other bytes'), id)
  const { cookie } = await world.browse(ann)
  assert.match(
    (await get(world, '/operate/cases', { cookie })).text,
    new RegExp(`href="/operate/cases/${id}"`),
  )
  const { status, text } = await get(world, `/operate/cases/${id}`, { cookie })
  assert.equal(status, 200)
  assert.match(text, /the upstream removed &lt;i&gt;it&lt;\/i&gt;[\s\S]*it is back with other bytes/)
  assert.match(text, /Fetched 2 times\. Who did is for those who respond/)
  assert.doesNotMatch(text, /<td>left-pad@1\.0\.0<\/td>/)
  const rae = await world.browse(await world.someone('rita', ['responder']))
  const named = (await get(world, `/operate/cases/${id}`, rae)).text
  assert.match(named, /<td>left-pad@1\.0\.0<\/td><td>ann<br>/)
  assert.match(named, /<td>nobody signed in<\/td>/)
  for (const each of [text, named]) assert.doesNotMatch(each, /<[ib]>/)
  const events = await world.ports.store.events.ofPackage(name)
  const told = events.filter(event => event.type === 'case')
  assert.deepEqual(
    told.map(({ detail, leaf }) => [detail['op'], detail['case'], leaf]),
    [
      ['open', id, null],
      ['note', id, null],
    ],
  )
})

test('who has no role sees no case, and there is none of another id', async () => {
  const bob = await world.someone('bob')
  const plain = await world.browse(bob)
  const auditor = await world.browse(await world.someone('eve', ['auditor']))
  assert.equal((await get(world, '/operate/cases', plain)).status, 404)
  assert.equal((await get(world, '/operate/cases/case-1', plain)).status, 404)
  assert.equal((await get(world, '/operate/cases')).status, 303)
  assert.equal((await get(world, '/operate/cases/case-1', auditor)).status, 404)
})

test('the operator’s first page says that cases wait', async () => {
  const visit = await world.browse(await world.someone('olga', ['operator']))
  assert.match((await get(world, '/operate', visit)).text, /1 case waits for somebody/)
})

test('a responder closes a case with words, and nobody else', async () => {
  const id = await open('once more')
  const responder = await world.browse(await world.someone('rae', ['responder']))
  const auditor = await world.browse(await world.someone('ada', ['auditor']))
  assert.doesNotMatch((await get(world, `/operate/cases/${id}`, auditor)).text, /Close the case/)
  assert.equal((await post(world, `/operate/cases/${id}`, { words: 'me' }, auditor)).status, 403)
  assert.match((await get(world, `/operate/cases/${id}`, responder)).text, /Close the case/)
  assert.equal((await post(world, `/operate/cases/${id}`, { words: 'false alarm' }, responder)).status, 303)
  const { text } = await get(world, `/operate/cases/${id}`, responder)
  assert.match(text, /closed[\s\S]*false alarm/)
  assert.doesNotMatch(text, /Close the case/)
  assert.notEqual(await open('it comes again'), id)
})
