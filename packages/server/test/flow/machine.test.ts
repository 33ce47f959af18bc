// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { type PackageName, parseNamePattern } from '@holdfast/core'
import {
  addReader,
  addRobot,
  addRobotToken,
  createOrg,
  listRobots,
  readPackageAccess,
  removeMember,
  removeReader,
  removeRobot,
  setMember,
} from '../../src/flow/index.ts'
import { tellOfEndingTokens } from '../../src/flow/token-notice.ts'
import { operator, type Person, toPerson } from '../../src/identity/index.ts'
import { openCiIssuer } from '../ci-issuer.ts'
import { publishDocument } from '../live.ts'
import { dayMs, openWorld, type Reply, type Someone, whence } from '../world.ts'

const issuer = await openCiIssuer()
const world = await openWorld({
  ciIssuers: `github=${issuer.url} generic:sub+project=${issuer.url}/other`,
  allowPrivateHosts: '127.0.0.1',
})
after(async () => {
  await world.close()
  await issuer.close()
})
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

const { ports } = world
const ann = await world.someone('ann')
const bob = await world.someone('bob')
await createOrg(ports, await inBrowser(ann), 'acme')
await setMember(ports, await inBrowser(ann), 'acme', 'bob', 'developer')
for (const name of ['@acme/ui', '@other/ui'])
  await world.publish(ann, name, '1.0.0', { access: 'restricted' })
await world.publish(ann, 'open', '1.0.0')

async function inBrowser(who: Someone): Promise<Person> {
  const account = await ports.store.identity.findAccount(who.id)
  assert.ok(account !== undefined)
  return toPerson(account, { kind: 'session', id: 's_1', freshUntil: Number.MAX_SAFE_INTEGER }, whence)
}

const read = async (token: string, name: string) =>
  (await world.npm(`GET /${name.replace('/', '%2f')}`, { token })).status
const fetchTarball = async (token: string, name: string) =>
  (await world.npm(`GET /${name}/-/${name.split('/').at(-1)}-1.0.0.tgz`, { token })).status
const ciLogin = (jwt: string): Promise<Reply> => world.ask('POST /api/v1/ci/token', { token: jwt })
const robotToken = async (id: string, publishes: string[] = [], days = 365) =>
  (
    await addRobotToken(ports, await inBrowser(ann), 'acme', id, {
      lifeMs: days * dayMs,
      publishes: publishes.map(parseNamePattern),
    })
  ).secret

test('a job of a trusted owner reads its organisation for an hour, writes nothing, and downloads name the job', async () => {
  await addReader(ports, await inBrowser(ann), 'acme', { provider: 'github', ownerId: '77' })
  const jwt = await issuer.github(world)
  const { status, body } = await ciLogin(jwt)
  assert.equal(status, 201)
  assert.deepEqual(body.organisations, ['acme'])
  assert.deepEqual(
    await Promise.all(['@acme/ui', 'open', '@other/ui'].map(name => read(body.token, name))),
    [200, 200, 404],
  )
  const put = { token: body.token, body: publishDocument('@acme/ui', '1.1.0') }
  assert.ok([403, 404].includes((await world.npm('PUT /@acme%2fui', put)).status))
  assert.equal(await fetchTarball(body.token, '@acme/ui'), 200)
  await ports.downloads.flush()
  const { jobs } = await readPackageAccess(ports, await inBrowser(ann), '@acme/ui' as PackageName)
  assert.deepEqual(
    jobs.map(each => [each.version, each.facts.repository, each.facts.run, each.count]),
    [['1.0.0', 'acme/widget', '4711/1', 1]],
  )
  assert.equal((await ciLogin(jwt)).body.code, 'job-token-used')
  world.advance(3600_000)
  assert.equal(await read(body.token, '@acme/ui'), 401)
})

test('an owner learns of the jobs that their own organisation lets in, not of those of others', async () => {
  const jwt = await issuer.github(world)
  const { body } = await ciLogin(jwt)
  assert.equal(await fetchTarball(body.token, 'open'), 200)
  await ports.downloads.flush()
  const { jobs } = await readPackageAccess(ports, await inBrowser(ann), 'open' as PackageName)
  assert.deepEqual(jobs, [])
})

test('the same token of a job installs and then publishes, once each', async () => {
  const { addPublisher } = await import('../../src/flow/index.ts')
  await addPublisher(ports, await inBrowser(ann), '@acme/ui' as never, {
    provider: 'github',
    rule: { repository: 'acme/widget', workflow: 'publish.yml' },
    permissions: ['createPackage'],
  })
  const jwt = await issuer.github(world)
  assert.equal((await ciLogin(jwt)).status, 201)
  const path = 'POST /npm/-/npm/v1/oidc/token/exchange/package/@acme%2fui'
  assert.equal((await world.ask(path, { token: jwt })).status, 201)
  assert.equal((await world.ask(path, { token: jwt })).body.code, 'job-token-used')
})

test('an organisation has at most a hundred robots, and a robot at most fifty tokens that work', async () => {
  const owner = await inBrowser(ann)
  await createOrg(ports, owner, 'many')
  const robots = []
  for (let i = 0; i < 100; i++) robots.push(await addRobot(ports, owner, 'many', `robot-${i}`))
  await assert.rejects(addRobot(ports, owner, 'many', 'robot-100'), { code: 'too-many' })
  const [first] = robots
  assert.ok(first !== undefined)
  const request = { lifeMs: dayMs, publishes: [] }
  for (let i = 0; i < 50; i++) await addRobotToken(ports, owner, 'many', first.id, request)
  await assert.rejects(addRobotToken(ports, owner, 'many', first.id, request), { code: 'too-many' })
  await removeRobot(ports, owner, 'many', first.id)
  await assert.rejects(addRobotToken(ports, owner, 'many', first.id, request), { code: 'robot-not-found' })
  await addRobot(ports, owner, 'many', 'robot-100')
})

test('a job of another owner, of the same name, or of an issuer alone reads nothing', async () => {
  assert.equal(
    (await ciLogin(await issuer.github(world, { repository_owner_id: '78' }))).body.code,
    'reader-refused',
  )
  const owner = await inBrowser(ann)
  await assert.rejects(addReader(ports, owner, 'acme', { provider: 'github', ownerId: '' }), {
    code: 'publisher-invalid',
  })
  const partly = { provider: 'generic', ownerId: '', claims: { sub: 'a' } } as const
  await assert.rejects(addReader(ports, owner, 'acme', partly), { code: 'publisher-invalid' })
  await assert.rejects(addReader(ports, owner, 'acme', { provider: 'gitlab', ownerId: '1' }), {
    code: 'issuer-unknown',
  })
})

test('when the organisation no longer trusts an owner, the tokens of its jobs end', async () => {
  const reader = await addReader(ports, await inBrowser(ann), 'acme', {
    provider: 'github',
    ownerId: '99',
    repositoryId: '5',
  })
  const claims = { repository_owner_id: '99', repository_id: '5' }
  const { body } = await ciLogin(await issuer.github(world, claims))
  await ciLogin(await issuer.github(world, claims))
  assert.equal(await read(body.token, '@acme/ui'), 200)
  const position = await ports.store.events.head()
  await removeReader(ports, await inBrowser(ann), 'acme', reader.id)
  assert.equal(new Set(await world.endedSince(position)).size, 2)
  assert.equal(await read(body.token, '@acme/ui'), 401)
  assert.equal((await ciLogin(await issuer.github(world, claims))).body.code, 'reader-refused')
})

test('what a job reads of an organisation ends with that one, whoever else trusts it', async () => {
  await createOrg(ports, await inBrowser(bob), 'second')
  await world.publish(bob, '@second/ui', '1.0.0', { access: 'restricted' })
  const owner = { provider: 'github', ownerId: '111' } as const
  const first = await addReader(ports, await inBrowser(ann), 'acme', owner)
  world.advance(1)
  const second = await addReader(ports, await inBrowser(bob), 'second', owner)
  const { body } = await ciLogin(await issuer.github(world, { repository_owner_id: '111' }))
  assert.deepEqual(
    await Promise.all(['@acme/ui', '@second/ui'].map(name => read(body.token, name))),
    [200, 200],
  )
  await removeReader(ports, await inBrowser(bob), 'second', second.id)
  // Who came later must not end what others gave either.
  assert.deepEqual(
    await Promise.all(['@acme/ui', '@second/ui'].map(name => read(body.token, name))),
    [200, 404],
  )
  await removeReader(ports, await inBrowser(ann), 'acme', first.id)
  assert.equal(await read(body.token, '@acme/ui'), 401)
})

test('who left the organisation gets no package of it from a job that was let in before', async () => {
  const { addPublisher } = await import('../../src/flow/index.ts')
  await addPublisher(ports, await inBrowser(bob), '@acme/late' as never, {
    provider: 'github',
    rule: { repository: 'acme/late', workflow: 'publish.yml' },
    permissions: ['createPackage'],
  })
  const workflow_ref = 'acme/late/.github/workflows/publish.yml@refs/heads/main'
  const jwt = await issuer.github(world, { repository: 'acme/late', workflow_ref })
  const path = 'POST /npm/-/npm/v1/oidc/token/exchange/package/@acme%2flate'
  const { body } = await world.ask(path, { token: jwt })
  await removeMember(ports, await inBrowser(ann), 'acme', 'bob')
  const put = { token: body.token, body: publishDocument('@acme/late', '1.0.0') }
  const { status } = await world.npm('PUT /@acme%2flate', put)
  await setMember(ports, await inBrowser(ann), 'acme', 'bob', 'developer')
  assert.ok([401, 403].includes(status), String(status))
})

test('an organisation lets at most twenty owners of jobs read', async () => {
  await createOrg(ports, await inBrowser(ann), 'wide')
  const add = async (ownerId: number) =>
    addReader(ports, await inBrowser(ann), 'wide', { provider: 'github', ownerId: String(ownerId) })
  for (let id = 1000; id < 1020; id++) await add(id)
  await assert.rejects(add(1020), { code: 'publisher-limit' })
})

test('an organisation is not made around packages of others: its machines would read and publish them', async () => {
  const eve = await world.someone('eve')
  await assert.rejects(createOrg(ports, await inBrowser(eve), 'other'), { code: 'scope-in-use' })
  await createOrg(ports, await inBrowser(ann), 'other')
})

test('the token of a machine ends when it signs out', async () => {
  const robot = await addRobot(ports, await inBrowser(ann), 'acme', 'leaves')
  const token = await robotToken(robot.id)
  assert.equal(await read(token, '@acme/ui'), 200)
  assert.equal((await world.npm(`DELETE /-/user/token/${token}`, { token })).status, 200)
  assert.equal(await read(token, '@acme/ui'), 401)
})

test('the operator gives a robot the right to publish for a day at most, and not where that is switched off', async () => {
  const robot = await addRobot(ports, await inBrowser(ann), 'acme', 'handed')
  const publishes = ['@acme/ui'].map(parseNamePattern)
  await assert.rejects(addRobotToken(ports, operator, 'acme', robot.id, { publishes, lifeMs: dayMs + 1 }), {
    code: 'token-life-too-long',
  })
  await addRobotToken(ports, operator, 'acme', robot.id, { publishes, lifeMs: dayMs })
  const off = { ...ports, config: { ...ports.config, operatorTokens: 'off' as const } }
  await assert.rejects(addRobotToken(off, operator, 'acme', robot.id, { publishes, lifeMs: dayMs }), {
    code: 'operator-tokens-off',
  })
})

test('a robot reads its organisation, says its name, and does nothing else', async () => {
  const robot = await addRobot(ports, await inBrowser(ann), 'acme', 'build')
  const token = await robotToken(robot.id)
  assert.deepEqual(
    await Promise.all(['@acme/ui', 'open', '@other/ui'].map(name => read(token, name))),
    [200, 200, 404],
  )
  assert.equal((await world.npm('GET /-/whoami', { token })).body.username, 'acme/build')
  const refused = [
    ['PUT /@acme%2fui', publishDocument('@acme/ui', '2.0.0')],
    ['PUT /-/package/@acme%2fui/dist-tags/beta', '1.0.0'],
    ['PUT /-/org/acme/user', { user: 'bob', role: 'owner' }],
    ['POST /-/npm/v1/tokens', { name: 'x', password: 'y' }],
    ['POST /-/npm/v1/user', { fullname: 'x' }],
    ['GET /-/npm/v1/tokens'],
    ['GET /-/org/acme/user'],
  ] as const
  for (const [line, body] of refused) {
    const reply = await world.npm(line, body === undefined ? { token } : { token, body })
    assert.ok([400, 401, 403, 404].includes(reply.status), `${line} ${reply.status} ${reply.text}`)
  }
  assert.equal(
    (await world.npm('GET /-/v1/search?text=ui', { token })).body.total,
    0,
    'it finds nothing private',
  )
})

test('a robot publishes names of its organisation that its token says, for 90 days at most', async () => {
  const robot = await addRobot(ports, await inBrowser(ann), 'acme', 'publisher')
  const token = await robotToken(robot.id, ['@acme/ui-*'], 90)
  const put = async (name: string) =>
    (await world.npm(`PUT /${name.replace('/', '%2f')}`, { token, body: publishDocument(name, '1.0.0') }))
      .status
  assert.equal(await put('@acme/ui-kit'), 201)
  assert.ok([403, 404].includes(await put('@acme/other')))
  await assert.rejects(robotToken(robot.id, ['@acme/ui-*'], 91), { code: 'token-life-too-long' })
  await assert.rejects(robotToken(robot.id, [], 366), { code: 'token-life-too-long' })
  for (const beyond of ['@other/*', '*', 'open', '@acme*'])
    await assert.rejects(robotToken(robot.id, [beyond], 30), { code: 'invalid-pattern' }, beyond)
})

test('a robot ends with its tokens when an owner says so, and a name is one robot', async () => {
  const robot = await addRobot(ports, await inBrowser(ann), 'acme', 'stays')
  const token = await robotToken(robot.id)
  await assert.rejects(addRobot(ports, await inBrowser(ann), 'acme', 'stays'), { code: 'robot-exists' })
  await removeRobot(ports, await inBrowser(ann), 'acme', robot.id)
  assert.equal(await read(token, '@acme/ui'), 401)
  assert.ok(!(await listRobots(ports, await inBrowser(ann), 'acme')).some(each => each.name === 'stays'))
})

test('only owners change machines, members see them, strangers neither', async () => {
  const [developer, stranger] = [await inBrowser(bob), await inBrowser(await world.someone('mallory'))]
  assert.ok((await listRobots(ports, developer, 'acme')).length > 0)
  await assert.rejects(addRobot(ports, developer, 'acme', 'mine'), { code: 'forbidden' })
  await assert.rejects(addReader(ports, developer, 'acme', { provider: 'github', ownerId: '1' }), {
    code: 'forbidden',
  })
  await assert.rejects(listRobots(ports, stranger, 'acme'), { code: 'forbidden' })
  const robot = await addRobot(ports, await inBrowser(ann), 'acme', 'theirs')
  await createOrg(ports, await inBrowser(ann), 'beta')
  await assert.rejects(removeRobot(ports, await inBrowser(ann), 'beta', robot.id), {
    code: 'robot-not-found',
  })
})

test("owners of the organisation are told before a robot's token ends, 14, 3 and 1 days, each once", async () => {
  const robot = await addRobot(ports, await inBrowser(ann), 'acme', 'ending')
  await robotToken(robot.id, [], 30)
  const robotEnd = world.now() + 30 * dayMs
  const letters = async () =>
    (await ports.store.mail.listRecent(200)).filter(each =>
      each.subject.includes('robot ending of acme ends'),
    )
  for (const [days, count] of [
    [15, 0],
    [14, 1],
    [4, 1],
    [3, 2],
    [1, 3],
  ] as const) {
    world.advance(robotEnd - world.now() - days * dayMs)
    await tellOfEndingTokens(ports)
    await tellOfEndingTokens(ports)
    assert.equal((await letters()).length, count, `${days} days before`)
  }
  assert.equal((await letters())[0]?.to, ann.email)
})
