// SPDX-License-Identifier: Apache-2.0
/** The room of an incident: what two people do at once is both there, and the record tells all of it. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parsePackageName } from '@holdfast/core'
import { get, post, type Visit } from '../web/site.ts'
import { openWorld, type Someone, type World } from '../world.ts'

const launcher = fileURLToPath(new URL('../../../cli/bin/holdfast.js', import.meta.url))
let world: World
let rae: Someone
let visit: Visit
let other: Visit
let id = ''
let path = ''

before(async () => {
  world = await openWorld()
  const alice = await world.someone('alice')
  rae = await world.someone('rae', ['responder'])
  visit = await world.browse(rae)
  other = await world.browse(await world.someone('ron', ['responder']))
  await world.publish(alice, 'thief', '1.0.0')
  const body = { package: 'thief', version: '1.0.0', kind: 'malware', words: 'it steals' }
  await world.ask('POST /api/v1/reports', { token: alice.token, body })
  const [found] = await world.ports.store.incident.listCases(Number.MAX_SAFE_INTEGER, 1)
  id = found?.id ?? ''
  path = `/operate/cases/${id}`
})
after(async () => {
  assert.deepEqual(world.errors, [])
  await world.check()
  await world.close()
})

const act = async (fields: Readonly<Record<string, string>>, who = visit) =>
  (await post(world, path, fields, who)).status

const record = async () => (await world.ask(`GET /api/v1/incidents/${id}`, { token: rae.token })).body

/** Runs the command line as a responder does. */
function holdfast(...args: string[]): Promise<{ code: number; out: string }> {
  const env = { ...process.env, HOLDFAST_TOKEN: rae.token }
  return new Promise(resolve => {
    execFile(process.execPath, [launcher, ...args, '--registry', world.url], { env }, (error, out, problem) =>
      resolve({ code: Number(error?.code ?? 0), out: out + problem }),
    )
  })
}

test('what people do at once is all there, and each task is done once', async () => {
  assert.equal(await act({ act: 'take' }), 303)
  assert.equal(await act({ act: 'playbook', playbook: 'malicious-version' }), 303)
  const notes = Array.from({ length: 8 }, (_, i) =>
    act({ act: 'note', note: `note ${i}` }, i % 2 === 0 ? visit : other),
  )
  const tasks = [visit, other].map(who => act({ act: 'done', task: '1' }, who))
  const indicator = act({ act: 'indicator', of: 'domain', value: 'collector.example' }, other)
  assert.deepEqual(new Set(await Promise.all([...notes, ...tasks, indicator])), new Set([303]))
  const told = await record()
  assert.equal(told.lead, 'rae')
  const words: string[] = told.timeline.map((each: { words: string }) => each.words)
  for (let i = 0; i < 8; i++) assert.ok(words.includes(`note ${i}`))
  assert.equal(words.filter(each => each.startsWith('done: Quarantine the version')).length, 1)
  assert.ok(words.includes('publish thief@1.0.0'), 'events tell themselves')
  assert.deepEqual(told.indicators[0].value, 'collector.example')
})

test('who changes what somebody else changed meanwhile is told, and overwrites nothing', async () => {
  const { revision } = await record()
  const change = { act: 'change', revision: String(revision), severity: 'critical', lead: 'rae' }
  assert.equal(await act(change), 303)
  assert.equal(await act({ ...change, severity: 'low', lead: 'ron' }, other), 409)
  const told = await record()
  assert.deepEqual([told.severity, told.lead], ['critical', 'rae'])
})

test('a version is quarantined and opened again by a click each, in the case', async () => {
  const file = '/thief/-/thief-1.0.0.tgz'
  assert.equal(await act({ act: 'quarantine', package: 'thief', version: '1.0.0' }), 303)
  assert.equal((await world.npm(`GET ${file}`)).status, 403)
  const { text } = await get(world, path, visit)
  const [, measure = ''] = /name="measure" value="(measure-\w+)"/.exec(text) ?? []
  assert.match(text, /one person[\s\S]*Confirm/)
  assert.equal(await act({ act: 'undo-measure', measure }), 303)
  assert.equal((await world.npm(`GET ${file}`)).status, 200)
  assert.equal(await act({ act: 'freeze', package: 'thief' }), 303)
  const frozen = /name="measure" value="(measure-\w+)"/.exec((await get(world, path, visit)).text)
  assert.equal(await act({ act: 'confirm-measure', measure: frozen?.[1] ?? '' }), 403)
  assert.equal(await act({ act: 'confirm-measure', measure: frozen?.[1] ?? '' }, other), 303)
})

test('the page shows clock, picture and table; strangers’ words stay words', async () => {
  await act({ act: 'task', 'new-task': '<img src=x onerror=alert(1)>' })
  const { text } = await get(world, path, visit)
  assert.match(text, /<svg class="timeline"[\s\S]*<circle class="report"/)
  assert.match(text, /close in 1 day/)
  assert.doesNotMatch(text, /<img/)
  world.advance(26 * 3600_000)
  visit = await world.browse(rae)
  assert.match((await get(world, '/operate/cases', visit)).text, /1 case is late/)
})

test('the command line lists, notes, exports and closes; who has no role sees nothing', async () => {
  const listed = await holdfast('incident', 'list')
  assert.deepEqual([listed.code, /close by .* \(late\)/.test(listed.out)], [1, true], listed.out)
  assert.equal((await holdfast('incident', 'note', id, 'from', 'the', 'terminal')).code, 0)
  const exported = await holdfast('incident', 'export', id, '--markdown')
  assert.match(exported.out, /# thief is reported[\s\S]*rae: from the terminal/)
  assert.match(exported.out, /\\<img src=x/)
  assert.match((await holdfast('incident', 'close', id, 'it was', '--outcome', 'confirmed')).out, /Closed/)
  assert.equal((await record()).state, 'closed')
  assert.equal(await act({ act: 'note', note: 'too late' }), 409)
  const stranger = await world.someone('sam')
  assert.equal((await world.ask('GET /api/v1/incidents', { token: stranger.token })).status, 403)
  assert.equal((await world.ask('GET /api/v1/incidents')).status, 401)
})

test('a responder opens a case by hand, it grows by what is added and by what is closed for it, and one package has one', async () => {
  const alice = await world.someone('amy')
  for (const name of ['worm-a', 'worm-b', 'worm-c']) await world.publish(alice, name, '1.0.0')
  const opened = await holdfast(
    'incident',
    'open',
    'a',
    'worm',
    '--severity',
    'critical',
    '--about',
    'worm-a',
  )
  const made = opened.out.trim()
  assert.match(made, /^case-[0-9a-f]{16}$/, opened.out)
  const again = await holdfast('incident', 'open', 'heard', 'again', '--about', 'worm-a@1.0.0')
  assert.equal(again.out.trim(), made)
  assert.equal((await holdfast('incident', 'about', made, 'worm-b@1.0.0')).code, 0)
  assert.equal((await holdfast('incident', 'about', made, '../etc')).code, 2)
  const body = { kind: 'quarantine', package: 'worm-c', reason: 'malware', incident: made }
  assert.equal((await world.ask('POST /api/v1/measures', { token: rae.token, body })).status, 201)
  const told = (await world.ask(`GET /api/v1/incidents/${made}`, { token: rae.token })).body
  assert.deepEqual(
    told.subjects.map((each: { package: string; version: string }) => `${each.package}@${each.version}`),
    ['worm-a@', 'worm-a@1.0.0', 'worm-b@1.0.0', 'worm-c@1.0.0'],
  )
  assert.deepEqual([told.lead, told.state, told.severity], ['rae', 'open', 'critical'])
  visit = await world.browse(rae)
  const wish = { title: '<i>phoned in</i>', severity: 'low', subject: 'thief' }
  const answer = await post(world, '/operate/cases', wish, visit)
  assert.equal(answer.status, 303)
  assert.equal((await post(world, '/operate/cases', { ...wish, title: ' ' }, visit)).status, 400)
  assert.equal((await post(world, '/operate/cases', wish, await world.browse(alice))).status, 404)
})

test('two people let go what reports closed, and one of them twice does not', async () => {
  const alice = await world.someone('abe')
  const tom = await world.someone('tom')
  await world.publish(alice, 'lent', '1.0.0')
  visit = await world.browse(rae)
  other = await world.browse(await world.someone('roy', ['responder']))
  await post(world, '/operate/reporters', { who: 'tom', act: 'trust' }, visit)
  const body = { package: 'lent', version: '1.0.0', kind: 'malware', words: 'it steals' }
  await world.ask('POST /api/v1/reports', { token: tom.token, body })
  const file = 'GET /lent/-/lent-1.0.0.tgz'
  assert.equal((await world.npm(file)).status, 403)
  path = `/operate/cases/${await world.ports.store.incident.findOpenCaseAbout(parsePackageName('lent'))}`
  const release = { act: 'release', package: 'lent', version: '1.0.0' }
  assert.equal(await act(release), 303)
  assert.equal(await act(release), 403)
  assert.equal((await world.npm(file)).status, 403)
  assert.equal(await act({ ...release, package: 'thief' }, other), 404)
  assert.match((await get(world, path, other)).text, /Agree with rae to let lent@1\.0\.0 go/)
  assert.equal(await act(release, other), 303)
  assert.equal((await world.npm(file)).status, 200)
})

test('the command line lets go as the page does, and no one person by both', async () => {
  await world.publish(await world.someone('ada'), 'loan', '1.0.0')
  const tim = await world.someone('tim')
  await post(world, '/operate/reporters', { who: 'tim', act: 'trust' }, visit)
  const body = { package: 'loan', version: '1.0.0', kind: 'malware', words: 'it steals' }
  await world.ask('POST /api/v1/reports', { token: tim.token, body })
  const file = 'GET /loan/-/loan-1.0.0.tgz'
  assert.equal((await world.npm(file)).status, 403)
  const made = (await world.ports.store.incident.findOpenCaseAbout(parsePackageName('loan'))) ?? ''
  path = `/operate/cases/${made}`
  assert.equal((await holdfast('incident', 'release', made, 'loan')).code, 2, 'a package is no version')
  assert.match((await holdfast('incident', 'release', made, 'loan@1.0.0')).out, /^Asked/)
  assert.equal(await act({ act: 'release', package: 'loan', version: '1.0.0' }), 403)
  assert.match((await holdfast('incident', 'release', made, 'loan@1.0.0')).out, /second person/)
  assert.match(
    (await holdfast('incident', 'close', made, 'fine', '--outcome', 'dismissed')).out,
    /second person/,
  )
  assert.equal((await world.npm(file)).status, 403)
  assert.equal(await act({ words: 'fine', outcome: 'dismissed' }, other), 303)
  assert.equal((await world.npm(file)).status, 200)
  assert.equal((await world.ports.store.incident.findCase(made))?.state, 'closed')
})
