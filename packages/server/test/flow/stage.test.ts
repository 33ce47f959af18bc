// SPDX-License-Identifier: Apache-2.0
/** Staged publishing: who may, who sees, who decides, and what somebody with bad intent tries. */
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { decodeLeaf, type PackageName } from '@holdfast/core'
import {
  approveStaged,
  changeAccess,
  contain,
  expireStaged,
  parseDraft,
  rejectStaged,
  setPackageRole,
  undoMeasure,
} from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { publishDocument } from '../live.ts'
import { somebodyTouching, type Touching } from '../passkey-person.ts'
import { dayMs, openWorld, type Reply, type Someone } from '../world.ts'

const world = await openWorld()
const { ports } = world
const ann = await somebodyTouching(world, 'ann')
const bob = await somebodyTouching(world, 'bob')
const cal = await somebodyTouching(world, 'cal')
/** Has a role on nothing. */
const eve = await somebodyTouching(world, 'eve')
/** Has no passkey. */
const dan = await world.someone('dan')

after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

let count = 0

/** In a browser that was just proved by a touch. */
const fresh = async (who: Touching) => {
  const { credential } = who.actor
  assert.ok(credential.kind === 'session')
  return { ...who.actor, credential: { ...credential, freshUntil: world.now() + 60_000, byPasskey: true } }
}

/** A package of ann, which bob and dan maintain. */
async function makePackage(): Promise<PackageName> {
  const name = `staged-${++count}` as PackageName
  await world.publish(ann, name, '1.0.0')
  for (const who of [bob, dan]) await setPackageRole(ports, await fresh(ann), name, who.login, 'maintainer')
  return name
}

const stage = (
  who: { readonly token: string },
  name: string,
  version = '1.1.0',
  wishes = {},
): Promise<Reply> =>
  world.npm(`POST /-/stage/package/${name}`, {
    token: who.token,
    body: publishDocument(name, version, wishes),
  })
const staged = async (who: Someone, name: string, version = '1.1.0'): Promise<string> => {
  const reply = await stage(who, name, version)
  assert.equal(reply.status, 201, reply.text)
  return reply.body.stageId
}
const approve = async (who: Touching, id: string) => approveStaged(ports, who.actor, id, await who.touch(id))
const versionsOf = async (name: string, token?: string) =>
  Object.keys((await world.document(name, token)).versions)
const leavesOf = async (name: PackageName) =>
  (await ports.store.events.ofPackage(name))
    .filter(({ type }) => ['stage', 'approve', 'publish'].includes(type))
    .map(({ type, ver, leaf }) => `${type} ${decodeLeaf(leaf ?? '{}')['op'] ?? ''} ${ver}`.replace('  ', ' '))
const code = (wanted: string) => (error: unknown) => {
  assert.equal((error as { code?: string }).code, wanted)
  return true
}

test('a staged version becomes public when somebody else approves it by a touch, and the log says both', async () => {
  const name = await makePackage()
  const id = await staged(ann, name)
  assert.deepEqual(await versionsOf(name), ['1.0.0'])
  assert.equal((await approve(bob, id)).missing, 0)
  assert.deepEqual(await versionsOf(name), ['1.0.0', '1.1.0'])
  const { _npmUser } = (await world.document(name)).versions['1.1.0']
  assert.deepEqual([_npmUser.name, _npmUser.approver.name], ['ann', 'bob'])
  assert.equal((await world.document(name))['dist-tags'].latest, '1.1.0')
  assert.deepEqual(await leavesOf(name), [
    'publish 1.0.0',
    'stage add 1.1.0',
    'approve 1.1.0',
    'publish 1.1.0',
  ])
})

test('until then nobody but its maintainers can tell that it is there, on any path', async () => {
  const name = await makePackage()
  const before = await world.npm(`GET /${name}`)
  const id = await staged(ann, name)
  const paths = [`/-/stage/${id}`, `/-/stage/${id}/tarball`]
  for (const path of paths) {
    assert.equal((await world.npm(`GET ${path}`, { token: eve.token })).body.code, 'stage-not-found', path)
    assert.equal((await world.npm(`GET ${path}`)).status, 401)
    assert.equal((await world.npm(`GET ${path}`, { token: bob.token })).status, 200)
  }
  for (const who of [undefined, eve.token, bob.token]) {
    for (const path of [`/${name}/1.1.0`, `/${name}/-/${name}-1.1.0.tgz`, `/${name}/latest`]) {
      const reply = await world.npm(`GET ${path}`, { token: who })
      assert.ok(!reply.text.includes('1.1.0') || reply.status === 404, `${path}: ${reply.text}`)
    }
    for (const path of [`/${name}`, `/-/package/${name}/dist-tags`, `/-/v1/search?text=${name}`])
      assert.ok(!(await world.npm(`GET ${path}`, { token: who })).text.includes('1.1.0'), path)
  }
  for (const path of [`/package/npm/${name}`, `/package/npm/${name}?show=versions`, `/search?q=${name}`])
    assert.ok(!(await world.ask(`GET ${path}`)).text.includes('1.1.0'), path)
  const now = await world.npm(`GET /${name}`)
  assert.equal(now.headers.get('etag'), before.headers.get('etag'))
  const mine = (await world.npm('GET /-/stage', { token: eve.token })).body
  assert.deepEqual(mine, { items: [], total: 0 })
  assert.equal((await world.npm(`GET /-/stage?package=${name}`, { token: eve.token })).body.total, 0)
})

test('whoever staged it does not approve it, and their touch of it counts for nothing', async () => {
  const name = await makePackage()
  const id = await staged(ann, name)
  await assert.rejects(approve(ann, id), code('stage-own'))
  assert.deepEqual(await versionsOf(name), ['1.0.0'])
})

test('approving takes the role, a passkey, and a touch for this very version', async () => {
  const name = await makePackage()
  const [id, other] = [await staged(ann, name), await staged(ann, name, '1.2.0')]
  await assert.rejects(approve(eve, id), code('stage-not-found'))
  await assert.rejects(approveStaged(ports, bob.actor, id), code('passkey-proof-required'))
  await assert.rejects(approveStaged(ports, bob.actor, id, await bob.touch(other)), code('passkey-refused'))
  const withoutPasskey = await world.npm(`POST /-/stage/${id}/approve`, { token: dan.token, otp: '123456' })
  assert.deepEqual([withoutPasskey.status, withoutPasskey.body.code], [403, 'stage-passkey'])
  const plain = await world.token(bob)
  const byCode = await world.npm(`POST /-/stage/${id}/approve`, { token: plain, otp: '123456' })
  assert.equal(byCode.body.code, 'passkey-proof-required')
  const bypassing = await world.token(bob, { bypassTfa: true, withFactor: true })
  assert.equal((await world.npm(`POST /-/stage/${id}/approve`, { token: bypassing })).status, 403)
  assert.deepEqual(await versionsOf(name), ['1.0.0'])
})

test('a name and number that wait are taken: for publishing, and for other bytes', async () => {
  const name = await makePackage()
  const id = await staged(ann, name)
  const put = (who: Someone, wishes = {}) =>
    world.npm(`PUT /${name}`, { token: who.token, body: publishDocument(name, '1.1.0', wishes) })
  assert.equal((await put(bob)).body.code, 'version-staged')
  assert.equal((await stage(bob, name)).body.code, 'version-staged')
  assert.equal((await stage(ann, name, '1.1.0', { files: { a: 'b' } })).body.code, 'version-staged')
  assert.equal((await stage(ann, name)).body.stageId, id, 'the same bytes by the same hand')
  assert.equal((await stage(ann, name, '1.0.0')).body.code, 'version-exists')
  await world.publish(ann, name, '1.3.0')
})

test('what is refused when it is published is refused when it is staged', async () => {
  const name = await makePackage()
  const other = publishDocument(name, '1.1.0', { manifest: { scripts: { postinstall: 'x' } } })
  const document = { ...publishDocument(name, '1.1.0'), _attachments: other._attachments }
  const reply = await world.npm(`POST /-/stage/package/${name}`, { token: ann.token, body: document })
  assert.equal(reply.body.code, 'digest-mismatch')
  assert.equal((await stage(ann, name, '1.1.0', { tarball: Buffer.from('x') })).body.code, 'bad-tarball')
})

test('of two who approve at once one publishes, and of one who does so twice too', async () => {
  const name = await makePackage()
  await setPackageRole(ports, await fresh(ann), name, 'cal', 'maintainer')
  for (const [version, people] of [
    ['1.1.0', [bob, cal]],
    ['1.2.0', [bob, bob]],
  ] as const) {
    const id = await staged(ann, name, version)
    const results = await Promise.allSettled(people.map(who => approve(who, id)))
    assert.ok(results.some(each => each.status === 'fulfilled'))
    for (const each of results) if (each.status === 'rejected') code('stage-not-found')(each.reason)
  }
  assert.deepEqual(await versionsOf(name), ['1.0.0', '1.1.0', '1.2.0'])
})

test('a rejected version is gone for good, its number is free, and who staged it hears of it', async () => {
  const name = await makePackage()
  const id = await staged(ann, name)
  await assert.rejects(rejectStaged(ports, eve.actor, id), code('stage-not-found'))
  await rejectStaged(ports, bob.actor, id, 'it mines coins')
  await assert.rejects(approve(bob, id), code('stage-not-found'))
  assert.equal((await world.npm(`GET /-/stage/${id}/tarball`, { token: bob.token })).status, 404)
  const letters = (await ports.store.mail.listRecent(100)).filter(({ to }) => to === ann.email)
  assert.ok(
    letters.some(({ subject }) => subject.includes(`${name}@1.1.0 was staged, and is rejected by bob`)),
  )
  await staged(bob, name)
  assert.deepEqual(await leavesOf(name), [
    'publish 1.0.0',
    'stage add 1.1.0',
    'stage reject 1.1.0',
    'stage add 1.1.0',
  ])
})

test('approvers get a letter with the way to the page; who staged it and strangers get none', async () => {
  const name = await makePackage()
  const id = await staged(ann, name)
  const letters = (await ports.store.mail.listRecent(100)).filter(each => each.text.includes(id))
  assert.deepEqual(letters.map(each => each.to).sort(), [bob.email, dan.email])
  assert.match(letters[0]?.text ?? '', new RegExp(`/package/npm/${name}/staged/${id}\\n`))
})

test('what nobody approves in seven days cannot be approved any more, and its number is free', async () => {
  const name = await makePackage()
  const id = await staged(ann, name)
  const late = await somebodyTouching(world, `late${count}`)
  await setPackageRole(ports, await fresh(ann), name, late.login, 'maintainer')
  world.advance(7 * dayMs)
  await assert.rejects(approveStaged(ports, late.actor, id, await late.touch(id)), code('stage-not-found'))
  await expireStaged(ports)
  await expireStaged(ports)
  assert.deepEqual(await leavesOf(name), ['publish 1.0.0', 'stage add 1.1.0', 'stage expire 1.1.0'])
  assert.equal(await ports.store.stages.findByVersion(name, '1.1.0' as never), undefined)
})

test('where two must approve, one is not enough, nobody publishes alone, and a yes ends with its role', async () => {
  const name = await makePackage()
  await setPackageRole(ports, await fresh(ann), name, 'cal', 'maintainer')
  await changeAccess(ports, await fresh(ann), name, { approvals: 2 })
  const alone = await world.npm(`PUT /${name}`, { token: ann.token, body: publishDocument(name, '1.1.0') })
  assert.deepEqual([alone.status, alone.body.code], [403, 'stage-required'])
  const id = await staged(ann, name)
  assert.equal((await approve(bob, id)).missing, 1)
  await assert.rejects(approve(bob, id), code('stage-again'))
  await setPackageRole(ports, await fresh(ann), name, 'bob', 'reader')
  await assert.rejects(approve(bob, id), code('stage-not-found'))
  assert.equal((await approve(cal, id)).missing, 1, 'of bob nothing counts any more')
  await setPackageRole(ports, await fresh(ann), name, 'bob', 'maintainer')
  assert.equal((await approve(bob, id)).missing, 0)
  assert.deepEqual(await versionsOf(name), ['1.0.0', '1.1.0'])
})

test('what somebody staged who has left since cannot be approved', async () => {
  const name = await makePackage()
  const id = await staged(bob, name)
  await setPackageRole(ports, await fresh(ann), name, 'bob', undefined)
  await setPackageRole(ports, await fresh(ann), name, 'cal', 'maintainer')
  await assert.rejects(approve(cal, id), code('stage-refused'))
  assert.deepEqual(await versionsOf(name), ['1.0.0'])
})

test('an owner alone does not do away with the second person at once, and all owners are told', async () => {
  const name = await makePackage()
  await setPackageRole(ports, await fresh(ann), name, 'cal', 'owner')
  await assert.rejects(changeAccess(ports, await fresh(ann), name, { approvals: 5 }), code('invalid-body'))
  await changeAccess(ports, await fresh(ann), name, { approvals: 1 })
  await changeAccess(ports, await fresh(ann), name, { approvals: 0 })
  const put = (version: string) =>
    world.npm(`PUT /${name}`, { token: ann.token, body: publishDocument(name, version) })
  assert.equal((await put('1.1.0')).body.code, 'stage-required')
  const letters = (await ports.store.mail.listRecent(100)).filter(({ to }) => to === cal.email)
  assert.ok(
    letters.some(({ subject }) => subject.startsWith(`Versions of ${name} now need 0 approvals, from`)),
  )
  world.advance(dayMs)
  assert.equal((await put('1.1.0')).status, 201)
})

test('a token that may only stage publishes nothing, tags nothing and decides nothing', async () => {
  const name = await makePackage()
  const token = await world.token(bob, { permission: 'stage-only', packages: [name as never] })
  assert.equal((await world.npm(`PUT /${name}`, { token, body: publishDocument(name, '1.1.0') })).status, 403)
  assert.equal(
    (await world.npm(`PUT /-/package/${name}/dist-tags/beta`, { token, body: '1.0.0' })).status,
    403,
  )
  const other = await makePackage()
  assert.equal((await stage({ token }, other)).status, 403)
  const id = await staged({ ...bob, token }, name)
  assert.equal((await world.npm(`GET /-/stage/${id}`, { token })).status, 200)
  const anns = await staged(ann, name, '1.2.0')
  for (const line of [`POST /-/stage/${anns}/approve`, `DELETE /-/stage/${anns}`])
    assert.equal((await world.npm(line, { token })).status, 403, line)
})

test('nothing is staged of a name that is not there, and a hidden one answers alike', async () => {
  await world.publish(ann, 'hidden-one', '1.0.0', { access: 'restricted' })
  const [missing, hidden] = [await stage(eve, 'never-there'), await stage(eve, 'hidden-one')]
  assert.deepEqual([missing.status, missing.body.code], [404, 'stage-needs-package'])
  assert.deepEqual([hidden.status, hidden.body.code], [404, 'stage-needs-package'])
})

test('what is blocked while it waits is not published by an approval, and is once the block ends', async () => {
  const name = await makePackage()
  const reply = await stage(ann, name, '1.1.0', {
    files: { 'index.js': 'exports.host = "https://late.example/"' },
  })
  assert.equal(reply.status, 201, reply.text)
  const block = parseDraft({ kind: 'block', indicator: 'LATE.example', reason: 'malware' })
  const { id } = await contain(ports, operator, block)
  await assert.rejects(approve(bob, reply.body.stageId), code('content-blocked'))
  assert.deepEqual(await versionsOf(name), ['1.0.0'])
  await undoMeasure(ports, operator, id)
  await approve(bob, reply.body.stageId)
  assert.deepEqual(await versionsOf(name), ['1.0.0', '1.1.0'])
})
