// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { PackageName } from '@holdfast/core'
import {
  addPublisher,
  beginLogin,
  createOrg,
  createTeam,
  disableUser,
  enableUser,
  grantApproval,
  invite,
  inviteMany,
  listOwnersAtRisk,
  parseInvitees,
  pollApproval,
  readInvitation,
  readPackageAccess,
  readReach,
  readRecovery,
  recoverAtMachine,
  removeTeam,
  setInstanceRoles,
  setMember,
  setPackageRole,
  setTeamGrant,
  setTeamMember,
  signUp,
  transferUser,
} from '../../src/flow/index.ts'
import { type Actor, operator, toPerson } from '../../src/identity/index.ts'
import { startInstance } from '../../src/main.ts'
import { publishDocument } from '../live.ts'
import { dayMs, openWorld, type Someone, whence } from '../world.ts'

const world = await openWorld()
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

const { ports } = world
const { identity } = ports.store
const pkg = (name: string) => name as PackageName

/** Somebody at a browser who signed in a moment ago. */
async function at(who: Someone): Promise<Actor> {
  const account = await identity.findAccount(who.id)
  assert.ok(account !== undefined)
  return toPerson(account, { kind: 'session', id: '', freshUntil: world.now() + 1 }, whence)
}

const whoami = async (who: Someone) => (await world.npm('GET /-/whoami', { token: who.token })).status

async function eventsOf(type: string): Promise<readonly Record<string, unknown>[]> {
  const all = await ports.store.events.read(0, 10_000)
  return all.filter(event => event.type === type).map(event => event.detail)
}

test('an owner gives each role on a package and takes it away; each change is an event and a letter', async () => {
  const [ann, bob] = [await world.someone('ann'), await world.someone('bob')]
  await world.publish(ann, 'anns', '1.0.0')
  const owner = await at(ann)
  for (const role of ['reader', 'triager', 'maintainer', 'owner'] as const) {
    await setPackageRole(ports, owner, pkg('anns'), 'bob', role)
    assert.equal((await identity.listOwnRoles(bob.id)).get(pkg('anns')), role)
  }
  await setPackageRole(ports, owner, pkg('anns'), 'bob', undefined)
  assert.equal((await identity.listOwnRoles(bob.id)).size, 0)
  const ops = (await ports.store.events.ofPackage(pkg('anns')))
    .filter(event => event.type === 'owner')
    .map(event => JSON.parse(event.leaf ?? '{}'))
  assert.deepEqual(
    ops.map(({ op, role }) => [op, role]),
    [
      ['add', 'owner'],
      ['add', 'reader'],
      ['role', 'triager'],
      ['role', 'maintainer'],
      ['role', 'owner'],
      ['remove', 'owner'],
    ],
  )
  const letters = (await ports.store.mail.listRecent(50)).filter(letter => letter.to === bob.email)
  assert.equal(letters.filter(letter => letter.subject.includes('anns')).length, 5)
})

test('a triager deprecates and does nothing more; the last owner stays', async () => {
  const [cal, dan] = [await world.someone('cal'), await world.someone('dan')]
  await world.publish(cal, 'cals', '1.0.0')
  await setPackageRole(ports, await at(cal), pkg('cals'), 'dan', 'triager')
  const document = await world.document('cals', dan.token)
  document.versions['1.0.0'].deprecated = 'use another'
  const put = (body: unknown) => world.npm('PUT /cals', { token: dan.token, body })
  assert.equal((await put(document)).status, 200)
  assert.equal((await put(publishDocument('cals', '1.1.0'))).status, 403)
  const tag = await world.npm('PUT /-/package/cals/dist-tags/next', { token: dan.token, body: '1.0.0' })
  assert.equal(tag.status, 403)
  await assert.rejects(setPackageRole(ports, await at(dan), pkg('cals'), 'dan', 'owner'), {
    code: 'forbidden',
  })
  for (const role of [undefined, 'maintainer'] as const)
    await assert.rejects(setPackageRole(ports, await at(cal), pkg('cals'), 'cal', role), {
      code: 'last-owner',
    })
})

test('owners see who may do what, through what, and which tokens skip the second factor, until when', async () => {
  const [eli, fay] = [await world.someone('eli'), await world.someone('fay')]
  await createOrg(ports, await at(eli), 'elis')
  await world.publish(eli, '@elis/ui', '1.0.0')
  const as = (line: string, body: unknown) => world.npm(line, { token: eli.token, body })
  await as('PUT /-/org/elis/user', { user: 'fay', role: 'developer' })
  await as('PUT /-/org/elis/team', { name: 'builders' })
  await as('PUT /-/team/elis/builders/user', { user: 'fay' })
  await as('PUT /-/team/elis/builders/package', { package: '@elis/ui', permissions: 'read-write' })
  await world.token(fay, { bypassTfa: true, packages: ['@elis/*' as never] }, world.now() + dayMs)
  await world.token(fay, { bypassTfa: true, packages: ['other' as never] })
  await world.token(fay, { bypassTfa: true, permission: 'read-only' })
  const seen = await readPackageAccess(ports, await at(eli), pkg('@elis/ui'))
  assert.deepEqual(
    seen.holders.map(each => `${each.login} ${each.role} ${each.through}`),
    ['eli owner ', 'fay maintainer elis:builders', 'eli owner elis', 'fay reader elis'],
  )
  assert.deepEqual(
    seen.exceptions.map(each => [each.login, each.limits.packages, each.expiresAt !== null]),
    [['fay', ['@elis/*'], true]],
  )
  await assert.rejects(readPackageAccess(ports, await at(fay), pkg('@elis/ui')), { code: 'forbidden' })
})

test('roles on the instance are given and taken by operators only, with event and letter, and the last operator stays', async () => {
  const [gus, hal] = [await world.someone('gus', ['operator']), await world.someone('hal')]
  await assert.rejects(setInstanceRoles(ports, await at(hal), 'hal', ['operator']), { code: 'forbidden' })
  await assert.rejects(setInstanceRoles(ports, await at(gus), 'gus', ['auditor']), { code: 'last-operator' })
  await assert.rejects(disableUser(ports, operator, 'gus'), { code: 'last-operator' })
  await setInstanceRoles(ports, await at(gus), 'hal', ['operator', 'responder'])
  assert.deepEqual((await identity.findAccount(hal.id))?.roles, ['operator', 'responder'])
  await setInstanceRoles(ports, await at(hal), 'gus', [])
  const changes = (await eventsOf('grant')).filter(({ account }) => account === hal.id || account === gus.id)
  assert.deepEqual(
    changes.map(({ account, op, role }) => [account, op, role]),
    [
      [gus.id, 'add', 'operator'],
      [hal.id, 'add', 'operator'],
      [hal.id, 'add', 'responder'],
      [gus.id, 'remove', 'operator'],
    ],
  )
  const told = (await ports.store.mail.listRecent(9)).map(letter => `${letter.to} ${letter.subject}`)
  assert.ok(
    told.some(line => line.startsWith(hal.email) && line.includes('operator, responder')),
    String(told),
  )
  await setInstanceRoles(ports, operator, 'hal', ['operator'])
})

test('of two operators who take the role from each other at once one stays', async () => {
  const [one, two] = [await world.someone('one', ['operator']), await world.someone('two', ['operator'])]
  await setInstanceRoles(ports, operator, 'hal', [])
  const done = await Promise.allSettled([
    setInstanceRoles(ports, await at(one), 'two', []),
    setInstanceRoles(ports, await at(two), 'one', []),
  ])
  assert.deepEqual(done.map(each => each.status).sort(), ['fulfilled', 'rejected'])
  assert.ok(await identity.hasOperator())
})

test('whoever is switched off has no session, token or approval a moment later, and cannot come back in', async () => {
  const who = await world.someone('ian')
  await world.publish(who, 'ians', '1.0.0')
  const browser = await world.browse(who)
  const { loginUrl, doneUrl } = await beginLogin(ports, whence)
  await grantApproval(ports, await at(who), loginUrl.split('/').at(-1) ?? '')
  assert.equal(await whoami(who), 200)
  const reach = await disableUser(ports, operator, 'ian')
  assert.deepEqual([...reach.packages], [[pkg('ians'), 'owner']])
  assert.deepEqual([reach.alone, reach.tokens.length, reach.sessions.length], [[pkg('ians')], 1, 1])
  assert.equal(await whoami(who), 401)
  const page = await world.ask('GET /account', { headers: { cookie: browser.cookie } })
  assert.equal(page.status, 303)
  const done = new URL(doneUrl).searchParams.get('authId') ?? ''
  await assert.rejects(pollApproval(ports, done, whence), { code: 'approval-over' })
  await assert.rejects(world.browse(who), { code: 'bad-credentials' })
  const revoked = (await ports.store.events.read(0, 10_000)).filter(event => event.type === 'token-revoke')
  assert.ok(revoked.some(event => (event.leaf ?? '').includes(reach.tokens[0]?.id ?? 'none')))
  await enableUser(ports, operator, 'ian')
  assert.equal(await whoami(who), 401, 'what was ended stays ended')
  await world.browse(who)
})

test('a leaver comes back neither by an invitation of their own nor by a recovery that waits', async () => {
  const boss = await world.someone('tia')
  await setInstanceRoles(ports, operator, 'tia', ['operator'])
  await world.someone('tom')
  await setInstanceRoles(ports, operator, 'tom', ['operator'])
  const link = await invite(ports, await at(boss), 'back@people.example', ['operator'])
  const secret = link.split('/').at(-1) ?? ''
  assert.deepEqual((await readInvitation(ports, secret)).roles, ['operator'])
  const way = await recoverAtMachine(ports, operator, 'tia', false)
  await disableUser(ports, operator, 'tia')
  await assert.rejects(readInvitation(ports, secret), { code: 'invitation-invalid' })
  await enableUser(ports, operator, 'tia')
  await assert.rejects(readRecovery(ports, way.split('/').at(-1) ?? ''), { code: 'recovery-over' })
  assert.deepEqual((await readInvitation(ports, secret)).roles, ['operator'])
  await setInstanceRoles(ports, operator, 'tia', [])
  await assert.rejects(readInvitation(ports, secret), { code: 'invitation-invalid' })
})

test('the trusted publishers a leaver added end with them, also on packages that others own, who are told', async () => {
  const [uma, vic] = [await world.someone('uma'), await world.someone('vic')]
  await world.publish(uma, 'umas', '1.0.0')
  await setPackageRole(ports, operator, pkg('umas'), 'vic', 'owner')
  const rule = { repository: 'acme/widget', workflow: 'publish.yml' }
  const request = { provider: 'github', rule, permissions: ['createPackage'] } as const
  const gone = await addPublisher(ports, await at(uma), pkg('umas'), request)
  const kept = await addPublisher(ports, await at(vic), pkg('umas'), {
    ...request,
    rule: { ...rule, workflow: 'other.yml' },
  })
  assert.deepEqual(
    (await readReach(ports, operator, 'uma')).publishers.map(each => each.id),
    [gone.id],
  )
  await disableUser(ports, operator, 'uma')
  const left = await identity.listPublishers(pkg('umas'), world.now())
  assert.deepEqual(
    left.map(each => each.id),
    [kept.id],
  )
  const told = (await ports.store.mail.listRecent(20)).filter(letter => letter.to === vic.email)
  assert.ok(told.some(letter => letter.subject.includes('left')))
})

test('a trusted publisher that a leaver adds in the moment of leaving is not left behind', async () => {
  const vin = await world.someone('vin')
  await world.publish(vin, 'vins', '1.0.0')
  const rule = { repository: 'acme/widget', workflow: 'publish.yml' }
  const request = { provider: 'github', rule, permissions: ['createPackage'] } as const
  const actor = await at(vin)
  await Promise.allSettled([
    disableUser(ports, operator, 'vin'),
    ...[1, 2, 3].map(() => addPublisher(ports, actor, pkg('vins'), request)),
  ])
  await assert.rejects(addPublisher(ports, actor, pkg('vins'), request), { code: 'unauthenticated' })
  assert.deepEqual(await identity.listPublishers(pkg('vins'), world.now()), [])
})

test('another process on the same data lets a leaver in no more, within a second', async t => {
  const who = await world.someone('wes')
  const told = { ...ports.config, port: 0, publicUrl: ports.config.publicUrl }
  const other = await startInstance(told, { request() {}, say() {}, flush() {} }, () => world.now())
  t.after(() => other.stop())
  const ask = async () =>
    (await fetch(`${other.url}/npm/-/whoami`, { headers: { authorization: `Bearer ${who.token}` } })).status
  assert.equal(await ask(), 200)
  await disableUser(ports, operator, 'wes')
  await until(async () => (await ask()) === 401)
})

/** Asks for a second at most, in steps that do not depend on the machine being fast. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let left = 20; left > 0; left--) {
    if (await holds()) return
    await delay(50)
  }
  assert.fail('it did not come true within a second')
}

test('what a leaver owned goes to a named person, alone or not, and they keep nothing', async () => {
  const [jan, kim] = [await world.someone('jan'), await world.someone('kim')]
  await createOrg(ports, await at(jan), 'jans')
  await world.publish(jan, 'jans-one', '1.0.0')
  await world.publish(jan, '@jans/two', '1.0.0')
  await world.publish(kim, 'kims', '1.0.0')
  await setPackageRole(ports, await at(kim), pkg('kims'), 'jan', 'maintainer')
  const moved = await transferUser(ports, operator, 'jan', 'kim')
  assert.deepEqual([moved.packages, moved.orgs], [['@jans/two', 'jans-one', 'kims'], ['jans']])
  assert.equal((await readReach(ports, operator, 'jan')).packages.size, 0)
  assert.deepEqual([...(await identity.listOwnRoles(kim.id)).values()], ['owner', 'owner', 'owner'])
  assert.equal(await identity.orgRole(kim.id, 'jans'), 'owner')
  assert.equal(await identity.orgRole(jan.id, 'jans'), undefined)
  const again = await world.npm('PUT /@jans%2ftwo', {
    token: jan.token,
    body: publishDocument('@jans/two', '2.0.0'),
  })
  assert.equal(again.status, 403)
})

test('whoever inherits a lesser role keeps the greater one they have', async () => {
  const [pat, ray] = [await world.someone('pat'), await world.someone('ray')]
  const sue = await world.someone('sue')
  await world.publish(sue, 'sues', '1.0.0')
  await setPackageRole(ports, await at(sue), pkg('sues'), 'pat', 'reader')
  await setPackageRole(ports, await at(sue), pkg('sues'), 'ray', 'maintainer')
  await transferUser(ports, operator, 'pat', 'ray')
  assert.equal((await identity.listOwnRoles(ray.id)).get(pkg('sues')), 'maintainer')
  assert.equal((await identity.listOwnRoles(pat.id)).size, 0)
})

test('a team’s right ends with the membership, and with the team’s right on the package', async () => {
  const [lea, max] = [await world.someone('lea'), await world.someone('max')]
  await createOrg(ports, await at(lea), 'leas')
  await world.publish(lea, '@leas/ui', '1.0.0')
  const as = (line: string, body: unknown) => world.npm(line, { token: lea.token, body })
  const join = async () => {
    await as('PUT /-/org/leas/user', { user: 'max', role: 'developer' })
    await as('PUT /-/team/leas/core/user', { user: 'max' })
  }
  await as('PUT /-/org/leas/team', { name: 'core' })
  await join()
  await as('PUT /-/team/leas/core/package', { package: '@leas/ui', permissions: 'read-write' })
  const put = async (version: string) =>
    (await world.npm('PUT /@leas%2fui', { token: max.token, body: publishDocument('@leas/ui', version) }))
      .status
  assert.equal(await put('1.1.0'), 201)
  await as('DELETE /-/org/leas/user', { user: 'max' })
  assert.equal(await put('1.2.0'), 403, 'removed from the organisation')
  // Whoever comes back begins anew: the old place in the team must not wait for them.
  await as('PUT /-/org/leas/user', { user: 'max', role: 'developer' })
  assert.equal(await put('1.2.0'), 403, 'back in the organisation, not in the team')
  await join()
  assert.equal(await put('1.2.0'), 201)
  await transferUser(ports, operator, 'max', 'lea')
  assert.equal(await put('1.3.0'), 403, 'transferred away')
})

test('a team that goes in the same moment leaves nothing to the next one of its name', async () => {
  const [tea, ted] = [await world.someone('tea'), await world.someone('ted')]
  const actor = await at(tea)
  await createOrg(ports, actor, 'teas')
  await world.publish(tea, '@teas/one', '1.0.0')
  await setMember(ports, actor, 'teas', 'ted', 'developer')
  await createTeam(ports, actor, 'teas', 'core')
  await Promise.allSettled([
    removeTeam(ports, actor, 'teas', 'core'),
    setTeamGrant(ports, actor, 'teas', 'core', pkg('@teas/one'), 'read-write'),
    setTeamMember(ports, actor, 'teas', 'core', ted.login, true),
  ])
  await createTeam(ports, actor, 'teas', 'core')
  assert.deepEqual(await identity.listTeamGrants('teas', 'core'), [])
  assert.deepEqual(await identity.listTeamMembers('teas', 'core'), [])
})

test('an admin does not unmake whoever becomes an owner in the same moment', async () => {
  const [una, val, wim] = [await world.someone('una'), await world.someone('val'), await world.someone('wim')]
  await createOrg(ports, await at(una), 'unas')
  await setMember(ports, await at(una), 'unas', 'val', 'admin')
  await setMember(ports, await at(una), 'unas', 'wim', 'developer')
  const [owner, admin] = [await at(una), await at(val)]
  const commit: typeof ports.store.commit = async (...asked) => {
    await setMember(ports, owner, 'unas', 'wim', 'owner')
    return ports.store.commit(...asked)
  }
  const between = { ...ports, store: { ...ports.store, commit } }
  await assert.rejects(setMember(between, admin, 'unas', 'wim', 'developer'), { code: 'forbidden' })
  assert.equal(await identity.orgRole(wim.id, 'unas'), 'owner')
})

test('an owner who is disabled counts for nobody: the last who can act stays', async () => {
  const [kira, luca] = [await world.someone('kira'), await world.someone('luca')]
  await createOrg(ports, await at(kira), 'kiras')
  await setMember(ports, await at(kira), 'kiras', 'luca', 'owner')
  await disableUser(ports, operator, 'luca')
  await assert.rejects(setMember(ports, await at(kira), 'kiras', 'kira', 'developer'), { code: 'last-owner' })
  await enableUser(ports, operator, 'luca')
  await setMember(ports, await at(luca), 'kiras', 'kira', 'developer')
})

test('a team that an owner let in from their organisation goes with them, and the new owner can send it away', async () => {
  const [ivo, ida, ira] = [await world.someone('ivo'), await world.someone('ida'), await world.someone('ira')]
  await createOrg(ports, await at(ivo), 'ivos')
  await setMember(ports, await at(ivo), 'ivos', 'ira', 'developer')
  await createTeam(ports, await at(ivo), 'ivos', 'builders')
  await setTeamMember(ports, await at(ivo), 'ivos', 'builders', 'ira', true)
  const grant = async (name: string) => {
    await world.publish(ivo, name, '1.0.0')
    await setTeamGrant(ports, await at(ivo), 'ivos', 'builders', pkg(name), 'read-write')
    await setPackageRole(ports, await at(ivo), pkg(name), 'ida', 'owner')
  }
  const right = (name: string) => identity.roleOn(ira.id, pkg(name))
  for (const name of ['handed', 'left', 'kept']) await grant(name)
  await setTeamGrant(ports, await at(ida), 'ivos', 'builders', pkg('kept'), undefined)
  assert.deepEqual([await right('handed'), await right('kept')], ['maintainer', undefined])
  await setPackageRole(ports, await at(ivo), pkg('handed'), 'ivo', undefined)
  await transferUser(ports, operator, 'ivo', 'ida')
  assert.deepEqual([await right('handed'), await right('left')], [undefined, undefined])
  const ended = (await eventsOf('owner')).filter(
    each => each['org'] === 'ivos' && each['permission'] === 'none',
  )
  assert.equal(ended.length, 3)
})

test('a transfer needs somebody who can take it', async () => {
  await world.someone('ned')
  await assert.rejects(transferUser(ports, operator, 'ned', 'ned'), { code: 'user-not-found' })
  await assert.rejects(transferUser(ports, operator, 'ned', 'nobody'), { code: 'user-not-found' })
  await assert.rejects(transferUser(ports, operator, 'ned', '@nowhere'), { code: 'org-not-found' })
  await assert.rejects(transferUser(ports, await at(await world.someone('oda')), 'ned', 'kim'), {
    code: 'forbidden',
  })
})

test('a list of people is invited whole or not at all, and who has an account is left alone', async () => {
  const list = parseInvitees(
    '\ufeffE-mail;Roles\r\n"new@people.example";"auditor responder"\r\n\r\nann@people.example\n',
  )
  assert.deepEqual(list, [
    { email: 'new@people.example', roles: ['responder', 'auditor'] },
    { email: 'ann@people.example', roles: [] },
  ])
  const [fresh, known] = await inviteMany(ports, operator, list)
  assert.ok(fresh !== undefined && 'link' in fresh && fresh.link.includes('/invitation/'))
  assert.deepEqual(known, { email: 'ann@people.example', why: 'is ann already' })
  assert.throws(() => parseInvitees('a@b.example\nnot an address'), {
    code: 'invalid-body',
    message: /line 2/,
  })
  assert.throws(() => parseInvitees('a@b.example,king'), { code: 'invalid-body', message: /line 1: king/ })
  assert.throws(() => parseInvitees('\n'), { code: 'invalid-body' })
  const many = Array.from({ length: 501 }, (_, index) => `p${index}@people.example`).join('\n')
  assert.throws(() => parseInvitees(many), { code: 'invalid-body', message: /more than 500/ })
})

test('where sign-up is kept to mail domains, an address of another is refused, also one that ends alike', async t => {
  const kept = await openWorld({ signUp: 'open', signUpDomains: 'company.example' })
  t.after(() => kept.close())
  const apply = (login: string, email: string) =>
    signUp(kept.ports, { login, email, password: 'correct horse of battery' }, whence)
  await apply('pam', 'pam@Company.example')
  for (const email of [
    'q@other.example',
    'q@notcompany.example',
    'q@sub.company.example',
    'company.example@other.example',
  ])
    await assert.rejects(apply('quin', email), { code: 'mail-domain-refused' }, email)
})

test('owners at risk are those who are alone, have no second factor, or were not seen for half a year', async () => {
  const who = await world.someone('rae')
  await world.publish(who, 'risky', '1.0.0')
  await world.browse(who)
  const risk = async () => {
    const { risks } = await listOwnersAtRisk(ports, operator, 'risk')
    return risks.find(each => each.package === 'risky')?.reasons
  }
  assert.deepEqual(await risk(), ['rae is the only owner', 'rae has no second factor'])
  world.advance(181 * dayMs)
  assert.equal((await risk())?.length, 3)
  await disableUser(ports, operator, 'rae')
  assert.deepEqual(await risk(), ['nobody who can act owns it'])
})

test('owners through an organisation count as those in their own name, each once', async () => {
  const [sol, zita] = [await world.someone('sol'), await world.someone('zita')]
  await createOrg(ports, await at(sol), 'risk-org')
  await world.publish(sol, '@risk-org/ui', '1.0.0')
  const risk = async () => {
    const { risks } = await listOwnersAtRisk(ports, operator, '@risk')
    return risks.find(each => each.package === '@risk-org/ui')
  }
  assert.deepEqual((await risk())?.reasons, ['sol is the only owner', 'sol has no second factor'])
  await setMember(ports, await at(sol), 'risk-org', 'zita', 'developer')
  assert.equal((await risk())?.owners.length, 1)
  await setMember(ports, await at(sol), 'risk-org', 'zita', 'admin')
  assert.deepEqual((await risk())?.reasons, ['sol has no second factor', 'zita has no second factor'])
  await disableUser(ports, operator, 'sol')
  assert.deepEqual((await risk())?.owners, [zita.login])
})
