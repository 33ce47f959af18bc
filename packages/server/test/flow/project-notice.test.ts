// SPDX-License-Identifier: Apache-2.0
/** Owners of projects are told of what touches what they submitted: once of each thing, and nobody of what they may not read. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { parsePackageName, parseVersion } from '@holdfast/core'
import { takeMeasure } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { get } from '../web/site.ts'
import { type Json, openWorld, type Someone, type World } from '../world.ts'

let world: World
let ann: Someone
let bob: Someone
let rae: Someone

before(async () => {
  world = await openWorld()
  ann = await world.someone('ann')
  bob = await world.someone('bob')
  rae = await world.someone('rae', ['responder'])
  for (const version of ['1.0.0', '1.1.0']) await world.publish(bob, 'deep', version)
  await world.publish(bob, '@bob/secret', '1.0.0', { access: 'restricted' })
  await submit(ann, 'shop', 'main', { deep: '1.0.0', '@bob/secret': '1.0.0' })
  await submit(ann, 'shop', 'next', { deep: '1.0.0' })
  await submit(bob, 'mine', 'main', { deep: '1.1.0', '@bob/secret': '1.0.0' })
})
after(async () => {
  assert.deepEqual(world.errors, [])
  await world.check()
  await world.close()
})

async function submit(
  who: Someone,
  project: string,
  branch: string,
  versions: Record<string, string>,
): Promise<number> {
  const below = Object.entries(versions).map(([name, version]) => [`node_modules/${name}`, { version }])
  const top = {
    version: '1.0.0',
    dependencies: Object.fromEntries(Object.keys(versions).map(name => [name, '*'])),
  }
  const root = { name: project, version: '1.0.0', dependencies: { top: '1' } }
  const packages = { '': root, 'node_modules/top': top, ...Object.fromEntries(below) }
  const lockfile = JSON.stringify({ name: project, lockfileVersion: 3, packages })
  const path = `POST /api/v1/projects/${project}/lockfiles`
  const reply = await world.ask(path, { token: who.token, body: { branch, lockfile } })
  assert.equal(reply.status, 201, reply.text)
  return reply.body.known
}

async function advise(name: string, fixed: string, more: Json = {}): Promise<string> {
  const ranges = [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed }] }]
  const body = {
    summary: `A flaw of ${name}`,
    affected: [{ package: { ecosystem: 'npm', name }, ranges }],
    ...more,
  }
  const reply = await world.ask('POST /api/v1/advisories', { token: rae.token, body })
  assert.equal(reply.status, 201, reply.text)
  return reply.body.id
}

const lettersTo = async ({ email }: Someone): Promise<string[]> => {
  const all = await world.ports.store.mail.listRecent(200)
  return all
    .filter(each => each.to === email && each.subject.startsWith('Something was found'))
    .map(each => each.text)
}

/** Waits until every consumer has read on to here. */
async function settle(): Promise<void> {
  const head = await world.ports.store.events.head()
  for (let look = 0; look < 500; look += 1) {
    if ((await world.ports.store.leases.position('projects')) >= head) return
    await delay(20)
  }
  assert.fail('the consumer does not come to the end')
}

test('a new advisory is told to whom it is about, once for a project, with the way to the package', async () => {
  const id = await advise('deep', '1.1.0')
  await settle()
  const [letter = '', ...more] = await lettersTo(ann)
  assert.deepEqual(more, [])
  assert.equal(await submit(ann, 'late', 'main', { deep: '1.0.0' }), 1)
  assert.match(letter, new RegExp(`shop \\(main\\): deep@1\\.0\\.0 .*${id}`))
  assert.match(letter, /by way of top@1\.0\.0/)
  assert.deepEqual(await lettersTo(bob), [])
  await world.ask(`PUT /api/v1/advisories/${id}`, {
    token: rae.token,
    body: {
      summary: 'The same flaw',
      affected: [
        {
          package: { ecosystem: 'npm', name: 'deep' },
          ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '1.1.0' }] }],
        },
      ],
    },
  })
  await settle()
  assert.equal((await lettersTo(ann)).length, 1)
})

test('a quarantine is told, and of a private package only to who may read it', async () => {
  const subject = { name: parsePackageName('@bob/secret'), version: parseVersion('1.0.0') }
  await takeMeasure(world.ports, operator, 'quarantine', subject, { code: 'malware', words: 'it steals' })
  await settle()
  assert.match((await lettersTo(bob)).join('\n'), /@bob\/secret@1\.0\.0 is quarantined/)
  assert.doesNotMatch((await lettersTo(ann)).join('\n'), /secret/)
})

test('the page shows what is known with the way to it; responders see all projects, others no such page', async () => {
  const { cookie } = await world.browse(ann)
  const { text } = await get(world, '/exposure', { cookie })
  assert.match(text, /The same flaw/)
  assert.match(text, /top@1\.0\.0 › deep@1\.0\.0/)
  assert.match(text, /<bdi>next<\/bdi>/)
  assert.doesNotMatch(text, /mine/)
  const all = await get(world, '/operate/exposure', { cookie: (await world.browse(rae)).cookie })
  assert.match(all.text, /<bdi>shop<\/bdi> of ann/)
  assert.equal((await get(world, '/operate/exposure', { cookie })).status, 404)
})
