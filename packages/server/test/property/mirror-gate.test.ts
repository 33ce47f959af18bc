// SPDX-License-Identifier: Apache-2.0
/**
 * No path disagrees about an upstream's versions: whatever they are like, whatever the policy, its waivers and people's
 * measures, cached or not, and while time goes by without an event. What is true is judged anew for each look.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type DistTag, isProblem, type PackageName, statusTable, type Version } from '@holdfast/core'
import fc from 'fast-check'
import { decide, parseRules } from '../../src/catalog/index.ts'
import { applyPolicy, askWaiver, decideWaiver, takeMeasure, viewPackage } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { startUpstream, type UpstreamRegistry } from '../upstream-registry.ts'
import { type Json, openWorld, type World } from '../world.ts'
import { holds } from './holds.ts'

let world: World
let upstream: UpstreamRegistry
let counter = 0

before(async () => {
  upstream = await startUpstream()
  world = await openWorld({
    origins: JSON.stringify({ up: upstream.url }),
    routes: JSON.stringify({ '*': 'up' }),
    allowPrivateHosts: '127.0.0.1',
  })
})
after(async () => {
  await world.close()
  await upstream.close()
})

const numbers = ['1.0.0', '1.0.1', '1.1.0', '2.0.0-beta.1', '2.0.0'] as Version[]

const anyVersion = fc.record({
  ageHours: fc.integer({ min: 0, max: 40 * 24 }),
  hasScript: fc.boolean(),
  publisher: fc.constantFrom('ann', 'ann', 'ben'),
  deprecated: fc.constantFrom('', '', 'use another'),
})

const anyRules = fc
  .subarray([
    { kind: 'release-age', days: 3 },
    { kind: 'install-script' },
    { kind: 'deprecated' },
    { kind: 'publisher-change' },
    { kind: 'new-name', days: 20 },
    { kind: 'deny', packages: ['*'], versions: '>=1.1.0 <2.0.0' },
  ])
  .chain(some =>
    fc.tuple(
      ...some.map(rule =>
        fc.record({
          mode: fc.constantFrom('enforce', 'enforce', 'monitor'),
          action: fc.constantFrom('block', 'block', 'hold', 'warn'),
          ...Object.fromEntries(Object.entries(rule).map(([key, value]) => [key, fc.constant(value)])),
        }),
      ),
    ),
  )
  .map(parseRules)

const version = fc.constantFrom(...numbers)

const anyChange = fc.oneof(
  fc.record({ kind: fc.constant('policy' as const), rules: anyRules }),
  fc.record({ kind: fc.constant('waiver' as const), version, days: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    kind: fc.constant('measure' as const),
    version,
    measure: fc.constantFrom('quarantine', 'release'),
  }),
  fc.record({ kind: fc.constant('time' as const), hours: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ kind: fc.constant('time' as const), hours: fc.integer({ min: 1, max: 60 }) }),
)

test('every path agrees about an upstream package, after every change and as time goes by', {
  timeout: 120_000,
}, async () => {
  const histories = fc.record({
    versions: fc.array(anyVersion, { minLength: numbers.length, maxLength: numbers.length }),
    changes: fc.array(anyChange, { minLength: 3, maxLength: 8 }),
  })
  await holds(
    histories,
    async ({ versions, changes }) => {
      counter += 1
      const name = `lib${counter}` as PackageName
      for (const [index, each] of versions.entries()) {
        const { hasScript, publisher, deprecated } = each
        upstream.publish(name, numbers[index] ?? '', {
          publishedAt: world.now() - each.ageHours * 3600_000,
          manifest: {
            ...(hasScript ? { scripts: { install: 'x' } } : {}),
            ...(deprecated === '' ? {} : { deprecated }),
            _npmUser: { name: publisher, email: `${publisher}@people.example` },
          },
        })
      }
      await checkPaths(name)
      for (const change of changes) {
        await make(name, change)
        await checkPaths(name)
      }
    },
    { numRuns: 20, interruptAfterTimeLimit: 15_000 },
  )
  assert.deepEqual(world.errors, [])
})

async function make(
  name: PackageName,
  change: typeof anyChange extends fc.Arbitrary<infer T> ? T : never,
): Promise<void> {
  try {
    if (change.kind === 'time') world.advance(change.hours * 3600_000)
    else if (change.kind === 'policy') await applyPolicy(world.ports, operator, change.rules)
    else if (change.kind === 'measure') {
      const reason = { code: 'security', words: 'because of a test' } as const
      await takeMeasure(
        world.ports,
        operator,
        change.measure as 'release',
        { name, version: change.version },
        reason,
      )
    } else {
      const { id } = await askWaiver(world.ports, operator, { name, version: change.version }, 'a test')
      await decideWaiver(world.ports, operator, id, { kind: 'grant', days: change.days, words: '' })
    }
  } catch (error) {
    // What does not apply is refused and changes nothing.
    if (!isProblem(error)) throw error
  }
}

async function checkPaths(name: PackageName): Promise<void> {
  // The upstream is asked first, so that nobody revalidates between two looks.
  await world.ports.mirrors.refresh(name, 'up')
  const view = await viewPackage(world.ports, name)
  const truth = view?.versions ?? []
  const listed = truth.filter(each => decide(each).listed).map(each => each.version)
  const refused = truth.filter(each => statusTable[each.status].httpStatus === 403).map(each => each.version)
  const resolving = new Set<string>(truth.filter(each => decide(each).resolves).map(each => each.version))
  for (const accept of ['application/json', 'application/vnd.npm.install-v1+json'])
    for (const round of ['fresh', 'remembered']) {
      const { body } = await world.npm(`GET /${name}`, { headers: { accept } })
      const where = `${round} ${accept} of ${name}`
      assert.deepEqual(Object.keys(body.versions).sort(), [...listed].sort(), where)
      for (const [tag, target] of Object.entries(body['dist-tags']))
        assert.ok(resolving.has(String(target)), `${tag} of ${where} points at ${target}`)
      assert.equal('latest' in body['dist-tags'], resolving.size > 0, where)
      const restricted = Object.keys(body.policyRestrictions?.versions ?? {}).sort()
      assert.deepEqual(restricted, [...refused].sort(), where)
    }
  const latest = truth.find(each => each.version === view?.tags.get('latest' as DistTag))
  const found = (await world.npm(`GET /-/v1/search?text=${name}&size=250`)).body.objects
  assert.deepEqual(
    found.filter((each: Json) => each.package.name === name).map((each: Json) => each.package.version),
    latest !== undefined && decide(latest).searchable ? [latest.version] : [],
    `search for ${name}`,
  )
  for (const facts of truth) {
    const { version, status } = facts
    const wanted = statusTable[status].httpStatus
    const where = `${name}@${version} (${status} by ${facts.rule})`
    assert.equal((await world.npm(`GET /${name}/${version}`)).status, wanted, `version endpoint of ${where}`)
    for (const round of ['first', 'again']) {
      const reply = await world.npm(`GET /${name}/-/${name}-${version}.tgz`)
      assert.equal(reply.status, wanted, `tarball of ${where}, ${round}`)
      if (wanted === 403) assert.ok(reply.body.error.includes(facts.reason), `reason of ${where}`)
    }
    const why = await world.ask(`GET /api/v1/why/npm/${name}/${version}`)
    assert.deepEqual([why.body.status, why.body.served], [status, wanted === 200], `why of ${where}`)
  }
}
