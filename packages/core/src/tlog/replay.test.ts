// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PackageName } from '../package-name.ts'
import type { Leaf } from './leaf.ts'
import { replayLeaves } from './replay.ts'

const name = 'widget' as PackageName
const manifest = 'sha256-OWwAVV+2dmj3xB1R89Ayd909gIS4Yq9tNavdBwXDWYA='
const [one, other] = ['AA', 'BB'].map(each => `sha512-${each.repeat(43)}==`.replace('B==', 'A=='))
const integrity = one ?? ''

type Said = readonly [type: string, fields: Readonly<Record<string, unknown>>]

function play(...said: readonly Said[]) {
  const leaves = said.map(([type, fields], index): Leaf => {
    const link = { pkg: name, seq: index + 1, prev: '' }
    const common = { log: 'registry.example/log', id: '', at: 1, type, actor: { kind: 'user', id: 'a_1234' } }
    return { ...common, link, fields: { ...common, ...link, v: 1, ...fields } }
  })
  const { packages, faults } = replayLeaves(leaves)
  const versions = [...(packages.get(name)?.versions ?? [])].map(([ver, each]) => [ver, each.status])
  return { versions: Object.fromEntries(versions), faults, told: packages.get(name) }
}

const publish = (ver: string) => ['publish', { ver, dist: { integrity, size: 1, manifest } }] as const
const ingest = (from: string) =>
  [
    'ingest',
    { ver: '1.0.0', upstream: 'npm', dist: { integrity: from, size: 1 }, signature: 'verified' },
  ] as const
const because = (type: string, ver?: string) =>
  [type, { reason: 'security', ...(ver === undefined ? {} : { ver }) }] as const

test('a version is what the last leaf about it made it; one without a version is about all that are there', () => {
  const versions = ['1.0.0', '1.1.0', '2.0.0'].map(publish)
  assert.deepEqual(play(...versions, because('yank', '1.0.0'), because('quarantine', '1.1.0')).versions, {
    '1.0.0': 'yanked',
    '1.1.0': 'quarantined',
    '2.0.0': 'live',
  })
  const tag = ['dist-tag', { ver: '1.1.0', tag: 'latest' }] as const
  const all = play(
    ...versions,
    tag,
    ['unpublish', { ver: '2.0.0' }],
    because('quarantine'),
    because('release'),
    ['unpublish', {}],
  )
  assert.deepEqual([...new Set(Object.values(all.versions))], ['removed'])
  assert.deepEqual([...(all.told?.tags ?? [])], [])
  assert.deepEqual(all.faults, [])
})

test('what waits for approval is published once, or goes', () => {
  const stage = (op: string) => ['stage', { ver: '1.0.0', op }] as const
  assert.deepEqual(play(stage('add')).versions, { '1.0.0': 'staged' })
  assert.deepEqual(play(stage('add'), publish('1.0.0')).versions, { '1.0.0': 'live' })
  assert.deepEqual(play(stage('add'), stage('expire')).versions, {})
  assert.equal(play(stage('reject')).faults.length, 1)
})

test('a measure on an upstream version outlives that its bytes come in, again and again', () => {
  const { versions, faults } = play(because('hold', '1.0.0'), ingest(integrity), ingest(integrity))
  assert.deepEqual([versions, faults], [{ '1.0.0': 'held' }, []])
})

const impossible: readonly [string, readonly Said[]][] = [
  ['a second publish of one version', [publish('1.0.0'), publish('1.0.0')]],
  ['a publish after a removal', [publish('1.0.0'), ['unpublish', { ver: '1.0.0' }], publish('1.0.0')]],
  ['a release of what is removed', [publish('1.0.0'), ['unpublish', {}], because('release', '1.0.0')]],
  ['other bytes of an upstream', [ingest(integrity), ingest(other ?? '')]],
  ['a leaf that does not fit its type', [['yank', { ver: '1.0.0' }]]],
]

for (const [what, said] of impossible)
  test(`${what} is a fault, and is told with its place`, () => {
    const { faults } = play(...said)
    assert.equal(faults.length, 1)
    assert.match(faults[0] ?? '', new RegExp(`^entry ${said.length} of widget \\(`))
  })

test('types that came later change nothing', () => {
  assert.deepEqual(play(publish('1.0.0'), ['hello', { ver: '1.0.0' }]).faults, [])
})
