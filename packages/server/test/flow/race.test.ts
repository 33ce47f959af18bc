// SPDX-License-Identifier: Apache-2.0
/** Two at once, on both databases: SQLite lets one write at a time, PostgreSQL many. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { PackageName, Version } from '@holdfast/core'
import { createOrg, ensureAccount, revokeLeaked } from '../../src/flow/index.ts'
import { operator, toPerson } from '../../src/identity/index.ts'
import { publishDocument } from '../live.ts'
import { startPostgres } from '../postgres.ts'
import { type Json, openWorld, type Someone, type World, whence } from '../world.ts'

const rounds = 8

const drivers: Readonly<Record<string, () => Promise<Record<string, string>>>> = {
  SQLite: async () => ({}),
  PostgreSQL: async () => {
    const server = await startPostgres()
    return { database: server.url(await server.createDatabase()) }
  },
}

for (const [driver, flags] of Object.entries(drivers)) {
  const world = await openWorld(await flags())
  after(() => world.close())
  raceTests(driver, world, await world.someone('ann'), await world.someone('bob'))
}

function raceTests(driver: string, world: World, ann: Someone, bob: Someone): void {
  const as = (who: Someone, line: string, body?: Json) =>
    world.npm(line, { token: who.token, ...(body === undefined ? {} : { body }) })
  const statuses = async (...asked: Promise<{ status: number }>[]) =>
    (await Promise.all(asked)).map(reply => reply.status).sort()

  /** Runs a race several times, and verifies everything after. */
  const race = (name: string, run: (round: string) => Promise<void>) =>
    test(`${driver}: ${name}`, async () => {
      for (let round = 1; round <= rounds; round++) await run(`${name.length}-${round}`)
      await world.check()
      assert.deepEqual(world.errors, [])
    })

  race('of two owners who remove each other one stays', async round => {
    const name = `owned-${round}`
    await world.publish(ann, name, '1.0.0')
    await as(ann, `PUT /-/package/${name}/owners`, { user: 'bob' })
    await statuses(
      as(ann, `DELETE /-/package/${name}/owners/bob`),
      as(bob, `DELETE /-/package/${name}/owners/ann`),
    )
    const people = await world.ports.store.catalog.listPeople(name as PackageName)
    assert.equal(people.length, 1)
  })

  race('of two owners of an organisation who remove each other one stays', async round => {
    const org = `org-${round}`
    const account = await world.ports.store.identity.findAccount(ann.id)
    assert.ok(account !== undefined)
    const session = { kind: 'session', id: '', freshUntil: world.now() + 1 } as const
    await createOrg(world.ports, toPerson(account, session, whence), org)
    await as(ann, `PUT /-/org/${org}/user`, { user: 'bob', role: 'owner' })
    await statuses(
      as(ann, `DELETE /-/org/${org}/user`, { user: 'bob' }),
      as(bob, `DELETE /-/org/${org}/user`, { user: 'ann' }),
    )
    assert.equal((await world.ports.store.identity.listOrgMembers(org)).length, 1)
  })

  race('a name becomes a user or an organisation, never both', async round => {
    const name = `both-${round}`
    const account = await world.ports.store.identity.findAccount(ann.id)
    assert.ok(account !== undefined)
    const session = { kind: 'session', id: '', freshUntil: world.now() + 1 } as const
    const both = await Promise.allSettled([
      createOrg(world.ports, toPerson(account, session, whence), name),
      ensureAccount(world.ports, operator, name),
    ])
    assert.equal(both.filter(({ status }) => status === 'fulfilled').length, 1)
  })

  race('a tag never points at a version that goes in the same moment', async round => {
    const name = `tagged-${round}`
    for (const version of ['1.0.0', '1.1.0']) await world.publish(ann, name, version)
    const document = await world.document(name)
    const { '1.1.0': _, ...versions } = document.versions
    const left = { ...document, versions, 'dist-tags': { latest: '1.0.0' } }
    await statuses(
      as(ann, `PUT /${name}/-rev/${document._rev}`, left),
      as(ann, `PUT /-/package/${name}/dist-tags/next`, '1.1.0'),
    )
    const facts = await world.ports.store.catalog.findVersion(name as PackageName, '1.1.0' as Version)
    const tags = await world.ports.store.catalog.listTags(name as PackageName)
    assert.ok(facts?.status === 'live' || ![...tags.values()].includes('1.1.0' as Version))
  })

  race('of two who publish one version one wins, and different versions all get in', async round => {
    const name = `raced-${round}`
    await world.publish(ann, name, '1.0.0')
    await as(ann, `PUT /-/package/${name}/owners`, { user: 'bob' })
    const put = (who: Someone, version: string, readme: string) =>
      as(who, `PUT /${name}`, publishDocument(name, version, { files: { 'README.md': readme } }))
    assert.deepEqual(await statuses(put(ann, '1.1.0', 'a'), put(bob, '1.1.0', 'b')), [201, 403])
    const all = ['1.2.0', '1.3.0', '1.4.0', '1.5.0'].map(version => put(ann, version, version))
    assert.deepEqual(await statuses(...all), [201, 201, 201, 201])
  })

  race('a leaked token that two report at once ends once, with one letter', async round => {
    const { ports } = world
    const token = await world.token(ann)
    const position = await ports.store.events.head()
    const leak = { source: 'report', where: `https://paste.example/${round}` } as const
    const told = await Promise.all([1, 2, 3].map(() => revokeLeaked(ports, token, leak)))
    assert.deepEqual(told.sort(), [false, false, true])
    assert.equal((await world.endedSince(position)).length, 1)
    const letters = await ports.store.mail.listRecent(100)
    assert.equal(letters.filter(({ text }) => text.includes(leak.where)).length, 1)
  })

  race('a star set twice at once is one star', async round => {
    const name = `starred-${round}`
    await world.publish(ann, name, '1.0.0')
    const star = () => as(bob, `PUT /-/user/package/${name}/star`, {})
    assert.deepEqual(await statuses(star(), star(), star()), [200, 200, 200])
    assert.deepEqual((await world.document(name)).users, { bob: true })
  })

  race('of two who change one document one has a conflict', async round => {
    const name = `changed-${round}`
    await world.publish(ann, name, '1.0.0')
    const say = async (deprecated: string) => {
      const document = await world.document(name)
      document.versions['1.0.0'].deprecated = deprecated
      return document
    }
    const [one, other] = [await say('one'), await say('other')]
    assert.deepEqual(await statuses(as(ann, `PUT /${name}`, one), as(ann, `PUT /${name}`, other)), [200, 409])
  })

  race('a member is added twice, and a team made twice, at once', async round => {
    const org = `twice-${round}`
    const account = await world.ports.store.identity.findAccount(ann.id)
    assert.ok(account !== undefined)
    const session = { kind: 'session', id: '', freshUntil: world.now() + 1 } as const
    await createOrg(world.ports, toPerson(account, session, whence), org)
    const add = () => as(ann, `PUT /-/org/${org}/user`, { user: 'bob', role: 'developer' })
    assert.deepEqual(await statuses(add(), add(), add()), [200, 200, 200])
    const make = () => as(ann, `PUT /-/org/${org}/team`, { name: 'builders' })
    assert.deepEqual(await statuses(make(), make()), [201, 409])
    const join = () => as(ann, `PUT /-/team/${org}/builders/user`, { user: 'bob' })
    assert.deepEqual(await statuses(join(), join()), [200, 200])
  })
}
