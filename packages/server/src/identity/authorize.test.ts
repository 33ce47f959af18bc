// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type NamePattern, type PackageName, type ProblemCode, parseNamePattern } from '@holdfast/core'
import fc from 'fast-check'
import type { Access, PackageRole } from '../catalog/index.ts'
import type { Ports } from '../ports.ts'
import { type Actor, nobody, operator, type TokenLimits } from './actor.ts'
import { authorize, may, mayReadPublic } from './authorize.ts'
import { type Operation, operations, type Rule } from './operation.ts'
import type { Person } from './person.ts'
import type { OrgRole } from './port.ts'

/** What the store knows in one case. */
interface Case {
  readonly read?: 'anyone' | 'signed-in'
  readonly access?: Access
  readonly role?: PackageRole
  readonly orgRole?: OrgRole
  readonly orgExists?: boolean
}

const name = '@acme/ui' as PackageName

function portsOf(facts: Case): Pick<Ports, 'store' | 'config'> {
  const store = {
    catalog: { findPackage: async () => (facts.access === undefined ? undefined : { access: facts.access }) },
    identity: {
      roleOn: async () => facts.role,
      orgRole: async () => facts.orgRole,
      orgExists: async () => facts.orgExists ?? facts.orgRole !== undefined,
      // The organisation lets in the jobs of `machine('job', …)`.
      listReaders: async () => [{ id: 'tp_1' }],
    },
  }
  return { config: { read: facts.read ?? 'anyone' }, store } as unknown as Pick<Ports, 'store' | 'config'>
}

function person(change: Partial<Person> = {}): Person {
  return {
    kind: 'person',
    id: 'a_1',
    login: 'ann',
    roles: [],
    verified: true,
    tfa: 'none',
    hasPasskey: false,
    credential: { kind: 'password' },
    from: { address: '192.0.2.7', client: '', web: false },
    ...change,
  }
}

function withToken(limits: Partial<TokenLimits>, change: Partial<Person> = {}): Person {
  const full: TokenLimits = { permission: 'read-write', bypassTfa: false, ...limits }
  return person({ ...change, credential: { kind: 'token', id: 't_1', limits: full, expiresAt: null } })
}

const refuses = (facts: Case, actor: Actor, operation: Operation, subject: string, code: ProblemCode) =>
  assert.rejects(authorize(portsOf(facts), actor, operation, subject), { code })

const all = Object.keys(operations) as Operation[]
const ruleOf = (operation: Operation): Rule => operations[operation]
const subjectOf = (operation: Operation) =>
  (({ package: name, name, org: 'acme', self: 'a_1' }) as Record<string, string>)[
    ruleOf(operation).needs.on
  ] ?? ''
const everything: Case = { access: 'restricted', role: 'owner', orgRole: 'owner' }
const everyRole = ['operator', 'responder', 'auditor'] as const

test('whose password leaked may change it, sign out, and nothing else, whatever their roles', async () => {
  const actor = person({ mustChangePassword: true, roles: everyRole })
  const allowed = ['session:create', 'account:read', 'account:password', 'account:sign-out']
  for (const operation of all) {
    const subject = subjectOf(operation)
    assert.equal(
      await may(portsOf(everything), actor, operation, subject),
      allowed.includes(operation),
      operation,
    )
    if (allowed.includes(operation)) continue
    await assert.rejects(authorize(portsOf(everything), actor, operation, subject))
  }
})

test('the machine’s owner and the system may do everything; nobody may do nothing but begin', async () => {
  for (const operation of all) {
    assert.ok(await may(portsOf({}), operator, operation, subjectOf(operation)), operation)
    const open = ['account:create', 'account:recover', 'report:make'].includes(operation)
    assert.equal(
      await may(portsOf({ access: 'restricted' }), nobody, operation, subjectOf(operation)),
      open,
      operation,
    )
  }
})

test('a machine reads and publishes what its token names, and does nothing else, whatever its token says', async () => {
  const from = { address: '192.0.2.7', client: '', web: false }
  const machine = (kind: 'job' | 'robot', limits: Partial<TokenLimits>): Actor => {
    const full: TokenLimits = { permission: 'read-write', bypassTfa: true, orgs: ['acme'], ...limits }
    const credential = { kind: 'token', id: 't_1', limits: full, expiresAt: null } as const
    return kind === 'job'
      ? { kind, id: 'tp_1', credential, from }
      : { kind, id: 'rb_1', name: 'acme/ci', credential, from }
  }
  const config = { read: 'signed-in' } as Ports['config']
  assert.ok(mayReadPublic(config, machine('robot', { readsOrgs: ['acme'] })))
  assert.ok(!mayReadPublic(config, machine('job', {})))
  const packages = [parseNamePattern('@acme/ui')]
  const cases: readonly (readonly [Partial<TokenLimits>, Case, readonly Operation[]])[] = [
    [{ packages }, everything, ['package:read', 'package:publish', 'package:create', 'package:stage']],
    [{ packages, permission: 'stage-only' }, everything, ['package:read', 'package:stage']],
    [{ packages: [parseNamePattern('@acme/other')] }, everything, []],
    [{ packages: [parseNamePattern('@acme/other')] }, { access: 'public' }, ['package:read']],
    [{ packages: [parseNamePattern('@acme/other')] }, { access: 'public', read: 'signed-in' }, []],
    // Without names a token that may write writes nothing: none of ours is made so.
    [{}, everything, []],
    [{ permission: 'read-only', readsOrgs: ['acme'] }, everything, ['package:read']],
    [{ permission: 'read-only', readsOrgs: ['other'] }, everything, []],
    [
      { permission: 'read-only', readsOrgs: ['acme'] },
      { access: 'public', read: 'signed-in' },
      ['package:read'],
    ],
    [
      { packages, readsOrgs: ['acme'] },
      everything,
      ['package:read', 'package:publish', 'package:create', 'package:stage'],
    ],
  ]
  for (const kind of ['job', 'robot'] as const)
    for (const [limits, facts, allowed] of cases)
      for (const operation of all)
        assert.equal(
          await may(portsOf(facts), machine(kind, limits), operation, subjectOf(operation)),
          operation === 'job:enter' || allowed.includes(operation),
          `${kind} ${JSON.stringify(limits)} ${operation}`,
        )
})

test('a private package is not found by who has no role on it, whatever they try; a public one is forbidden', async () => {
  for (const operation of all.filter(each => ruleOf(each).needs.on === 'package')) {
    await refuses({ access: 'restricted' }, person(), operation, name, 'package-not-found')
    if (operation !== 'package:read' && operation !== 'package:star')
      await refuses({ access: 'public' }, person(), operation, name, 'forbidden')
    await refuses({ access: 'restricted', read: 'signed-in' }, nobody, operation, name, 'unauthenticated')
    const told = operation === 'package:read' ? 'package-not-found' : 'unauthenticated'
    await refuses({ access: 'restricted' }, nobody, operation, name, told)
  }
})

test('public packages are read by anyone, or only by those who are signed in', async () => {
  assert.ok(await may(portsOf({ access: 'public' }), nobody, 'package:read', name))
  assert.ok(!(await may(portsOf({ access: 'public', read: 'signed-in' }), nobody, 'package:read', name)))
  assert.ok(await may(portsOf({ access: 'public', read: 'signed-in' }), person(), 'package:read', name))
})

const order: readonly PackageRole[] = ['reader', 'triager', 'maintainer', 'owner']

test('each role on a package may what lesser ones may, and no more than the table says', async () => {
  for (const operation of all) {
    const { needs } = ruleOf(operation)
    if (needs.on !== 'package') continue
    for (const role of order) {
      const expected: boolean = order.indexOf(role) >= order.indexOf(needs.role)
      assert.equal(
        await may(portsOf({ access: 'restricted', role }), person(), operation, name),
        expected,
        `${role} ${operation}`,
      )
    }
  }
})

test('a scope that is an organisation takes new packages from its members only', async () => {
  assert.ok(await may(portsOf({ orgExists: false }), person(), 'package:create', name))
  await refuses({ orgExists: true }, person(), 'package:create', name, 'forbidden')
  assert.ok(await may(portsOf({ orgRole: 'developer' }), person(), 'package:create', name))
})

test('an account without a proven address does nothing for others', async () => {
  for (const operation of all.filter(each => ['write', 'manage'].includes(ruleOf(each).token))) {
    await refuses(
      everything,
      person({ verified: false, roles: everyRole }),
      operation,
      subjectOf(operation),
      'email-unverified',
    )
  }
})

test('nobody acts on another’s account', async () => {
  for (const operation of all.filter(each => ruleOf(each).needs.on === 'self')) {
    await refuses(everything, person({ roles: everyRole }), operation, 'a_2', 'forbidden')
  }
})

test('a token that may only read writes nothing and manages nothing', async () => {
  for (const operation of all.filter(each => ['write', 'manage'].includes(ruleOf(each).token))) {
    await refuses(
      everything,
      withToken({ permission: 'read-only' }, { roles: everyRole }),
      operation,
      subjectOf(operation),
      'read-only-token',
    )
  }
})

test('no token does what only people in a browser may', async () => {
  for (const operation of all.filter(each => ruleOf(each).token === 'never')) {
    assert.ok(
      !(await may(portsOf(everything), withToken({}, { roles: everyRole }), operation, subjectOf(operation))),
      operation,
    )
  }
})

test('a token for some packages touches no other package, no organisation, and not the account', async () => {
  const token = withToken({ packages: ['@other/*' as NamePattern] }, { roles: everyRole })
  for (const operation of all.filter(each => ruleOf(each).token !== 'read')) {
    assert.ok(!(await may(portsOf(everything), token, operation, subjectOf(operation))), operation)
  }
  assert.ok(!(await may(portsOf(everything), token, 'package:read', name)))
  assert.ok(await may(portsOf({ ...everything, access: 'public' }), token, 'package:read', name))
})

test('a token for an organisation manages that one only', async () => {
  assert.ok(await may(portsOf(everything), withToken({ orgs: ['acme'] }), 'org:manage', 'acme'))
  assert.ok(!(await may(portsOf(everything), withToken({ orgs: ['acme'] }), 'org:manage', 'other')))
  assert.ok(!(await may(portsOf(everything), withToken({ orgs: ['acme'] }), 'token:create', 'a_1')))
})

const limits: fc.Arbitrary<TokenLimits> = fc.record(
  {
    permission: fc.constantFrom('read-only' as const, 'stage-only' as const, 'read-write' as const),
    bypassTfa: fc.boolean(),
    packages: fc.array(
      fc.constantFrom('@acme/*', '@acme/ui', '@acme/other', 'ui', '*').map(parseNamePattern),
      { maxLength: 3 },
    ),
    orgs: fc.array(fc.constantFrom('acme', 'other'), { maxLength: 2 }),
    cidr: fc.constant(['192.0.2.0/24']),
  },
  { requiredKeys: ['permission', 'bypassTfa'] },
)
const facts: fc.Arbitrary<Case> = fc.record(
  {
    read: fc.constantFrom('anyone' as const, 'signed-in' as const),
    access: fc.constantFrom('public' as const, 'restricted' as const),
    role: fc.constantFrom(...order),
    orgRole: fc.constantFrom('owner' as const, 'admin' as const, 'developer' as const),
    orgExists: fc.boolean(),
  },
  { requiredKeys: [] },
)
const holder = fc.record({ roles: fc.subarray([...everyRole]), verified: fc.boolean() })

test('no limit of a token ever allows what its holder may not, and tightening one never allows more', async () => {
  const operation = fc.constantFrom(...all)
  await fc.assert(
    fc.asyncProperty(facts, holder, operation, limits, async (known, who, act, wide) => {
      const ports = portsOf(known)
      const subject = subjectOf(act)
      const byToken = await may(ports, withToken(wide, who), act, subject)
      if (byToken) assert.ok(await may(ports, person(who), act, subject))
      const narrower: TokenLimits = {
        ...wide,
        permission: 'read-only',
        packages: wide.packages?.slice(0, 1) ?? [],
      }
      if (await may(ports, withToken(narrower, who), act, subject))
        assert.ok(byToken, `${act} by ${JSON.stringify(narrower)}`)
    }),
    { numRuns: 2000 },
  )
})
