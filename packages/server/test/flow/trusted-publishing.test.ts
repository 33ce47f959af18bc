// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { parsePackageName } from '@holdfast/core'
import { exportJWK, generateKeyPair, UnsecuredJWT } from 'jose'
import {
  addPublisher,
  approveStaged,
  contain,
  listPublishers,
  parseDraft,
  removePublisher,
  setPackageRole,
  undoMeasure,
} from '../../src/flow/index.ts'
import {
  operator,
  type Person,
  type PublisherRule,
  type TrustedPublisher,
  toPerson,
} from '../../src/identity/index.ts'
import { type CiIssuer, type Claims, githubClaims, openCiIssuer } from '../ci-issuer.ts'
import { publishDocument } from '../live.ts'
import { somebodyTouching } from '../passkey-person.ts'
import { dayMs, openWorld, type Reply, type Someone, type World, whence } from '../world.ts'

let world: World
let issuer: CiIssuer
let ada: Someone
let serial = 0
let name = ''

before(async () => {
  issuer = await openCiIssuer()
  const ciIssuers = `github=${issuer.url} generic:sub+project=${issuer.url}/other circleci=${issuer.url}/circle`
  world = await openWorld({ ciIssuers, allowPrivateHosts: '127.0.0.1', mfa: 'optional' })
  ada = await world.someone('ada')
})
after(async () => {
  await world.check()
  await world.close()
  await issuer.close()
})
beforeEach(async () => {
  serial += 1
  name = `widget-${serial}`
  // Longer than refusals count.
  world.advance(16 * 60_000)
})

const widget = { repository: 'acme/widget', workflow: 'publish.yml' }

/** Somebody in a browser with a fresh session. */
async function inBrowser(who: Someone): Promise<Person> {
  const account = await world.ports.store.identity.findAccount(who.id)
  assert.ok(account !== undefined)
  return toPerson(account, { kind: 'session', id: 's_1', freshUntil: Number.MAX_SAFE_INTEGER }, whence)
}

/** Trusts `publish.yml` of `acme/widget`, as its owner does in a browser. */
async function trust(rule: Partial<PublisherRule> = {}, to = name, who = ada): Promise<TrustedPublisher> {
  return addPublisher(world.ports, await inBrowser(who), parsePackageName(to), {
    provider: 'github',
    rule: { ...widget, ...rule },
    permissions: ['createPackage'],
  })
}

async function exchange(jwt: string, to = name): Promise<Reply> {
  return world.ask(`POST /-/npm/v1/oidc/token/exchange/package/${to.replace('/', '%2f')}`, { token: jwt })
}

const put = (token: string, version: string, to = name) =>
  world.npm(`PUT /${to}`, { token, body: publishDocument(to, version) })

async function tokenFor(claims: Claims = {}, to = name): Promise<string> {
  const reply = await exchange(await issuer.github(world, claims), to)
  assert.equal(reply.status, 201, reply.text)
  return reply.body.token
}

async function isRefused(jwt: string, code: string, why?: RegExp): Promise<void> {
  const reply = await exchange(jwt)
  assert.equal(reply.body.code, code, reply.text)
  if (why !== undefined) assert.match(reply.body.message, why)
  assert.equal(reply.body.token, undefined)
}

test('a job of the trusted workflow publishes its package without a stored secret', async () => {
  await world.publish(ada, name, '1.0.0')
  const publisher = await trust()
  assert.equal((await put(await tokenFor(), '1.1.0')).status, 201)
  const document = await world.document(name)
  assert.equal(document['dist-tags'].latest, '1.1.0')
  const event = (await world.ports.store.events.ofPackage(parsePackageName(name))).findLast(
    each => each.type === 'publish',
  )
  assert.deepEqual([event?.actorKind, event?.actorId], ['job', publisher.id])
  const job = event?.detail['job'] as Record<string, unknown>
  assert.deepEqual(
    [job['repository'], job['workflow'], job['run'], job['ref']],
    ['acme/widget', 'publish.yml', '4711/1', 'refs/heads/main'],
  )
  // What is private stays out of the log.
  assert.doesNotMatch(event?.leaf ?? '', /acme|publish\.yml|4711/)
})

test('the first publish of a pending publisher makes the package for whoever waited, and the next goes on', async () => {
  const publisher = await trust()
  assert.ok(publisher.pendingUntil !== null)
  assert.equal((await put(await tokenFor(), '1.0.0')).status, 201)
  const people = await world.ports.store.catalog.listPeople(parsePackageName(name))
  assert.deepEqual(
    people.map(({ login, role }) => [login, role]),
    [['ada', 'owner']],
  )
  assert.equal((await put(await tokenFor(), '1.0.1')).status, 201)
  const events = await world.ports.store.events.ofPackage(parsePackageName(name))
  assert.deepEqual(
    events.map(event => event.type),
    ['publish', 'owner', 'trusted-publisher', 'policy', 'dist-tag', 'publish', 'dist-tag'],
  )
})

test('a pending publisher gives nothing once it is over, or somebody else made the name, or its owner may not', async () => {
  const bob = await world.someone('bob')
  await trust()
  world.advance(31 * dayMs)
  await isRefused(await issuer.github(world), 'trust-refused')
  await trust()
  await world.publish(bob, name, '1.0.0')
  await isRefused(await issuer.github(world), 'trust-refused')
})

test('of a name that both wait for, the package goes to whose job published it first', async () => {
  const eve = await world.someone('eve')
  await trust({ environment: 'test' }, name, eve)
  await trust({ environment: 'prod' })
  const [first, second] = [await tokenFor({ environment: 'prod' }), await tokenFor({ environment: 'test' })]
  assert.equal((await put(first, '1.0.0')).status, 201)
  assert.equal((await put(second, '1.0.1')).body.code, 'trust-refused')
  const seen = await listPublishers(world.ports, await inBrowser(ada), parsePackageName(name))
  assert.deepEqual(
    seen.map(each => each.createdBy),
    [ada.id],
  )
})

test("who waits for a name with somebody else's repository does not get what that repository publishes", async () => {
  await trust({}, name, await world.someone('rival'))
  await trust()
  await isRefused(await issuer.github(world), 'trust-refused', /several accounts/)
})

test('the token of an exchange publishes one package for fifteen minutes, and does nothing else', async () => {
  const other = `${name}-other`
  await world.publish(ada, name, '1.0.0')
  await world.publish(ada, other, '1.0.0')
  await trust()
  const token = await tokenFor()
  assert.equal((await put(token, '1.1.0', other)).status, 403)
  assert.equal((await put(token, '1.0.0', `${name}-new`)).status, 403)
  const refused = [
    [`PUT /-/package/${name}/dist-tags/beta`, '1.0.0'],
    [`PUT /-/package/${name}/owners`, { user: 'bob' }],
    [`POST /-/package/${name}/access`, { access: 'restricted' }],
    [`GET /-/package/${name}/trust`],
    [`DELETE /${name}/-rev/1-holdfast`],
    ['GET /-/npm/v1/tokens'],
    ['GET /-/npm/v1/user'],
    ['GET /-/whoami'],
  ] as const
  for (const [line, body] of refused) {
    const reply = await world.npm(line, body === undefined ? { token } : { token, body })
    assert.ok([401, 403, 404, 409].includes(reply.status), `${line} ${reply.status} ${reply.text}`)
  }
  assert.equal((await put(token, '1.0.1')).status, 201)
  assert.equal((await put(token, '1.0.1')).status, 201, 'npm repeats what got lost')
  world.advance(15 * 60_000 + 1)
  assert.equal((await put(token, '1.0.2')).status, 401)
})

test('when a publisher is removed the tokens of its jobs end at once, and it lets nobody in', async () => {
  await world.publish(ada, name, '1.0.0')
  const { id } = await trust()
  await tokenFor()
  world.advance(15 * 60_000)
  const token = await tokenFor()
  assert.equal((await world.npm(`GET /${name}`, { token })).status, 200)
  const position = await world.ports.store.events.head()
  await removePublisher(world.ports, await inBrowser(ada), parsePackageName(name), id)
  // Of the one that was over by itself nothing is said.
  assert.equal((await world.endedSince(position)).length, 1)
  assert.equal((await world.npm(`GET /${name}`, { token })).status, 401)
  assert.equal((await put(token, '1.1.0')).status, 401)
  await isRefused(await issuer.github(world), 'trust-refused')
})

test('an identity token is good for one exchange, also when two race, and until it could no longer be taken', async () => {
  await world.publish(ada, name, '1.0.0')
  await trust()
  const jwt = await issuer.github(world)
  const replies = await Promise.all([exchange(jwt), exchange(jwt), exchange(jwt)])
  assert.deepEqual(replies.map(reply => reply.status).sort(), [201, 403, 403])
  await isRefused(jwt, 'job-token-used')
  // Expired, but within the tolerance of clocks.
  world.advance(300_000 + 20_000)
  await isRefused(jwt, 'job-token-used')
  const also = `${name}-also`
  await trust({}, also)
  assert.equal((await exchange(jwt, also)).body.code, 'job-token-used')
})

test('tokens that only look signed are refused', async () => {
  await world.publish(ada, name, '1.0.0')
  await trust()
  const claims = githubClaims(issuer.url, world)
  const [key] = issuer.keys
  const none = new UnsecuredJWT(claims).encode()
  await isRefused(none, 'job-token-invalid')
  await isRefused(none.replace(/^[^.]+/, encode({ alg: 'none', kid: 'key-1' })), 'job-token-invalid')
  // The public key as the secret of HS256.
  const secret = Buffer.from(key?.n ?? '', 'base64url')
  await isRefused(await issuer.sign(claims, { alg: 'HS256' }, secret), 'job-token-invalid', /RS256/)
  const { privateKey } = await generateKeyPair('RS256')
  await isRefused(await issuer.sign(claims, {}, privateKey), 'job-token-invalid', /signature/)
  const changed = (await issuer.sign(claims)).split('.')
  changed[1] = encode({ ...claims, repository: 'acme/other' })
  await isRefused(changed.join('.'), 'job-token-invalid', /signature/)
  for (const header of [
    { jwk: key },
    { jku: issuer.url },
    { x5u: issuer.url },
    { kid: undefined },
    { typ: 'logout+jwt' },
  ])
    await isRefused(await issuer.sign(claims, header), 'job-token-invalid')
  for (const junk of ['x', 'a.b.c', `${'a'.repeat(13_000)}.b.c`, '...', 'e30.e30.e30'])
    await isRefused(junk, 'job-token-invalid')
})

test('tokens for others, of other times or of other issuers are refused', async () => {
  await world.publish(ada, name, '1.0.0')
  await trust()
  const now = Math.floor(world.now() / 1000)
  const wrong: readonly Claims[] = [
    { aud: 'npm:registry.example' },
    { aud: ['npm:127.0.0.1', 'npm:registry.example'] },
    { aud: undefined },
    { exp: now - 31 },
    { exp: undefined },
    { iat: now + 31, exp: now + 300 },
    { iat: now - 631 },
    { iat: undefined },
    { nbf: now + 31 },
    { sub: undefined },
    { jti: undefined },
    { iss: undefined },
  ]
  for (const claims of wrong) await isRefused(await issuer.github(world, claims), 'job-token-invalid')
  await isRefused(await issuer.github(world, { iss: 'https://evil.example' }), 'trust-refused')
  const port = { aud: `npm:${new URL(world.url).host}` }
  assert.equal((await exchange(await issuer.github(world, port))).status, 201, 'yarn says the port')
  assert.equal((await exchange(await issuer.github(world, { aud: ['npm:127.0.0.1'] }))).status, 201)
})

const mismatches: readonly [string, Partial<PublisherRule>, Claims][] = [
  [
    'another repository',
    {},
    {
      repository: 'acme/widget-evil',
      workflow_ref: 'acme/widget-evil/.github/workflows/publish.yml@refs/heads/main',
    },
  ],
  ['the same name of another owner', { ownerId: '77' }, { repository_owner_id: '78' }],
  ['the same name registered anew', { repositoryId: '1001' }, { repository_id: '1002' }],
  ['another workflow', {}, { workflow_ref: 'acme/widget/.github/workflows/test.yml@refs/heads/main' }],
  [
    'the workflow of another repository',
    {},
    { workflow_ref: 'evil/widget/.github/workflows/publish.yml@refs/heads/main' },
  ],
  [
    'a workflow file with an @',
    {},
    { workflow_ref: 'acme/widget/.github/workflows/publish.yml@evil.yml@refs/heads/main' },
  ],
  [
    'a workflow file in a folder',
    {},
    { workflow_ref: 'acme/widget/.github/workflows/evil/../publish.yml@refs/heads/main' },
  ],
  [
    'another case of the workflow',
    {},
    { workflow_ref: 'acme/widget/.github/workflows/Publish.yml@refs/heads/main' },
  ],
  ['no environment', { environment: 'prod' }, {}],
  ['another environment', { environment: 'prod' }, { environment: 'prod2' }],
  ['another ref', { ref: 'refs/tags/v*' }, {}],
  ['a longer ref', { ref: 'refs/heads/mai' }, {}],
  ['a ref that is not protected', { protectedRef: true }, { ref_protected: 'false' }],
  ['a runner of its own', {}, { runner_environment: 'self-hosted' }],
  ['a pull request of strangers', {}, { event_name: 'pull_request_target' }],
  ['a workflow that another one set off', {}, { event_name: 'workflow_run' }],
  ['a comment', {}, { event_name: 'issue_comment' }],
]
for (const [what, rule, claims] of mismatches) {
  test(`a job is refused for ${what}`, async () => {
    await world.publish(ada, name, '1.0.0')
    await trust(rule)
    const reply = await exchange(await issuer.github(world, claims))
    assert.ok(['trust-refused', 'job-token-invalid'].includes(reply.body.code), reply.text)
  })
}

test('every claim that decides must be there, be no list, and not be empty', async () => {
  await world.publish(ada, name, '1.0.0')
  await trust()
  const deciding = [
    'repository',
    'repository_id',
    'repository_owner_id',
    'workflow_ref',
    'ref',
    'event_name',
    'runner_environment',
    'run_id',
  ]
  for (const claim of deciding)
    for (const value of [undefined, '', null, ['acme/widget'], { a: 1 }])
      await isRefused(await issuer.github(world, { [claim]: value }), 'job-token-invalid', new RegExp(claim))
})

test('names of repositories are compared without case, and refs by a pattern that ends in a star', async () => {
  await world.publish(ada, name, '1.0.0')
  await trust({ repository: 'Acme/Widget', ref: 'refs/heads/*', ownRunners: true })
  assert.equal(
    (await exchange(await issuer.github(world, { runner_environment: 'self-hosted' }))).status,
    201,
  )
})

test('the first job fixes the ids of a publisher that was typed by name, and owners are told', async () => {
  await world.publish(ada, name, '1.0.0')
  await trust()
  await tokenFor()
  const [pinned] = await listPublishers(world.ports, await inBrowser(ada), parsePackageName(name))
  assert.deepEqual([pinned?.rule.repositoryId, pinned?.rule.ownerId], ['1001', '77'])
  await isRefused(await issuer.github(world, { repository_id: '1002' }), 'trust-refused')
  const letters = await world.ports.store.mail.listRecent(10)
  assert.ok(letters.some(letter => letter.to === ada.email && letter.subject.includes('1001')))
})

test('where others own the package a publisher works after a day, and they are told until when they can say no', async () => {
  await world.publish(ada, name, '1.0.0')
  const eve = await world.someone(`eve-${serial}`)
  await world.npm(`PUT /-/package/${name}/owners`, { token: ada.token, body: { user: eve.login } })
  await trust()
  await isRefused(await issuer.github(world), 'trust-refused', /works from 20\d\d-/)
  const letters = (await world.ports.store.mail.listRecent(10)).filter(({ to }) => to === eve.email)
  assert.ok(letters.some(({ text }) => /was added to .* which works from 20\d\d-/.test(text)))
  world.advance(dayMs)
  await tokenFor()
})

test('a publisher without ids that nobody used for a month binds itself to no job any more; one with ids waits', async () => {
  await world.publish(ada, name, '1.0.0')
  await trust()
  world.advance(30 * dayMs + 1)
  await isRefused(await issuer.github(world), 'trust-refused', /no ids: let an owner add it again/)
  const { repository_id: repositoryId, repository_owner_id: ownerId } = githubClaims(issuer.url, world)
  await trust({ repositoryId: String(repositoryId), ownerId: String(ownerId) })
  world.advance(31 * dayMs)
  await tokenFor()
})

test('owners are told of publishers that come and go', async () => {
  await world.publish(ada, name, '1.0.0')
  const { id } = await trust()
  await removePublisher(world.ports, await inBrowser(ada), parsePackageName(name), id)
  const subjects = (await world.ports.store.mail.listRecent(10)).map(letter => letter.subject)
  for (const word of ['added to', 'removed from'])
    assert.ok(
      subjects.some(subject => subject.includes(`${word} ${name}`)),
      word,
    )
})

test('who does not own the package neither sees nor changes whom it trusts, and a session must be fresh', async () => {
  const mallory = await world.someone(`mallory-${serial}`)
  await world.publish(ada, name, '1.0.0')
  const { id } = await trust()
  const there = parsePackageName(name)
  await assert.rejects(listPublishers(world.ports, await inBrowser(mallory), there), { code: 'forbidden' })
  await assert.rejects(removePublisher(world.ports, await inBrowser(mallory), there, id), {
    code: 'forbidden',
  })
  await assert.rejects(trust({}, name, mallory), { code: 'forbidden' })
  const stale = {
    ...(await inBrowser(ada)),
    credential: { kind: 'session', id: 's_1', freshUntil: 0 },
  } as const
  await assert.rejects(removePublisher(world.ports, stale, there, id), { code: 'presence-required' })
  const reply = await world.npm(`DELETE /-/package/${name}/trust/${id}`, { token: ada.token })
  assert.equal(reply.body.code, 'tfa-required', 'a stolen token alone changes nothing')
})

test('a package has at most twenty publishers, none of them twice, and an account waits for at most twenty names', async () => {
  await world.publish(ada, name, '1.0.0')
  for (let i = 0; i < 20; i++) await trust({ workflow: `publish-${i}.yml` })
  await assert.rejects(trust({ workflow: 'publish-3.yml' }), { code: 'publisher-exists' })
  await assert.rejects(trust(), { code: 'publisher-limit' })
  const zoe = await world.someone('zoe')
  for (let i = 0; i < 20; i++) await trust({}, `${name}-wait-${i}`, zoe)
  await assert.rejects(trust({}, `${name}-wait-20`, zoe), { code: 'publisher-limit' })
})

test('a publisher that may only stage gives jobs a token that stages and does nothing else', async () => {
  await world.publish(ada, name, '1.0.0')
  const onlyStage = { provider: 'github', rule: widget, permissions: ['createStagedPackage'] } as const
  const publisher = await addPublisher(world.ports, await inBrowser(ada), parsePackageName(name), onlyStage)
  const token = await tokenFor()
  assert.equal((await put(token, '1.1.0')).status, 403)
  const body = publishDocument(name, '1.1.0')
  const staged = await world.npm(`POST /-/stage/package/${name.replace('/', '%2f')}`, { token, body })
  assert.equal(staged.status, 201, staged.text)
  for (const line of [`GET /-/stage/${staged.body.stageId}`, `GET /-/stage/${staged.body.stageId}/tarball`])
    assert.equal((await world.npm(line, { token })).status, 404)
  assert.notEqual((await world.npm(`POST /-/stage/${staged.body.stageId}/approve`, { token })).status, 200)
  const bea = await somebodyTouching(world, 'bea')
  await setPackageRole(world.ports, await inBrowser(ada), parsePackageName(name), 'bea', 'maintainer')
  const decide = async () =>
    approveStaged(world.ports, bea.actor, staged.body.stageId, await bea.touch(staged.body.stageId))
  await decide()
  const { _npmUser } = (await world.document(name)).versions['1.1.0']
  assert.deepEqual(
    [_npmUser.trustedPublisher, _npmUser.approver],
    [{ id: 'github' }, { name: 'bea', email: '' }],
  )
  const later = publishDocument(name, '1.2.0')
  const again = await world.npm(`POST /-/stage/package/${name.replace('/', '%2f')}`, { token, body: later })
  await removePublisher(world.ports, await inBrowser(ada), parsePackageName(name), publisher.id)
  const refused = approveStaged(
    world.ports,
    bea.actor,
    again.body.stageId,
    await bea.touch(again.body.stageId),
  )
  await assert.rejects(refused, { code: 'stage-refused' }, 'what a publisher staged goes with it')
})

test('what cannot match anything, or too much, is not a publisher', async () => {
  const onlyStage = { provider: 'github', rule: widget, permissions: ['createStagedPackage'] } as const
  const adding = addPublisher(world.ports, await inBrowser(ada), parsePackageName(name), onlyStage)
  await assert.rejects(adding, { code: 'publisher-invalid' }, 'a first version cannot be staged')
  await world.publish(ada, name, '1.0.0')
  const bad: readonly Partial<PublisherRule>[] = [
    { repository: 'widget' },
    { repository: '*/*' },
    { repository: 'acme/widget/more' },
    { workflow: '../publish.yml' },
    { workflow: 'publish.sh' },
    { workflow: '' },
    { ref: '*' },
    { ref: 'refs/*/v1' },
    { repositoryId: 'a b' },
  ]
  for (const rule of bad)
    await assert.rejects(trust(rule), { code: 'publisher-invalid' }, JSON.stringify(rule))
})

test('made-up key ids and issuers do not become requests', async () => {
  await world.publish(ada, name, '1.0.0')
  await trust()
  await exchange(await issuer.github(world))
  const before = issuer.asked.length
  for (let i = 0; i < 20; i++)
    await isRefused(await issuer.github(world, {}, { kid: `made-up-${i}` }), 'job-token-invalid', /no key/)
  await Promise.all(
    Array.from({ length: 20 }, async (_, i) =>
      exchange(await issuer.github(world, {}, { kid: `more-${i}` })),
    ),
  )
  const org = '7f0dba1f-86b9-44c4-a3a5-ea21c1e0e4b0'
  await isRefused(await issuer.github(world, { iss: `${issuer.url}/circle/org/${org}` }), 'trust-refused')
  assert.ok(issuer.asked.length - before <= 2, 'one look at discovery and keys, at most')
})

test('jobs that come at once wait for the keys together, also the first ones', async () => {
  await world.publish(ada, name, '1.0.0')
  await trust()
  // Nothing is known after a day.
  issuer.keys = issuer.keys.map(key => ({ ...key, kid: 'key-at-once' }))
  world.advance(2 * dayMs)
  const before = issuer.asked.length
  const tokens = await Promise.all(
    Array.from({ length: 5 }, () => issuer.github(world, {}, { kid: 'key-at-once' })),
  )
  const replies = await Promise.all(tokens.map(each => exchange(each)))
  issuer.keys = issuer.keys.map(key => ({ ...key, kid: 'key-1' }))
  assert.deepEqual(
    replies.map(({ status }) => status),
    [201, 201, 201, 201, 201],
  )
  assert.equal(issuer.asked.length - before, 2)
})

test('a new key is found within a minute, a withdrawn one ends within a day, and an issuer that is down does no harm', async () => {
  await world.publish(ada, name, '1.0.0')
  await trust()
  assert.equal((await exchange(await issuer.github(world))).status, 201)
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const old = issuer.keys
  issuer.keys = [{ ...(await exportJWK(publicKey)), kid: 'key-2' }]
  world.advance(60_000)
  const fresh = () => issuer.sign(githubClaims(issuer.url, world), { alg: 'ES256', kid: 'key-2' }, privateKey)
  assert.equal((await exchange(await fresh())).status, 201)
  issuer.answers.set('/jwks', { status: 500, body: '' })
  world.advance(2 * dayMs)
  assert.equal((await exchange(await fresh())).status, 201, 'known keys go on')
  await isRefused(await issuer.github(world), 'job-token-invalid')
  issuer.answers.clear()
  issuer.keys = old
  world.advance(60_000)
  assert.equal((await exchange(await issuer.github(world))).status, 201)
})

const lies: readonly [string, string, { status: number; body: string; headers?: Record<string, string> }][] =
  [
    [
      'calls itself another',
      '/.well-known/openid-configuration',
      { status: 200, body: '{"issuer":"https://evil.example","jwks_uri":"https://evil.example/jwks"}' },
    ],
    [
      'redirects',
      '/.well-known/openid-configuration',
      { status: 302, body: '', headers: { location: '/elsewhere' } },
    ],
    ['answers a page', '/jwks', { status: 200, body: '<html>' }],
    ['answers no keys', '/jwks', { status: 200, body: '{"keys":[]}' }],
    ['answers ten megabytes', '/jwks', { status: 200, body: 'x'.repeat(10_000_000) }],
  ]
for (const [what, path, answer] of lies) {
  test(`keys that are known go on when the issuer ${what}`, async () => {
    await world.publish(ada, name, '1.0.0')
    await trust()
    assert.equal((await exchange(await issuer.github(world))).status, 201)
    issuer.answers.set(path, answer)
    world.advance(2 * dayMs)
    assert.equal((await exchange(await issuer.github(world))).status, 201)
    issuer.answers.clear()
    world.advance(60_000)
    assert.equal((await exchange(await issuer.github(world))).status, 201)
  })
}

test('jobs of the very repository are told what does not fit, others are not', async () => {
  await world.publish(ada, name, '1.0.0')
  await trust({ environment: 'prod' })
  await isRefused(
    await issuer.github(world),
    'trust-refused',
    /refs\/heads\/main; its environment does not fit/,
  )
  const evil = 'acme/widget-evil/.github/workflows/publish.yml@refs/heads/main'
  const stranger = await issuer.github(world, { repository: 'acme/widget-evil', workflow_ref: evil })
  assert.doesNotMatch((await exchange(stranger)).body.message, /does not fit/)
})

test('refusals of an address are noted, and after a hundred of them slowed; good tokens never are', async () => {
  await world.publish(ada, name, '1.0.0')
  await trust()
  world.advance(3600_000)
  for (let i = 0; i < 100; i++) await isRefused('a.b.c', 'job-token-invalid')
  await isRefused('a.b.c', 'rate-limited')
  assert.equal((await exchange(await issuer.github(world))).status, 201)
  await world.ports.trail.flush()
  const noted = (await world.ports.store.events.read(0, 1_000_000)).findLast(
    event => event.type === 'sign-in-failed',
  )
  assert.match(JSON.stringify(noted?.detail), /job-token/)
  world.advance(3600_000)
})

test('keys count only when the issuer says its own name, and on its own host', async () => {
  await world.publish(ada, name, '1.0.0')
  await trust()
  const elsewhere = await openCiIssuer()
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  elsewhere.keys = [{ ...(await exportJWK(publicKey)), kid: 'evil', alg: 'RS256' }]
  issuer.answers.set('/evil-jwks', { status: 200, body: JSON.stringify({ keys: elsewhere.keys }) })
  const evil = () => issuer.sign(githubClaims(issuer.url, world), { kid: 'evil' }, privateKey)
  for (const document of [
    { issuer: 'https://evil.example', jwks_uri: `${issuer.url}/evil-jwks` },
    { issuer: issuer.url, jwks_uri: `${elsewhere.url}/jwks` },
  ]) {
    issuer.answers.set('/.well-known/openid-configuration', { status: 200, body: JSON.stringify(document) })
    world.advance(60_000)
    await isRefused(await evil(), 'job-token-invalid', /no key/)
  }
  issuer.answers.clear()
  await elsewhere.close()
})

test('a refusal does not tell whether a package is there', async () => {
  const jwt = await issuer.github(world)
  await world.publish(ada, name, '1.0.0', { access: 'restricted' })
  const [hidden, missing] = [await exchange(jwt), await exchange(jwt, 'nowhere-to-be-found')]
  assert.deepEqual([hidden.status, hidden.body.code], [missing.status, missing.body.code])
  assert.equal(hidden.text.replaceAll(name, 'N'), missing.text.replaceAll('nowhere-to-be-found', 'N'))
})

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

test('a frozen issuer lets no job in and stops those that are, a frozen publisher its own; both come back', async () => {
  await world.publish(ada, name, '1.0.0')
  const publisher = await trust()
  const token = await tokenFor()
  const freeze = (subject: string) =>
    contain(world.ports, operator, parseDraft({ kind: 'freeze', subject, reason: 'security' }))
  let patch = 1
  for (const subject of [`issuer:${issuer.url}`, `publisher:${publisher.id}`]) {
    const { id } = await freeze(subject)
    assert.equal((await put(token, `1.1.${patch}`)).status, 403, subject)
    if (subject.startsWith('issuer')) await isRefused(await issuer.github(world), 'frozen')
    assert.equal((await world.npm(`GET /${name}/-/${name}-1.0.0.tgz`)).status, 200)
    await undoMeasure(world.ports, operator, id)
    assert.equal((await put(token, `1.1.${patch}`)).status, 201, subject)
    patch += 1
  }
  for (const subject of ['issuer:https://other.example', 'publisher:tp_none', 'origin:none'])
    await assert.rejects(freeze(subject), { code: 'measure-invalid' }, subject)
})
