// SPDX-License-Identifier: Apache-2.0
/** The blast radius of a case: seen by those who respond, exported, and told to those who have the bytes. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parsePackageName, parseVersion } from '@holdfast/core'
import { addRobot, addRobotToken, createOrg, openCase } from '../../src/flow/index.ts'
import { authorize, toPerson } from '../../src/identity/index.ts'
import { dayMs, openWorld, type Someone, type World } from '../world.ts'
import { get, post, type Visit } from './site.ts'

let world: World
let ann: Someone
let rae: Someone
let visit: Visit
let id = ''
let path = ''

before(async () => {
  world = await openWorld()
  ann = await world.someone('ann')
  rae = await world.someone('rae', ['responder'])
  visit = await world.browse(rae)
  await world.publish(ann, 'left-pad', '1.0.0')
  const headers = { 'user-agent': '=cmd|"/c calc"!A1' }
  await world.npm('GET /left-pad/-/left-pad-1.0.0.tgz', { token: ann.token, headers })
  await world.ports.downloads.flush()
  const grant = await authorize(world.ports, { kind: 'system', id: 'reconcile' }, 'version:contain', '')
  const subjects = [{ package: parsePackageName('left-pad'), version: parseVersion('1.0.0') }]
  const draft = { kind: 'malware', title: 'it steals', severity: 'critical', subjects, words: 'x' } as const
  const { store, clock } = world.ports
  id = (await store.commit(grant, [], tx => openCase(tx, 'reconcile', clock(), draft))).id
  path = `/operate/cases/${id}/blast`
})
after(async () => {
  assert.deepEqual(world.errors, [])
  await world.check()
  await world.close()
})

test('who responds sees who has it, and each look is on record', async () => {
  assert.match((await get(world, `/operate/cases/${id}`, visit)).text, new RegExp(`href="${path}"`))
  const { status, text } = await get(world, path, visit)
  assert.equal(status, 200)
  assert.match(text, /1 fetch by 1 account/)
  assert.match(text, /<td>left-pad@1\.0\.0<\/td><td>ann/)
  const { body } = await world.ask(`GET /api/v1/cases/${id}/blast`, { token: rae.token })
  assert.deepEqual(
    body.holders.map((each: { login: string; count: number }) => [each.login, each.count]),
    [['ann', 1]],
  )
  const looks = await world.ports.store.events.search({ type: 'blast' }, Number.MAX_SAFE_INTEGER, 10)
  assert.deepEqual(
    looks.map(each => [each.actorId, each.detail['op'], each.leaf]),
    ['read', 'read', 'case'].map(op => [rae.id, op, null]),
  )
})

test('the export runs no formula', async () => {
  const { text, headers } = await get(world, `${path}.csv`, visit)
  assert.match(headers.get('content-type') ?? '', /^text\/csv/)
  assert.match(text, /^package,version,account,login/)
  assert.match(text, /,"'=cmd\|""\/c calc""!A1",1,/)
  assert.match((await get(world, `${path}.json`, visit)).text, /"login":"ann"/)
})

test('an export is sent as it is read: a client that breaks off ends it, a slow one holds it back', async () => {
  const { blast, downloads } = world.ports.store
  const [count, now] = [120_000, world.now()]
  const fetched = { package: 'left-pad', version: '1.0.0', accountId: '', address: '192.0.2.1' }
  const times = { client: 'x'.repeat(80), count: 1, firstAt: now, lastAt: now }
  for (let at = 0; at < count; at += 10_000)
    await downloads.add(
      Array.from({ length: 10_000 }, (_, i) => ({ ...fetched, ...times, tokenId: `h_${at + i}` }) as never),
    )
  const { listHolders } = blast
  let pages = 0
  Object.assign(blast, {
    listHolders: (...args: Parameters<typeof listHolders>) => {
      pages += 1
      return listHolders(...args)
    },
  })
  const ask = () => fetch(`${world.url}${path}.csv`, { headers: { cookie: visit.cookie ?? '' } })
  try {
    const reader = (await ask()).body?.getReader()
    assert.match(Buffer.from((await reader?.read())?.value ?? []).toString(), /^package,version/)
    assert.ok(pages < 60, `${pages} pages were read for the first bytes`)
    await reader?.cancel()
    const broken = pages
    const lines = (await (await ask()).text()).split('\r\n')
    assert.equal(lines.length, count + 3, 'all of them, with the head, the one before and the end')
    assert.ok(pages - broken < 130, `${pages - broken} pages were read: also for who had gone`)
  } finally {
    Object.assign(blast, { listHolders })
  }
})

test('a stranger sees nothing of it and tells nobody', async () => {
  const plain = await world.browse(ann)
  for (const each of [path, `${path}.csv`]) assert.equal((await get(world, each, plain)).status, 404)
  for (const each of ['', '.csv', '.json'])
    assert.equal((await world.ask(`GET /api/v1/cases/${id}/blast${each}`, { token: ann.token })).status, 403)
  assert.equal((await world.ask(`POST /api/v1/cases/${id}/blast/tell`, { token: ann.token })).status, 403)
  assert.equal((await world.ask(`GET /api/v1/cases/case-1/blast`, { token: rae.token })).status, 404)
  assert.equal((await world.ask(`GET /api/v1/cases/${id}/blast?page=x`, { token: rae.token })).status, 400)
})

test('who has it is told once, and says that it is done', async () => {
  assert.equal((await post(world, path, {}, visit)).status, 303)
  const again = await world.ask(`POST /api/v1/cases/${id}/blast/tell`, { token: rae.token })
  assert.deepEqual(again.body, { told: 0 })
  assert.match((await get(world, path, visit)).text, /1 letter sent, 0 done/)
  const own = await world.browse(ann)
  assert.match((await get(world, '/account/told', own)).text, /It is done/)
  const other = await world.browse(await world.someone('eve'))
  assert.equal((await post(world, '/account/told', { case: id }, other)).status, 404)
  assert.equal((await post(world, '/account/told', { case: id }, own)).status, 303)
  assert.match((await get(world, path, visit)).text, /1 letter sent, 1 done/)
})

test('who answers for a robot that fetched it is told', async () => {
  const { ports } = world
  const bea = await world.someone('bea')
  const account = await ports.store.identity.findAccount(bea.id)
  assert.ok(account !== undefined)
  const session = { kind: 'session', id: 's_1', freshUntil: Number.MAX_SAFE_INTEGER } as const
  const owner = toPerson(account, session, { address: '192.0.2.1', client: '', web: true })
  await createOrg(ports, owner, 'machines')
  const robot = await addRobot(ports, owner, 'machines', 'build')
  const { secret } = await addRobotToken(ports, owner, 'machines', robot.id, { lifeMs: dayMs, publishes: [] })
  await world.npm('GET /left-pad/-/left-pad-1.0.0.tgz', { token: secret })
  await ports.downloads.flush()
  const { body } = await world.ask(`POST /api/v1/cases/${id}/blast/tell`, { token: rae.token })
  assert.deepEqual(body, { told: 1 })
  assert.match((await get(world, '/account/told', await world.browse(bea))).text, /It is done/)
})

test('what is kept of oneself is read, taken along and forgotten, but for what an open case is about', async () => {
  const eve = await world.someone('eva')
  const own = await world.browse(eve)
  await world.publish(ann, 'right-pad', '1.0.0')
  for (const name of ['left-pad', 'right-pad'])
    for (const { token } of [eve, ann]) await world.npm(`GET /${name}/-/${name}-1.0.0.tgz`, { token })
  await world.ports.downloads.flush()
  assert.match((await get(world, '/account/downloads', own)).text, /right-pad@1\.0\.0/)
  const { text, headers } = await get(world, '/account/downloads.csv', own)
  assert.match(headers.get('content-disposition') ?? '', /downloads\.csv/)
  assert.deepEqual(
    text.split('\r\n').map(line => line.split(',').slice(0, 4).join()),
    [
      'package,version,account,login',
      ...['left', 'right'].map(each => `${each}-pad,1.0.0,${eve.id},eva`),
      '',
    ],
  )
  assert.equal((await get(world, '/account/downloads.json')).status, 303)
  assert.equal((await post(world, '/account/downloads', {}, own)).status, 303)
  const left = (await get(world, '/account/downloads.json', own)).text.trim().split('\n')
  assert.deepEqual(
    left.map(line => JSON.parse(line).package),
    ['left-pad'],
  )
  assert.match((await get(world, '/account/downloads.csv', await world.browse(ann))).text, /right-pad/)
})
