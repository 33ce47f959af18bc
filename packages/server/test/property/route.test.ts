// SPDX-License-Identifier: Apache-2.0
/** Every route of npm's protocol against every role and token: allowed exactly when a table of its own says so. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { NamePattern, PackageName } from '@holdfast/core'
import fc from 'fast-check'
import type { PackageRole } from '../../src/catalog/index.ts'
import { changeAccess, createOrg, setMember, setPackageRole } from '../../src/flow/index.ts'
import { operator, type TokenLimits, toPerson } from '../../src/identity/index.ts'
import { identityRoutes } from '../../src/protocol/npm/route/index.ts'
import { publishDocument } from '../live.ts'
import { type Json, openWorld, type Reply, type Sent, type Someone, whence } from '../world.ts'

const world = await openWorld()
after(() => world.close())
const { ports } = world

/** What a request needs of whoever sends it. */
type Need =
  | { readonly on: 'package'; readonly role: PackageRole; readonly writes: boolean }
  | { readonly on: 'org'; readonly role: 'developer' | 'admin'; readonly writes: boolean }
  | { readonly on: 'team-grant' }
  | { readonly on: 'scope' }
  | { readonly on: 'self'; readonly manages: boolean }

/** Where a request is tried: a package with its document, and who sends it. */
interface Stage {
  readonly name: string
  readonly document: Json
  readonly who: Someone
  readonly count: number
}

interface Try {
  readonly route: string
  readonly need: Need
  readonly body?: (stage: Stage) => Json
  /** What stands in the path's places. */
  readonly at?: (stage: Stage) => Readonly<Record<string, string>>
}

const read: Need = { on: 'package', role: 'reader', writes: false }
const needs = (role: PackageRole): Need => ({ on: 'package', role, writes: true })
const manages: Need = { on: 'org', role: 'admin', writes: true }
const looks: Need = { on: 'org', role: 'developer', writes: false }
const withoutVersions = ({ document }: Stage) => ({ ...document, versions: {}, 'dist-tags': {} })
const rev = ({ document }: Stage) => ({ rev: document._rev })

const tries: readonly Try[] = [
  { route: 'GET /:pkg', need: read },
  { route: 'GET /:pkg/1.0.0', need: read },
  {
    route: 'GET /:pkg/-/:file',
    need: read,
    at: ({ name }) => ({ file: `${name.split('/').at(-1)}-1.0.0.tgz` }),
  },
  { route: 'GET /-/package/:pkg/dist-tags', need: read },
  { route: 'GET /-/package/:pkg/visibility', need: read },
  { route: 'GET /-/package/:pkg/access', need: read },
  { route: 'GET /-/package/:pkg/collaborators', need: read },
  { route: 'PUT /-/user/package/:pkg/star', need: read },
  { route: 'DELETE /-/user/package/:pkg/star', need: read },
  { route: 'PUT /:pkg', need: needs('maintainer'), body: ({ name }) => publishDocument(name, '1.1.0') },
  {
    route: 'PUT /:pkg',
    need: needs('triager'),
    body: ({ document }) => {
      const versions = { '1.0.0': { ...document.versions['1.0.0'], deprecated: 'old' } }
      return { ...document, versions }
    },
  },
  {
    route: 'POST /-/stage/package/:pkg',
    need: needs('maintainer'),
    body: ({ name }) => publishDocument(name, '1.1.0'),
  },
  {
    route: 'PUT /-/package/:pkg/dist-tags/:tag',
    need: needs('maintainer'),
    at: () => ({ tag: 'next' }),
    body: () => '1.0.0',
  },
  { route: 'DELETE /-/package/:pkg/dist-tags/:tag', need: needs('maintainer'), at: () => ({ tag: 'kept' }) },
  { route: 'POST /-/package/:pkg/access', need: needs('owner'), body: () => ({ access: 'restricted' }) },
  { route: 'PUT /-/package/:pkg/owners', need: needs('owner'), body: () => ({ user: 'friend' }) },
  {
    route: 'DELETE /-/package/:pkg/owners/:user',
    need: needs('owner'),
    at: () => ({ user: loginOf('maintainer') }),
  },
  {
    route: 'PUT /:pkg/-rev/:rev',
    need: needs('owner'),
    at: rev,
    body: ({ document }) => ({
      _rev: document._rev,
      maintainers: [...document.maintainers, { name: 'friend' }],
    }),
  },
  { route: 'PUT /:pkg/-rev/:rev', need: needs('owner'), at: rev, body: withoutVersions },
  { route: 'DELETE /:pkg/-rev/:rev', need: needs('owner'), at: rev },
  {
    route: 'DELETE /:pkg/-/:file/-rev/:rev',
    need: needs('owner'),
    at: stage => ({ ...rev(stage), file: `${stage.name.split('/').at(-1)}-1.0.0.tgz` }),
  },
  { route: 'GET /-/org/:org/user', need: looks },
  { route: 'GET /-/org/:org/team', need: looks },
  { route: 'GET /-/team/:org/:team/user', need: looks },
  { route: 'GET /-/team/:org/:team/package', need: looks },
  { route: 'PUT /-/org/:org/user', need: manages, body: () => ({ user: 'friend' }) },
  { route: 'DELETE /-/org/:org/user', need: manages, body: () => ({ user: 'spare' }) },
  { route: 'PUT /-/org/:org/team', need: manages, body: ({ count }) => ({ name: `team-${count}` }) },
  { route: 'DELETE /-/team/:org/:team', need: manages, at: () => ({ team: 'spare' }) },
  { route: 'PUT /-/team/:org/:team/user', need: manages, body: () => ({ user: loginOf('developer') }) },
  { route: 'DELETE /-/team/:org/:team/user', need: manages, body: () => ({ user: loginOf('developer') }) },
  {
    route: 'PUT /-/team/:org/:team/package',
    need: { on: 'team-grant' },
    body: ({ name }) => ({ package: name, permissions: 'read-only' }),
  },
  {
    route: 'DELETE /-/team/:org/:team/package',
    need: { on: 'team-grant' },
    body: ({ name }) => ({ package: name }),
  },
  {
    route: 'PUT /:pkg',
    need: { on: 'scope' },
    at: ({ count }) => ({ pkg: `@acme%2fnew-${count}` }),
    body: ({ count }) => publishDocument(`@acme/new-${count}`, '1.0.0'),
  },
  { route: 'GET /-/npm/v1/tokens', need: { on: 'self', manages: false } },
  { route: 'GET /-/npm/v1/user', need: { on: 'self', manages: false } },
  {
    route: 'POST /-/npm/v1/tokens',
    need: { on: 'self', manages: true },
    body: ({ who }) => ({ name: 'bred', password: who.password, readonly: true }),
  },
  { route: 'POST /-/npm/v1/user', need: { on: 'self', manages: true }, body: () => ({ fullname: 'Other' }) },
]

/** Routes of which no role decides: signing in and out, one's own names, and what has tests of its own. */
const elsewhere = [
  /^(POST|GET|PUT|DELETE) \/-\/v1\/(login|done)$/,
  /^PUT \/-\/user\/:user(\/-rev\/:rev)?$/,
  /^GET \/-\/user\/:user$/,
  /^DELETE \/-\/user\/token\/:token$/,
  /^GET \/-\/whoami$/,
  /^DELETE \/-\/npm\/v1\/tokens\/token\/:token$/,
  /^GET \/-\/(user\/:user\/package|-\/package|org\/:org\/package)$/,
  /star/,
  /trust|oidc/,
  / \/-\/stage(\/:id.*)?$/,
  /^PUT \/team\/:scope$/,
]

const ladder: readonly PackageRole[] = ['reader', 'triager', 'maintainer', 'owner']
const castNames = [
  'owner',
  'maintainer',
  'triager',
  'reader',
  'chief',
  'steward',
  'developer',
  'stranger',
] as const
type CastName = (typeof castNames)[number]

/** Not the role itself: no leaf of the log may hold a person's name. */
function loginOf(name: CastName): string {
  return `${name}-1`
}

const cast = new Map<CastName, Someone>()
for (const name of castNames) cast.set(name, await world.someone(loginOf(name)))
await world.someone('friend')
await world.someone('spare')
await foundOrg()

async function foundOrg(): Promise<void> {
  const account = await ports.store.identity.findAccountByLogin(loginOf('chief'))
  assert.ok(account !== undefined)
  const session = { kind: 'session', id: '', freshUntil: world.now() + 1 } as const
  await createOrg(ports, toPerson(account, session, whence), 'acme')
  await setMember(ports, operator, 'acme', loginOf('steward'), 'admin')
  await setMember(ports, operator, 'acme', loginOf('developer'), 'developer')
  await send('chief', undefined, 'PUT /-/org/acme/team', { body: { name: 'core' } })
}

async function send(who: CastName, token: string | undefined, line: string, sent: Sent): Promise<Reply> {
  return world.npm(line, { ...sent, token: token ?? someone(who).token })
}

function someone(name: CastName): Someone {
  const found = cast.get(name)
  assert.ok(found !== undefined)
  return found
}

/** What they are worth on a package, by its scope: the organisation's people reach into theirs. */
function roleOf(who: CastName, isScoped: boolean): PackageRole | undefined {
  const own = ladder.find(role => role === who)
  if (own !== undefined || !isScoped) return own
  return { chief: 'owner', steward: 'owner', developer: 'reader' }[who as string] as PackageRole | undefined
}

const orgRole: Readonly<Record<string, number>> = { developer: 1, steward: 2, chief: 3 }

/** The table in the test's own words. */
function isAllowed(
  need: Need,
  who: CastName,
  limits: TokenLimits,
  stage: { name: string; isPrivate: boolean },
): boolean {
  const isScoped = stage.name.startsWith('@acme/')
  const writes = limits.permission === 'read-write'
  const touches =
    limits.packages?.some(pattern => pattern === stage.name || (pattern === '@acme/*' && isScoped)) ?? true
  const reaches = (role: PackageRole) => {
    const held = roleOf(who, isScoped)
    return held !== undefined && ladder.indexOf(held) >= ladder.indexOf(role)
  }
  const managesOrg = limits.orgs?.includes('acme') ?? limits.packages === undefined
  switch (need.on) {
    case 'package':
      if (need.writes) return writes && touches && reaches(need.role)
      return !stage.isPrivate || (touches && reaches(need.role))
    case 'org':
      return (
        (orgRole[who] ?? 0) >= (need.role === 'admin' ? 2 : 1) && (!need.writes || (writes && managesOrg))
      )
    case 'team-grant':
      return isAllowed(manages, who, limits, stage) && isAllowed(needs('owner'), who, limits, stage)
    case 'scope':
      return (
        (orgRole[who] ?? 0) >= 1 && writes && (limits.packages?.includes('@acme/*' as NamePattern) ?? true)
      )
    case 'self':
      return !need.manages || (writes && limits.packages === undefined && limits.orgs === undefined)
  }
}

let count = 0

/** A package with everybody in their role, and a tag to take away. */
async function makeStage(isScoped: boolean, isPrivate: boolean): Promise<string> {
  count += 1
  const name = isScoped ? `@acme/p${count}` : `p${count}`
  await world.publish(isScoped ? someone('chief') : someone('owner'), name, '1.0.0')
  const pkg = name as PackageName
  for (const role of ladder) await setPackageRole(ports, operator, pkg, loginOf(role as CastName), role)
  if (isPrivate) await changeAccess(ports, operator, pkg, { access: 'restricted' })
  const tag = `PUT /-/package/${name.replace('/', '%2f')}/dist-tags/kept`
  await send('owner', undefined, tag, { body: '1.0.0' })
  return name
}

/** The organisation as every case finds it. */
async function tidyOrg(): Promise<void> {
  const { identity } = ports.store
  const as = (line: string, body: Json) => send('chief', undefined, line, { body })
  const friend = await identity.findAccountByLogin('friend')
  if ((await identity.orgRole(friend?.id ?? '', 'acme')) !== undefined)
    await as('DELETE /-/org/acme/user', { user: 'friend' })
  await as('PUT /-/org/acme/user', { user: 'spare' })
  if ((await identity.findTeamId('acme', 'spare')) === undefined)
    await as('PUT /-/org/acme/team', { name: 'spare' })
}

const limits: fc.Arbitrary<TokenLimits> = fc.record(
  {
    permission: fc.constantFrom('read-write' as const, 'read-write' as const, 'read-only' as const),
    bypassTfa: fc.constant(false),
    packages: fc.constantFrom<readonly NamePattern[]>(
      ['@acme/*' as NamePattern],
      ['elsewhere' as NamePattern],
      [],
    ),
    orgs: fc.constantFrom<readonly string[]>(['acme'], ['other'], []),
  },
  { requiredKeys: ['permission', 'bypassTfa'] },
)

test('every route that a role decides is tried below', () => {
  const all = identityRoutes.map(({ method, pattern }) => `${method} /${pattern.join('/')}`)
  const tried = new Set(tries.map(each => each.route))
  const forgotten = all.filter(each => !tried.has(each) && !elsewhere.some(other => other.test(each)))
  assert.deepEqual(forgotten, [])
})

test('a request is allowed exactly when role and token allow it, and a refused one changes nothing', async () => {
  const stages = new Map<string, string>()
  const one = fc.record({
    who: fc.constantFrom(...castNames),
    limits,
    index: fc.nat(tries.length - 1),
    isScoped: fc.boolean(),
    isPrivate: fc.boolean(),
  })
  const property = fc.asyncProperty(one, async ({ who, limits: wide, index, isScoped, isPrivate }) => {
    const tried = tries[index]
    assert.ok(tried !== undefined)
    const key = `${isScoped} ${isPrivate}`
    const name = stages.get(key) ?? (await makeStage(isScoped, isPrivate))
    stages.set(key, name)
    if (tried.need.on === 'org') await tidyOrg()
    const before = await ports.store.catalog.findPackage(name as PackageName)
    const document = await world.document(name, someone('owner').token)
    count += 1
    const stage = { name, document, who: someone(who), count }
    const places: Record<string, string> = {
      pkg: name.replace('/', '%2f'),
      org: 'acme',
      team: 'core',
      ...tried.at?.(stage),
    }
    const line = tried.route.replace(/:(\w+)/g, (_, place: string) => places[place] ?? '')
    const token = await world.token(someone(who), wide, world.now() + 3600_000)
    const reply = await send(who, token, line, tried.body === undefined ? {} : { body: tried.body(stage) })
    const expected = isAllowed(tried.need, who, wide, { name, isPrivate })
    const said = `${who} ${JSON.stringify(wide)} ${line} (${isPrivate ? 'private' : 'public'}): ${reply.status} ${reply.text.slice(0, 200)}`
    assert.equal(reply.status < 300, expected, said)
    if (!expected) {
      assert.ok([401, 403, 404].includes(reply.status), said)
      const now = await ports.store.catalog.findPackage(name as PackageName)
      assert.equal(now?.revision, before?.revision, said)
    } else if (!line.startsWith('GET')) stages.delete(key)
  })
  await fc.assert(property, { numRuns: 250, endOnFailure: true })
  await world.check()
  assert.deepEqual(world.errors, [])
})
