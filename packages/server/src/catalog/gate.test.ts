// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  compareVersions,
  type DistTag,
  isPrerelease,
  type Status,
  statusTable,
  type Version,
} from '@holdfast/core'
import fc from 'fast-check'
import { decide, fallbackTags, nextAllowed, refuse, type VersionFacts } from './index.ts'

const statuses = Object.keys(statusTable) as Status[]
const latest = 'latest' as DistTag

const anyVersion = fc
  .tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.option(fc.nat(2), { nil: undefined }))
  .map(([a, b, c, pre]) => `${a}.${b}.${c}${pre === undefined ? '' : `-beta.${pre}`}` as Version)

const anyPackage = fc.uniqueArray(fc.record({ version: anyVersion, status: fc.constantFrom(...statuses) }), {
  selector: each => each.version,
  minLength: 1,
  maxLength: 12,
})

function facts(version: string, status: Status, reason = ''): VersionFacts {
  return {
    version: version as Version,
    status,
    reason,
    deprecated: '',
    publishedAt: 0,
    rule: '',
    hits: [],
    until: null,
  }
}

function toFacts(all: readonly { version: Version; status: Status }[]): VersionFacts[] {
  return all.map(({ version, status }) => facts(version, status))
}

test('a version that is not listed is never what a tag shows', () => {
  fc.assert(
    fc.property(anyPackage, fc.nat(), (all, pick) => {
      const tagged = all[pick % all.length]?.version as Version
      const shown = fallbackTags(
        new Map([
          [latest, tagged],
          ['next' as DistTag, tagged],
        ]),
        toFacts(all),
      )
      for (const version of shown.values()) {
        const status = all.find(each => each.version === version)?.status as Status
        assert.ok(statusTable[status].listed, `${version} is ${status}`)
      }
    }),
  )
})

test('latest points at something as long as anything is listed', () => {
  fc.assert(
    fc.property(anyPackage, all => {
      const shown = fallbackTags(new Map([[latest, all[0]?.version as Version]]), toFacts(all))
      assert.equal(
        shown.has(latest),
        all.some(each => statusTable[each.status].listed),
      )
    }),
  )
})

test('a tag whose version went away falls back to an older version before a newer one', () => {
  const all = [facts('1.0.0', 'live'), facts('1.1.0', 'quarantined'), facts('2.0.0', 'live')]
  assert.equal(fallbackTags(new Map([[latest, '1.1.0' as Version]]), all).get(latest), '1.0.0')
})

test('a tag moves off a yanked version, and stays when nothing else is left', () => {
  const both = [facts('1.0.0', 'live'), facts('1.1.0', 'yanked', 'broken')]
  assert.equal(fallbackTags(new Map([[latest, '1.1.0' as Version]]), both).get(latest), '1.0.0')
  assert.equal(
    fallbackTags(new Map([[latest, '1.1.0' as Version]]), [facts('1.1.0', 'yanked')]).get(latest),
    '1.1.0',
  )
})

test('a stable tag does not fall back to a prerelease while a stable version is left', () => {
  const all = [facts('1.0.0', 'live'), facts('1.1.0-beta.1', 'live'), facts('1.1.0', 'quarantined')]
  assert.equal(fallbackTags(new Map([[latest, '1.1.0' as Version]]), all).get(latest), '1.0.0')
})

test('thousands of tags on versions that are closed cost no more than a moment', {
  timeout: 10_000,
}, async () => {
  const all = Array.from({ length: 10_000 }, (_, at) => facts(`1.0.${at}`, at % 2 === 0 ? 'cooling' : 'live'))
  const tags = new Map(all.map(({ version }, at) => [`t${at}` as DistTag, version]))
  const shown = fallbackTags(tags, all)
  // Gives way to the time limit.
  await delay(1)
  assert.deepEqual(
    [0, 1, 2, 9998].map(at => shown.get(`t${at}` as DistTag)),
    ['1.0.9999', '1.0.1', '1.0.1', '1.0.9997'],
  )
})

test('the next allowed version resolves, and is the smallest newer one if there is one', () => {
  fc.assert(
    fc.property(anyPackage, anyVersion, (all, version) => {
      const next = nextAllowed(toFacts(all), version)
      const open = all.filter(each => statusTable[each.status].resolves).map(each => each.version)
      if (next === undefined) return assert.equal(open.length, 0)
      assert.ok(open.includes(next))
      const newer = open.filter(
        each => compareVersions(each, version) > 0 && (isPrerelease(version) || !isPrerelease(each)),
      )
      if (newer.length > 0) assert.deepEqual(next, newer.sort(compareVersions)[0])
    }),
  )
})

test('a yanked version is shown as deprecated with its reason, over what its owner wrote', () => {
  const decision = decide({ ...facts('1.0.0', 'yanked', 'breaks on Windows'), deprecated: 'old' })
  assert.equal(decision.deprecated, 'yanked: breaks on Windows')
  assert.equal(decision.served, true)
  assert.equal(decision.searchable, false)
})

test('a refusal names the reason and what to use instead', () => {
  const all = [facts('1.0.0', 'quarantined', 'steals tokens'), facts('1.0.1', 'live')]
  const refused = refuse('ui', all[0] as VersionFacts, all)
  assert.equal(refused.code, 'version-quarantined')
  assert.equal(refused.status, 403)
  assert.equal(refused.data['next'], '1.0.1')
  assert.equal(refused.data['reason'], 'steals tokens')
})
