// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import type { PackageName, Version } from '@holdfast/core'
import { takeMeasure } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { dayMs, type Json, openWorld, type Someone } from '../world.ts'

const world = await openWorld()
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

const ann = await world.someone('ann')
const bob = await world.someone('bob')
let counter = 0

/** A package of ann's with these versions, each newer one published later. */
async function made(
  versions: readonly string[],
  wishes: Parameters<typeof world.publish>[3] = {},
): Promise<string> {
  counter += 1
  const name = `made-${counter}`
  for (const version of versions) await world.publish(ann, name, version, wishes)
  return name
}

const as = (who: Someone, line: string, body?: Json) =>
  world.npm(line, { token: who.token, ...(body === undefined ? {} : { body }) })

/** The document as a client sends it back, without some versions. */
function without(original: Json, ...gone: string[]): Json {
  const document = structuredClone(original)
  const kept = Object.entries(document.versions).filter(([version]) => !gone.includes(version))
  const tags = Object.entries(document['dist-tags']).filter(([, version]) => !gone.includes(String(version)))
  return { ...document, versions: Object.fromEntries(kept), 'dist-tags': Object.fromEntries(tags) }
}

/** Notes fetches of a version, as the recorder would. */
async function download(name: string, version: string, count: number): Promise<void> {
  const at = world.now()
  await world.ports.store.downloads.add([
    {
      package: name as PackageName,
      version: version as Version,
      accountId: '',
      tokenId: '',
      address: '',
      client: '',
      count,
      firstAt: at,
      lastAt: at,
    },
  ])
}

// Deprecation

test('a deprecation message shows in the document and goes with an empty one', async () => {
  const name = await made(['1.0.0', '1.1.0'])
  const document = await world.document(name)
  document.versions['1.0.0'].deprecated = 'Use 1.1.0 – it is “safer”'
  assert.equal((await as(ann, `PUT /${name}`, document)).status, 200)
  const after_ = await world.document(name)
  assert.equal(after_.versions['1.0.0'].deprecated, 'Use 1.1.0 – it is “safer”')
  assert.ok(!('deprecated' in after_.versions['1.1.0']))
  assert.notEqual(after_._rev, document._rev)
  after_.versions['1.0.0'].deprecated = ''
  await as(ann, `PUT /${name}`, after_)
  assert.ok(!('deprecated' in (await world.document(name)).versions['1.0.0']))
})

test('of a document sent back to deprecate, nothing else is taken', async () => {
  const name = await made(['1.0.0', '1.1.0'])
  const document = await world.document(name)
  const changed = without(document, '1.1.0')
  changed.versions['1.0.0'].dependencies = { evil: '*' }
  changed.versions['1.0.0'].dist.integrity = 'sha512-AAAA'
  changed.versions['9.9.9'] = { ...changed.versions['1.0.0'], version: '9.9.9', deprecated: 'x' }
  changed['dist-tags'] = { latest: '1.0.0', evil: '1.0.0' }
  changed.maintainers = [{ name: 'bob' }]
  changed.users = { bob: true }
  changed.readme = 'changed'
  assert.equal((await as(ann, `PUT /${name}`, changed)).status, 200)
  assert.deepEqual(await world.document(name), document)
})

test('a document that is no longer the present one changes nothing', async () => {
  const name = await made(['1.0.0'])
  const document = await world.document(name)
  await world.publish(ann, name, '1.1.0')
  document.versions['1.0.0'].deprecated = 'stale'
  assert.equal((await as(ann, `PUT /${name}`, document)).status, 409)
  assert.equal((await as(ann, `PUT /${name}`, { ...document, _rev: undefined })).status, 409)
})

test('strangers deprecate nothing', async () => {
  const name = await made(['1.0.0'])
  const document = await world.document(name)
  document.versions['1.0.0'].deprecated = 'mine now'
  assert.equal((await as(bob, `PUT /${name}`, document)).status, 403)
  assert.equal((await world.npm(`PUT /${name}`, { body: document })).status, 401)
})

// Unpublish

test('npm unpublish of one version: the document without it, then its tarball, with a new revision each time', async () => {
  const name = await made(['1.0.0', '1.1.0'])
  const document = await world.document(name)
  assert.equal((await as(ann, `PUT /${name}/-rev/${document._rev}`, without(document, '1.1.0'))).status, 200)
  const left = await world.document(name)
  assert.deepEqual(Object.keys(left.versions), ['1.0.0'])
  assert.deepEqual(left['dist-tags'], { latest: '1.0.0' })
  assert.notEqual(left._rev, document._rev)
  const tarball = `${name}/-/${name}-1.1.0.tgz`
  assert.ok((await as(ann, `DELETE /${tarball}/-rev/${left._rev}`)).status < 300)
  assert.equal((await world.npm(`GET /${tarball}`)).status, 410)
})

test('a removed version is never used again', async () => {
  const name = await made(['1.0.0', '1.1.0'])
  const document = await world.document(name)
  await as(ann, `PUT /${name}/-rev/${document._rev}`, without(document, '1.1.0'))
  await assert.rejects(world.publish(ann, name, '1.1.0'), /403/)
  await as(ann, `DELETE /${name}/-rev/${(await world.document(name))._rev}`)
  await assert.rejects(world.publish(ann, name, '1.0.0'), /403/)
  await world.publish(ann, name, '1.2.0')
})

test('a stale revision, and yarn 1’s `undefined`, are conflicts', async () => {
  const name = await made(['1.0.0', '1.1.0'])
  const document = await world.document(name)
  await world.publish(ann, name, '1.2.0')
  for (const rev of [document._rev, 'undefined', 'null', '-1-holdfast', '1']) {
    assert.equal((await as(ann, `PUT /${name}/-rev/${rev}`, without(document, '1.1.0'))).status, 409, rev)
    assert.equal((await as(ann, `DELETE /${name}/-rev/${rev}`)).status, 409, rev)
    assert.equal((await as(ann, `DELETE /${name}/-/${name}-1.0.0.tgz/-rev/${rev}`)).status, 409, rev)
  }
  assert.equal(Object.keys((await world.document(name)).versions).length, 3)
})

test('a version that the document did not show is not removed by leaving it out', async () => {
  const name = await made(['1.0.0', '1.1.0'])
  const hidden = { name: name as PackageName, version: '1.0.0' as Version }
  await takeMeasure(world.ports, operator, 'quarantine', hidden, { code: 'security', words: 'looked at' })
  const document = await world.document(name)
  assert.equal((await as(ann, `PUT /${name}/-rev/${document._rev}`, document)).status, 200)
  assert.equal(
    (await world.ports.store.catalog.findVersion(hidden.name, hidden.version))?.status,
    'quarantined',
  )
})

test('what is under investigation cannot be made to disappear', async () => {
  const name = await made(['1.0.0', '1.1.0'])
  const held = { name: name as PackageName, version: '1.0.0' as Version }
  await takeMeasure(world.ports, operator, 'quarantine', held, { code: 'malware', words: 'looked at' })
  const refused = await as(ann, `DELETE /${name}/-rev/${(await world.document(name))._rev}`)
  assert.deepEqual([refused.status, refused.body.code], [403, 'unpublish-refused'])
})

test('all of a young package can be taken back; npm then tells when it was unpublished', async () => {
  const name = await made(['1.0.0', '1.1.0'])
  const reply = await as(ann, `DELETE /${name}/-rev/${(await world.document(name))._rev}`)
  assert.equal(reply.status, 200)
  const left = await world.npm(`GET /${name}`)
  assert.deepEqual([left.status, left.body.time.unpublished.versions], [200, ['1.0.0', '1.1.0']])
  assert.equal((await world.npm(`GET /${name}/-/${name}-1.0.0.tgz`)).status, 410)
})

test('what others here depend on stays, however young, and the refusal names them', async () => {
  const name = await made(['1.0.0'])
  const user = await made(['1.0.0'], { manifest: { dependencies: { [name]: '^1.0.0' } } })
  const refused = await as(ann, `DELETE /${name}/-rev/${(await world.document(name))._rev}`)
  assert.equal(refused.status, 403)
  assert.match(refused.body.error, new RegExp(`${user}.*[Dd]eprecate`))
  await as(ann, `DELETE /${user}/-rev/${(await world.document(user))._rev}`)
  assert.equal((await as(ann, `DELETE /${name}/-rev/${(await world.document(name))._rev}`)).status, 200)
})

test('after three days hardly used versions of a single owner may still go, others not', async () => {
  const used = await made(['1.0.0', '1.1.0'])
  const unused = await made(['1.0.0', '1.1.0'])
  const shared = await made(['1.0.0', '1.1.0'])
  await as(ann, `PUT /-/package/${shared}/owners`, { user: 'bob' })
  world.advance(4 * dayMs)
  await download(used, '1.1.0', 300)
  await download(unused, '1.1.0', 299)
  const remove = async (name: string) => {
    const document = await world.document(name)
    return as(ann, `PUT /${name}/-rev/${document._rev}`, without(document, '1.1.0'))
  }
  const refused = await remove(used)
  assert.equal(refused.status, 403)
  assert.match(refused.body.error, /300 times in the last week/)
  assert.match((await remove(shared)).body.error, /2 owners/)
  assert.equal((await remove(unused)).status, 200)
  world.advance(8 * dayMs)
  assert.equal((await remove(used)).status, 200)
})

test('strangers unpublish nothing, and of two who unpublish at once one wins', async () => {
  const name = await made(['1.0.0', '1.1.0', '1.2.0'])
  const document = await world.document(name)
  const path = `PUT /${name}/-rev/${document._rev}`
  assert.equal((await as(bob, path, without(document, '1.1.0'))).status, 403)
  assert.equal((await world.npm(path, { body: without(document, '1.1.0') })).status, 401)
  const both = await Promise.all([
    as(ann, path, without(document, '1.1.0')),
    as(ann, path, without(document, '1.2.0')),
  ])
  assert.deepEqual(both.map(reply => reply.status).sort(), [200, 409])
})

test('the whole of a scoped package is reached with its slash escaped or not', async () => {
  await world.publish(ann, '@slash/ui', '1.0.0')
  await world.publish(ann, '@slash/ui', '1.1.0')
  const document = await world.document('@slash/ui')
  assert.equal(
    (await as(ann, `PUT /@slash%2fui/-rev/${document._rev}`, without(document, '1.1.0'))).status,
    200,
  )
  const { _rev } = await world.document('@slash/ui')
  assert.equal((await as(ann, `DELETE /@slash/ui/-/ui-1.1.0.tgz/-rev/${_rev}`)).status, 200)
  assert.equal((await as(ann, `DELETE /@slash%2Fui/-rev/${_rev}`)).status, 200)
})

// Tags

test('a tag is set with a bare JSON string, listed, and removed', async () => {
  const name = await made(['1.0.0', '1.1.0'])
  const set = await as(ann, `PUT /-/package/${name}/dist-tags/be%2Fta`, '1.0.0')
  assert.deepEqual([set.status, set.body.ok], [200, true])
  const list = await world.npm(`GET /-/package/${name}/dist-tags`)
  assert.deepEqual(list.body, { 'be/ta': '1.0.0', latest: '1.1.0' })
  assert.equal((await as(ann, `DELETE /-/package/${name}/dist-tags/be%2Fta`)).status, 200)
  assert.equal((await as(ann, `DELETE /-/package/${name}/dist-tags/be%2Fta`)).status, 404)
})

test('tags that read as versions, unknown versions, strangers and the end of latest are refused', async () => {
  const name = await made(['1.0.0'])
  assert.equal((await as(ann, `PUT /-/package/${name}/dist-tags/1.x`, '1.0.0')).status, 400)
  assert.equal((await as(ann, `PUT /-/package/${name}/dist-tags/next`, '2.0.0')).status, 404)
  assert.equal((await as(ann, `PUT /-/package/${name}/dist-tags/next`, { version: '1.0.0' })).status, 400)
  assert.equal((await as(bob, `PUT /-/package/${name}/dist-tags/next`, '1.0.0')).status, 403)
  assert.equal((await as(ann, `DELETE /-/package/${name}/dist-tags/latest`)).status, 400)
  assert.equal((await as(ann, 'PUT /-/package/not-there/dist-tags/next', '1.0.0')).status, 404)
})

// Owners

test('npm owner: the document’s maintainers, sent back with one more or one less, and a matching revision', async () => {
  const name = await made(['1.0.0'])
  const set = async (...names: string[]) => {
    const { _id, _rev } = await world.document(name)
    return as(ann, `PUT /${name}/-rev/${_rev}`, {
      _id,
      _rev,
      maintainers: names.map(each => ({ name: each, email: '' })),
    })
  }
  assert.deepEqual((await set('ann', 'bob')).body, { ok: true, success: true })
  assert.deepEqual(
    (await world.document(name)).maintainers.map((each: Json) => each.name),
    ['ann', 'bob'],
  )
  await world.publish(bob, name, '1.1.0')
  assert.equal((await set('ann')).status, 200)
  await assert.rejects(world.publish(bob, name, '1.2.0'), /403/)
  assert.equal((await set('ann', 'nobody-here')).status, 404)
  assert.deepEqual([(await set()).status, (await set('bob')).status], [409, 200])
})

test('yarn 1’s owner change, made from a document without owners, wipes nobody', async () => {
  const name = await made(['1.0.0'])
  const reply = await as(ann, `PUT /${name}/-rev/undefined`, { maintainers: [{ name: 'bob', email: '' }] })
  assert.equal(reply.status, 409)
  assert.deepEqual(
    (await world.document(name)).maintainers.map((each: Json) => each.name),
    ['ann'],
  )
})

test('pnpm owner: added and removed by name; the last one stays, also when two remove each other at once', async () => {
  const name = await made(['1.0.0'])
  assert.equal((await as(ann, `PUT /-/package/${name}/owners`, { user: 'bob' })).status, 200)
  assert.equal((await as(ann, `PUT /-/package/${name}/owners`, { user: 'nobody-here' })).status, 404)
  const both = await Promise.all([
    as(ann, `DELETE /-/package/${name}/owners/bob`),
    as(bob, `DELETE /-/package/${name}/owners/ann`),
  ])
  assert.equal(both.filter(reply => reply.status === 200).length, 1)
  const { maintainers } = await world.document(name)
  const [last] = maintainers.map((each: Json) => each.name)
  assert.equal(maintainers.length, 1)
  assert.equal((await as(last === 'ann' ? ann : bob, `DELETE /-/package/${name}/owners/${last}`)).status, 409)
})

// Access

test('a package is made private and public again; strangers then find nothing', async () => {
  const name = await made(['1.0.0'])
  assert.deepEqual((await world.npm(`GET /-/package/${name}/visibility`)).body, { public: true })
  assert.equal((await as(ann, `POST /-/package/${name}/access`, { access: 'restricted' })).status, 200)
  assert.deepEqual((await as(ann, `GET /-/package/${name}/visibility`)).body, { public: false })
  assert.deepEqual((await as(ann, `GET /-/package/${name}/access`)).body, { access: 'restricted' })
  for (const path of [
    name,
    `${name}/-/${name}-1.0.0.tgz`,
    `-/package/${name}/visibility`,
    `-/package/${name}/dist-tags`,
  ]) {
    assert.equal((await as(bob, `GET /${path}`)).status, 404, path)
  }
  await as(ann, `POST /-/package/${name}/access`, { access: 'public' })
  assert.equal((await world.npm(`GET /${name}`)).status, 200)
  assert.equal((await as(bob, `POST /-/package/${name}/access`, { access: 'restricted' })).status, 403)
  assert.equal((await as(ann, `POST /-/package/${name}/access`, { access: 'secret' })).status, 400)
})

test('no answer tells a stranger whether a private package exists', async () => {
  const there = await made(['1.0.0'], { access: 'restricted' })
  const absent = 'nothing-is-here'
  const lines: readonly [line: string, body?: Json][] = [
    ['GET /NAME'],
    ['GET /NAME/1.0.0'],
    ['GET /NAME/-/NAME-1.0.0.tgz'],
    ['GET /-/package/NAME/dist-tags'],
    ['GET /-/package/NAME/visibility'],
    ['GET /-/package/NAME/access'],
    ['GET /-/package/NAME/collaborators'],
    ['PUT /-/package/NAME/dist-tags/next', '1.0.0'],
    ['DELETE /-/package/NAME/dist-tags/next'],
    ['POST /-/package/NAME/access', { access: 'public' }],
    ['PUT /-/package/NAME/owners', { user: 'bob' }],
    ['DELETE /-/package/NAME/owners/ann'],
    ['PUT /NAME', { versions: {}, _rev: '1-holdfast' }],
    ['PUT /NAME', { users: { bob: true } }],
    ['PUT /NAME/-rev/1-holdfast', { versions: {} }],
    ['PUT /NAME/-rev/1-holdfast', { maintainers: [{ name: 'bob' }] }],
    ['DELETE /NAME/-rev/1-holdfast'],
    ['DELETE /NAME/-/NAME-1.0.0.tgz/-rev/1-holdfast'],
    ['PUT /-/user/v1/star', { name: 'NAME' }],
    ['PUT /-/user/package/NAME/star', {}],
  ]
  for (const token of [undefined, bob.token]) {
    for (const [line, body] of lines) {
      const ask = async (name: string) => {
        const said =
          body === undefined ? {} : { body: JSON.parse(JSON.stringify(body).replaceAll('NAME', name)) }
        const reply = await world.npm(line.replaceAll('NAME', name), { token, ...said })
        return [reply.status, reply.text.replaceAll(name, 'NAME')]
      }
      assert.deepEqual(
        await ask(there),
        await ask(absent),
        `${token === undefined ? 'nobody' : 'bob'}: ${line}`,
      )
    }
  }
})

test('collaborators are a map to npm and a list to pnpm', async () => {
  const name = await made(['1.0.0'])
  assert.deepEqual((await as(ann, `GET /-/package/${name}/collaborators`)).body, { ann: 'write' })
  assert.deepEqual((await as(ann, `GET /-/package/${name}/collaborators?format=cli`)).body, [
    { user: 'ann', email: ann.email, permissions: 'read-write' },
  ])
  assert.deepEqual((await as(ann, `GET /-/package/${name}/collaborators?format=cli&user=bob`)).body, [])
})

test('packages of a user are listed as far as whoever asks may read them, also by pnpm’s doubled prefix', async () => {
  const cal = await world.someone('cal')
  await world.publish(cal, 'cals-open', '1.0.0')
  await world.publish(cal, 'cals-own', '1.0.0', { access: 'restricted' })
  assert.deepEqual((await as(cal, 'GET /-/user/cal/package')).body, {
    'cals-open': 'write',
    'cals-own': 'write',
  })
  assert.deepEqual((await as(bob, 'GET /-/user/cal/package')).body, { 'cals-open': 'write' })
  assert.deepEqual((await as(cal, 'GET /-/-/package?format=cli')).body, {
    'cals-open': 'write',
    'cals-own': 'write',
  })
  assert.equal((await as(bob, 'GET /-/user/nobody-here/package')).status, 404)
})

// Stars

test('a star is one’s own, in npm’s and in each of pnpm’s forms', async () => {
  const name = await made(['1.0.0'])
  const users = async () => (await world.document(name)).users
  const document = await world.document(name)
  await as(bob, `PUT /${name}`, { _id: name, _rev: document._rev, users: { bob: true, ann: true } })
  assert.deepEqual(await users(), { bob: true })
  assert.deepEqual((await world.npm('GET /-/_view/starredByUser?key=%22bob%22')).body, {
    rows: [{ value: name }],
  })
  assert.deepEqual((await as(bob, 'GET /-/user/v1/star')).body, { [name]: true })
  assert.deepEqual((await world.npm('GET /-/user/bob/stars')).body, { [name]: true })
  assert.deepEqual((await world.npm('GET /-/util/user/bob/stars')).body, { [name]: true })
  await as(bob, `PUT /${name}`, { _id: name, _rev: (await world.document(name))._rev, users: {} })
  assert.deepEqual(await users(), {})
  await as(bob, 'PUT /-/user/v1/star', { name, package: name })
  await as(bob, `DELETE /-/user/v1/star`, { name, package: name })
  assert.deepEqual(await users(), {})
  await as(bob, `PUT /-/user/package/${name}/star`, {})
  assert.deepEqual(await users(), { bob: true })
  const full = await world.document(name)
  await as(bob, `PUT /${name}/-rev/${full._rev}`, { ...full, users: {} })
  assert.deepEqual(await users(), {})
})
