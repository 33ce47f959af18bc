// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Digest, parsePackageName, parseVersion } from '@holdfast/core'
import type { KeptFacts } from '../catalog/index.ts'
import type { Habit } from '../ports.ts'
import { judgePublish, type PublishAct, type PublishPast } from './behaviour-rule.ts'

const dayMs = 24 * 3600_000
const now = 1000 * dayMs

const version = (
  number: number,
  publisher: string,
  provenance: 'none' | 'provenance' = 'none',
): KeptFacts => ({
  version: parseVersion(`1.0.${number}`),
  status: 'live',
  reason: '',
  deprecated: '',
  publishedAt: now - (100 - number) * dayMs,
  traits: {
    knownSince: 0,
    digest: '' as Digest,
    hasInstallScript: false,
    signature: 'verified',
    provenance,
    publisher,
    dependencies: [],
  },
})

const habit = (kind: Habit['kind'], value: string): Habit => ({
  ...{ kind, value, firstAt: now - 90 * dayMs, lastAt: now - dayMs },
})

const past: PublishPast = {
  versions: [0, 1, 2].map(each => version(each, 'ann')),
  published: [],
  habits: [habit('token', 'known'), habit('network', '198.51.100.0/24')],
  baselineMs: 7 * dayMs,
}

const act: PublishAct = {
  name: parsePackageName('widget'),
  version: parseVersion('2.0.0'),
  publisherId: 'ann',
  tokenId: 'known',
  isByJob: false,
  network: '198.51.100.0/24',
  isPresent: true,
  isProven: false,
  hasInstallScript: false,
  news: [],
  score: 0,
}

const judge = (how: Partial<PublishAct>, of: PublishPast = past) => {
  const { findings, isBroken } = judgePublish(of, { ...act, ...how }, now)
  return [isBroken, ...findings.map(each => each.rule)]
}

test('where a second factor was shown, what is odd holds only together, or with what screening found', () => {
  assert.deepEqual(judge({}), [false])
  assert.deepEqual(judge({ tokenId: 'new' }), [false, 'new-token'])
  assert.deepEqual(judge({ tokenId: 'new', network: '192.0.2.0/24' }), [false, 'new-token', 'new-network'])
  assert.deepEqual(judge({ tokenId: 'new', score: 60 }), [true, 'new-token'])
  assert.deepEqual(judge({ score: 99 }), [false])
  const all = { tokenId: 'new', network: '192.0.2.0/24', publisherId: 'bob' }
  assert.deepEqual(judge(all), [true, 'new-maintainer', 'new-token', 'new-network'])
})

test('where nobody showed one, a new hand or token is enough', () => {
  assert.deepEqual(judge({ isPresent: false, tokenId: 'new' }), [true, 'new-token'])
  assert.deepEqual(judge({ isPresent: false, publisherId: 'bob' }), [true, 'new-maintainer'])
  assert.deepEqual(judge({ isPresent: false, network: '192.0.2.0/24' }), [false, 'new-network'])
})

test('a version less proven than the last three is odd, and a job with a token of the moment is not', () => {
  const proven = { ...past, versions: [0, 1, 2].map(each => version(each, 'tp_1', 'provenance')) }
  const byHand = judge({ isPresent: false, publisherId: 'tp_1' }, proven)
  assert.deepEqual(byHand, [true, 'less-proven'])
  assert.deepEqual(judge({ isByJob: true, isProven: true, tokenId: 'of-this-job' }, proven), [false])
})

test('who moved here from another registry is no new maintainer, and what is young has no habits', () => {
  const imported = { ...past, versions: [0, 1, 2].map(each => version(each, 'operator')) }
  assert.deepEqual(judge({ isPresent: false }, imported), [false])
  const young = { ...past, versions: past.versions.slice(0, 2) }
  assert.deepEqual(judge({ isPresent: false, tokenId: 'new', hasInstallScript: true }, young), [false])
})
