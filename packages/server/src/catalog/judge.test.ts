// SPDX-License-Identifier: Apache-2.0
/** The policy on histories as they happened; names and dates are theirs or made after them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Digest, PackageName, Version } from '@holdfast/core'
import fc from 'fast-check'
import {
  type Advisory,
  defaultRules,
  type JudgeContext,
  judge,
  type KeptFacts,
  type Policy,
  parseRules,
  RuleFaults,
  type Screening,
  type VersionFacts,
  type VersionTraits,
  type Waiver,
} from './index.ts'

const dayMs = 24 * 3600_000
const now = Date.UTC(2026, 10, 20)
const daysAgo = (days: number) => now - days * dayMs

function kept(version: string, ageDays: number, traits: Partial<VersionTraits> = {}): KeptFacts {
  return {
    version: version as Version,
    status: 'live',
    reason: '',
    deprecated: '',
    publishedAt: daysAgo(ageDays),
    traits: {
      knownSince: daysAgo(ageDays),
      digest: undefined,
      hasInstallScript: false,
      signature: 'verified',
      provenance: 'none',
      publisher: 'dominic',
      dependencies: ['through'],
      ...traits,
    },
  }
}

function policyOf(rules: unknown, since = daysAgo(1000)): Policy {
  const list = parseRules(rules)
  return { version: 1, rules: list, enforcedSince: new Map(list.map(rule => [rule.name, since])) }
}

const fresh: Policy = { version: 1, rules: defaultRules, enforcedSince: new Map() }

function look(policy: Policy, all: readonly KeptFacts[], more: Partial<JudgeContext> = {}) {
  const context: JudgeContext = {
    name: 'event-stream' as PackageName,
    origin: 'npm',
    now,
    agesUntil: more.now ?? now,
    createdAt: daysAgo(3000),
    waivers: [],
    advisories: [],
    siblingAdvisories: [],
    badDigests: new Map(),
    grandfathered: new Map(),
    screenings: new Map(),
    isPopular: undefined,
    lookAlike: undefined,
    ...more,
  }
  const judged = judge(policy, context, all)
  return (version: string) => judged.find(each => each.version === version) as VersionFacts
}

function advisory(range: string, wishes: Partial<Advisory> & { fixed?: Version[] } = {}): Advisory {
  return {
    id: 'GHSA-test-test-test',
    package: 'event-stream' as PackageName,
    range,
    fixed: [],
    kind: 'vulnerability',
    severity: 'high',
    aliases: [],
    cvss: null,
    cwe: [],
    title: 'prototype pollution',
    url: '',
    publishedAt: daysAgo(1),
    modifiedAt: daysAgo(0),
    withdrawnAt: null,
    ...wishes,
  }
}

function waiver(version: string, wishes: Partial<Waiver> = {}): Waiver {
  return {
    id: 'w1',
    package: 'event-stream' as PackageName,
    version: version as Version,
    rules: ['release-age', 'new-name', 'install-script', 'deprecated'],
    reason: 'we need it',
    state: 'granted',
    askedBy: 'a',
    askedAt: daysAgo(1),
    decidedBy: 'b',
    decidedAt: daysAgo(1),
    endsAt: now + dayMs,
    notifiedAt: null,
    grounds: [],
    ...wishes,
  }
}

test('a version of today waits three days, says until when, and nothing else changes', () => {
  const view = look(fresh, [kept('3.3.4', 400), kept('3.3.5', 1)])
  assert.equal(view('3.3.4').status, 'live')
  const young = view('3.3.5')
  assert.equal(young.status, 'cooling')
  assert.equal(young.rule, 'release-age')
  assert.equal(young.until, daysAgo(1) + 3 * dayMs)
  assert.equal(
    look(fresh, [kept('3.3.4', 400), kept('3.3.5', 1)], { now: young.until })('3.3.5').status,
    'live',
  )
})

test('what is hosted here is left alone until a rule names it', () => {
  const all = [kept('1.0.0', 0)]
  assert.equal(look(fresh, all, { origin: 'hosted' })('1.0.0').status, 'live')
  const named = policyOf([{ kind: 'release-age', days: 3, mode: 'enforce', origins: ['hosted'] }])
  assert.equal(look(named, all, { origin: 'hosted' })('1.0.0').status, 'cooling')
})

test('known malware is blocked by advisory and by bytes, whatever was served before and whatever was waived', () => {
  const digest = 'ab'.repeat(64) as Digest
  const all = [kept('3.3.5', 400), kept('3.3.6', 300), kept('3.3.7', 200, { digest })]
  const spared = {
    grandfathered: new Map([['3.3.6' as Version, daysAgo(2000)]]),
    waivers: [waiver('3.3.6')],
  }
  const malware = [advisory('3.3.6', { kind: 'malware', id: 'MAL-2018-1', title: 'steals wallets' })]
  const view = look(fresh, all, {
    ...spared,
    advisories: malware,
    badDigests: new Map([[digest, 'flatmap'] as const]),
  })
  assert.equal(view('3.3.5').status, 'live')
  assert.equal(view('3.3.6').status, 'blocked')
  assert.match(view('3.3.6').reason, /MAL-2018-1/)
  assert.equal(view('3.3.7').status, 'blocked')
  const byName = look(fresh, all, { advisories: malware, waivers: [waiver('3.3.6', { rules: ['malware'] })] })
  assert.equal(byName('3.3.6').status, 'live', 'a waiver that names the rule is meant')
  const withdrawn = malware.map(each => ({ ...each, withdrawnAt: daysAgo(1) }))
  assert.equal(look(fresh, all, { advisories: withdrawn })('3.3.6').status, 'live')
})

test('a fix passes early: named by a feed that spoke after it was out, by the same hands, with nothing else new', () => {
  const fixed = ['3.3.5'] as Version[]
  const all = [kept('3.3.4', 400), kept('3.3.5', 1)]
  const view = look(fresh, all, { advisories: [advisory('<3.3.5', { fixed })] })
  assert.equal(view('3.3.5').status, 'live')
  assert.equal(view('3.3.5').hits[0]?.spared, 'fix')
  assert.match(view('3.3.5').hits[0]?.why ?? '', /GHSA-test-test-test/)
})

test('an attacker finds no way through the fix exception', () => {
  const old = kept('3.3.4', 400)
  const fix = advisory('<3.3.5', { fixed: ['3.3.5'] as Version[] })
  const attempts: Record<string, [KeptFacts[], Advisory]> = {
    'an advisory of years ago, whose fix is long out, and a version above it': [
      [old, kept('3.3.6', 1)],
      advisory('<3.3.5', { fixed: ['3.3.5'] as Version[] }),
    ],
    'an old advisory that names a number nobody had taken': [
      [old, kept('3.3.5', 1)],
      { ...fix, publishedAt: daysAgo(700) },
    ],
    'an advisory that was told beforehand and has not changed since': [
      [old, kept('3.3.5', 1)],
      { ...fix, publishedAt: daysAgo(3), modifiedAt: daysAgo(2) },
    ],
    'an advisory whose range merely ends below it': [[old, kept('3.3.5', 1)], advisory('<=3.3.4')],
    'a withdrawn advisory': [[old, kept('3.3.5', 1)], { ...fix, withdrawnAt: daysAgo(0) }],
    'other hands': [[old, kept('3.3.5', 1, { publisher: 'right9ctrl' })], fix],
    'hands that nobody names': [
      [kept('3.3.4', 400, { publisher: '' }), kept('3.3.5', 1, { publisher: '' })],
      fix,
    ],
    'a new dependency (flatmap-stream)': [
      [old, kept('3.3.5', 1, { dependencies: ['through', 'flatmap-stream'] })],
      fix,
    ],
    'a new install script': [[old, kept('3.3.5', 1, { hasInstallScript: true })], fix],
    'weaker provenance': [
      [kept('3.3.4', 400, { provenance: 'trusted-publisher' }), kept('3.3.5', 1, { provenance: 'none' })],
      fix,
    ],
    'no signature any more': [[old, kept('3.3.5', 1, { signature: 'missing' })], fix],
    'nothing established that it could replace': [[kept('3.3.4', 2), kept('3.3.5', 1)], fix],
    'a second fix above the lowest': [
      [old, kept('3.3.5', 1), kept('3.3.6', 1)],
      advisory('<3.3.5', { fixed: ['3.3.5', '3.3.6'] as Version[] }),
    ],
  }
  for (const [story, [all, told]] of Object.entries(attempts)) {
    const last = all.at(-1)?.version ?? ''
    const status = look(fresh, all, { advisories: [told] })(last).status
    assert.notEqual(status, 'live', story)
  }
})

test('a fix of which screening has something to say waits, whatever the rule of screening does, until somebody looked', () => {
  const all = [kept('3.3.4', 400), kept('3.3.5', 1)]
  const advisories = [advisory('<3.3.5', { fixed: ['3.3.5'] as Version[] })]
  const onlyAges = policyOf([{ kind: 'release-age', days: 3, mode: 'enforce' }])
  const statusWith = (found: Partial<Screening>) =>
    look(onlyAges, all, {
      advisories,
      screenings: new Map([['3.3.5' as Version, { mayHold: true, hold: 'none', ...found } as Screening]]),
    })('3.3.5').status
  for (const state of ['warn', 'hold', 'failed'] as const)
    assert.equal(statusWith({ state }), 'cooling', state)
  assert.equal(statusWith({ state: 'hold', hold: 'confirmed' }), 'cooling')
  assert.equal(statusWith({ state: 'hold', hold: 'released' }), 'live')
  assert.equal(statusWith({ state: 'allow' }), 'live')
})

test('what is released with a fix passes with it, under the same conditions', () => {
  const all = [kept('3.3.4', 400), kept('3.3.5', 1)]
  const sibling = advisory('<3.3.5', { package: '@acme/core' as PackageName, fixed: ['3.3.5'] as Version[] })
  const view = look(fresh, all, { siblingAdvisories: [sibling] })
  assert.equal(view('3.3.5').status, 'live')
  assert.equal(view('3.3.5').hits[0]?.spared, 'siblings')
  const scripted = [kept('3.3.4', 400), kept('3.3.5', 1, { hasInstallScript: true })]
  assert.equal(look(fresh, scripted, { siblingAdvisories: [sibling] })('3.3.5').status, 'cooling')
})

test('a newcomer is a newcomer for two weeks, so that a second version of theirs does not vouch for the first', () => {
  const policy = policyOf([{ kind: 'publisher-change', action: 'hold', mode: 'enforce' }])
  const theirs = { publisher: 'right9ctrl' }
  const all = [
    kept('3.3.4', 400),
    kept('3.3.5', 30, theirs),
    kept('3.3.6', 29, theirs),
    kept('4.0.0', 10, theirs),
  ]
  const view = look(policy, all)
  assert.equal(view('3.3.4').status, 'live')
  assert.equal(view('3.3.5').status, 'held')
  assert.equal(view('3.3.6').status, 'held')
  assert.equal(view('4.0.0').status, 'live')
  assert.equal(
    look(policy, [kept('0.1.0', 3), kept('0.1.1', 2, theirs)])('0.1.1').status,
    'live',
    'no baseline',
  )
})

test('evidence of a build that is lost, and a signature that is lost, are told apart from what never was', () => {
  const policy = policyOf([
    { kind: 'provenance', mode: 'enforce' },
    { kind: 'signature', mode: 'enforce' },
  ])
  const view = look(policy, [
    kept('1.0.0', 500, { signature: 'missing' }),
    kept('1.1.0', 400),
    kept('1.2.0', 300, { provenance: 'provenance' }),
    kept('1.2.1', 200),
    kept('1.2.2', 100, { provenance: 'trusted-publisher', signature: 'missing' }),
    kept('1.2.3', 50, { provenance: 'trusted-publisher', signature: 'broken' }),
  ])
  assert.deepEqual(
    ['1.0.0', '1.1.0', '1.2.0', '1.2.1', '1.2.2', '1.2.3'].map(each => [view(each).status, view(each).rule]),
    [
      ['live', ''],
      ['live', ''],
      ['live', ''],
      ['blocked', 'provenance'],
      ['blocked', 'signature'],
      ['blocked', 'signature'],
    ],
  )
})

test('a rule breaks nothing that was served before it was enforced, except what is malware or denied by name', () => {
  const rules = [
    { kind: 'install-script', mode: 'enforce' },
    { kind: 'deny', packages: ['event-stream'], versions: '>=2.0.0', mode: 'enforce' },
  ]
  const all = [
    kept('1.0.0', 400, { hasInstallScript: true }),
    kept('1.1.0', 90, { hasInstallScript: true }),
    kept('2.0.0', 90),
  ]
  const view = look(policyOf(rules, daysAgo(10)), all, {
    grandfathered: new Map([
      ['1.0.0' as Version, daysAgo(20)],
      ['1.1.0' as Version, daysAgo(5)],
      ['2.0.0' as Version, daysAgo(20)],
    ]),
  })
  assert.equal(view('1.0.0').status, 'live')
  assert.equal(view('1.0.0').hits[0]?.spared, 'grandfathered')
  assert.equal(view('1.1.0').status, 'blocked', 'served only after')
  assert.equal(view('2.0.0').status, 'blocked')
})

test('a waiver lifts its rule for its version until its end, and the verdict says when', () => {
  const policy = policyOf([
    { kind: 'install-script', mode: 'enforce' },
    { kind: 'deprecated', action: 'block', mode: 'enforce' },
  ])
  const all = [
    { ...kept('1.0.0', 400, { hasInstallScript: true }), deprecated: 'use 2' },
    kept('1.0.1', 9, { hasInstallScript: true }),
  ]
  const lifted = look(policy, all, { waivers: [waiver('1.0.0')] })
  assert.equal(lifted('1.0.0').status, 'live')
  assert.equal(lifted('1.0.0').until, now + dayMs)
  assert.equal(lifted('1.0.1').status, 'blocked')
  const one = look(policy, all, { waivers: [waiver('1.0.0', { rules: ['deprecated'] })] })('1.0.0')
  assert.equal(one.rule, 'install-script')
  for (const ended of [
    waiver('1.0.0', { endsAt: now }),
    waiver('1.0.0', { state: 'asked' }),
    waiver('1.0.0', { state: 'refused' }),
  ])
    assert.equal(look(policy, all, { waivers: [ended] })('1.0.0').status, 'blocked')
})

test('of several rules the strongest closes and all are told', () => {
  const policy = policyOf([
    { kind: 'release-age', days: 3, mode: 'enforce' },
    { kind: 'install-script', action: 'hold', mode: 'enforce' },
    { kind: 'advisory', severity: 'high', mode: 'enforce' },
    { kind: 'unpopular', action: 'block', mode: 'monitor' },
  ])
  const facts = look(policy, [kept('1.0.0', 1, { hasInstallScript: true })], {
    advisories: [advisory('*')],
    isPopular: false,
  })('1.0.0')
  assert.equal(facts.status, 'blocked')
  assert.equal(facts.rule, 'advisory')
  assert.deepEqual(
    facts.hits.map(hit => [hit.rule, hit.isEnforced]),
    [
      ['advisory', true],
      ['install-script', true],
      ['release-age', true],
      ['unpopular', false],
    ],
  )
  assert.match(facts.reason, /prototype pollution/)
  assert.match(facts.reason, /younger than 3 days/)
})

test('an allow list lets through what it names and nothing else; without a list of well-used names nobody is unpopular', () => {
  const policy = policyOf([
    { kind: 'allow-only', packages: ['event-*', '@acme/*'], mode: 'enforce' },
    { kind: 'unpopular', mode: 'enforce' },
  ])
  assert.equal(look(policy, [kept('1.0.0', 9)])('1.0.0').status, 'live')
  assert.equal(
    look(policy, [kept('1.0.0', 9)], { name: 'left-pad' as PackageName })('1.0.0').status,
    'blocked',
  )
})

test('what a person decided stands, whatever the rules say', () => {
  const policy = policyOf([{ kind: 'deny', packages: ['*'], mode: 'enforce' }])
  const statuses = ['removed', 'quarantined', 'held', 'staged', 'pending'] as const
  for (const status of statuses)
    assert.equal(look(policy, [{ ...kept('1.0.0', 9), status }])('1.0.0').status, status)
})

test('what a person closed does not open by itself when a rule has nothing against it any more', () => {
  for (const status of ['removed', 'quarantined', 'held'] as const) {
    const closed = look(fresh, [kept('3.3.4', 400), { ...kept('3.3.5', 1), status }])('3.3.5')
    assert.deepEqual([closed.hits[0]?.rule, closed.until], ['release-age', null], status)
  }
})

test('a verdict changes at `until` and not before', () => {
  const anyAge = fc.integer({ min: 0, max: 10 * 24 })
  const rules = policyOf([
    { kind: 'release-age', days: 3, mode: 'enforce' },
    { kind: 'new-name', days: 5, mode: 'enforce', action: 'hold' },
  ])
  fc.assert(
    fc.property(anyAge, anyAge, fc.option(anyAge), (ageHours, nameHours, waiverHours) => {
      const all = [kept('1.0.0', ageHours / 24)]
      const more = {
        createdAt: daysAgo(nameHours / 24),
        waivers: waiverHours === null ? [] : [waiver('1.0.0', { endsAt: now + waiverHours * 3600_000 })],
      }
      const facts = look(rules, all, more)('1.0.0')
      const at = (time: number) => look(rules, all, { ...more, now: time })('1.0.0').status
      const horizon = facts.until ?? now + 100 * dayMs
      assert.equal(at(horizon - 1), facts.status)
      assert.equal(at((now + horizon) / 2), facts.status)
    }),
  )
})

test('a list of rules is read whole: every fault is told at once', () => {
  const wrong = [
    { kind: 'release-age' },
    { kind: 'deny', versions: '1.0.0' },
    { kind: 'deny', packages: ['a'], versions: '^1' },
    { kind: 'malware', dayz: 3 },
    { kind: 'no-such' },
  ]
  assert.throws(
    () => parseRules(wrong),
    (error: unknown) => {
      assert.ok(error instanceof RuleFaults)
      const told = error.faults.join('\n')
      for (const at of ['0.days', '1.packages', '2.versions', '3.dayz', 'no such kind of rule'])
        assert.ok(told.includes(at), `${at} in ${told}`)
      return true
    },
  )
  assert.throws(() => parseRules([{ kind: 'malware' }, { kind: 'malware' }]), /two rules have this name/)
  assert.throws(() => parseRules('malware'), RuleFaults)
})

test('a waiver for what could not be screened yet does not lift what screening finds then', () => {
  const all = [kept('3.3.4', 400), kept('3.3.5', 5)]
  const waits = { mayHold: true, hold: 'none', state: 'due' } as unknown as Screening
  const waiting = (state: Screening['state'], grounds: readonly string[]) =>
    look(fresh, all, {
      waivers: [waiver('3.3.5', { rules: ['screening'], grounds })],
      screenings: new Map([['3.3.5' as Version, { ...waits, state }]]),
    })('3.3.5')
  const asked = waiting('due', [])
    .hits.flatMap(hit => hit.grounds ?? [])
    .flat()
  assert.equal(waiting('due', asked).status, 'live')
  assert.equal(waiting('failed', asked).status, 'live')
  assert.equal(waiting('hold', asked).status, 'held')
})
