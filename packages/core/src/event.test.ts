// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type EventType, eventTable, findLeafFault } from './event.ts'

const rows = Object.entries(eventTable)

test('what names people, their addresses or their sessions stays in the record', () => {
  const forRecord = rows.filter(([, row]) => row.audience === 'record').map(([type]) => type)
  assert.deepEqual(forRecord.sort(), [
    'account-change',
    'account-create',
    'announcement',
    'approval',
    'assessment',
    'blast',
    'case',
    'checkpoint',
    'critical',
    'denied',
    'download-flush',
    'drill',
    'invite',
    'measure',
    'policy-page',
    'project',
    'report',
    'review',
    'screening',
    'session-create',
    'session-end',
    'sign-in-failed',
    'star',
    'token-create',
    'transfer',
    'upstream-fault',
    'waiver-ask',
    'watch',
  ])
})

const digest = 'sha256-OWwAVV+2dmj3xB1R89Ayd909gIS4Yq9tNavdBwXDWYA='
const dist = {
  integrity:
    'sha512-rk4R6yGv0lJHuZ5NA47klor+1tuCSFzOHQS94MSv7V9netpiqvIy/oLUug0s0baSJmFwXMl49XJ6W2wjHJGE/w==',
  size: 1234,
  manifest: digest,
}
const common = { v: 1, log: 'registry.example/log', id: '', at: 1, actor: {}, seq: 1, prev: '' }
const published = { ...common, type: 'publish', pkg: '@acme/widget', ver: '1.0.0', dist }
const owner = { type: 'owner', pkg: 'widget', op: 'add', role: 'owner' }

const faulty: readonly [string, Record<string, unknown>, RegExp][] = [
  ['a type nobody knows', { type: 'hello' }, /type is not known/],
  ['the type of a private event', { type: 'invite' }, /type is not known/],
  ['an inherited type', { type: 'constructor' }, /type is not known/],
  ['a field too many', { ...published, email: 'ann' }, /field email/],
  ['a field too few', { ...published, dist: undefined, ver: '1.0.0' }, /dist is no/],
  ['no version', { ...common, type: 'yank', pkg: 'widget', reason: 'security' }, /lacks ver/],
  ['prose for a reason', { type: 'token-revoke', subject: 't_9b1c', reason: 'Ann asked' }, /reason/],
  ['a login for an id', { type: 'account', op: 'disable', subject: 'ann' }, /subject is no opaque id/],
  ['a login inside a subject', { ...owner, subject: { kind: 'user', id: 'ann' } }, /subject/],
  ['more in a subject', { ...owner, subject: { kind: 'user', id: 'a_1234', login: 'ann' } }, /subject/],
  ['a name that is none', { ...published, pkg: '../etc' }, /pkg is no package name/],
  ['two digests in one', { ...published, dist: { ...dist, integrity: `${dist.integrity} sha1-x` } }, /dist/],
  ['an empty list', { ...published, attest: [] }, /attest/],
  ['a negative size', { ...published, dist: { ...dist, size: -1 } }, /dist/],
]

for (const [what, leaf, why] of faulty)
  test(`a leaf with ${what} does not fit`, () => assert.match(findLeafFault(leaf) ?? '', why))

test('leaves with and without what may be absent fit', () => {
  const attest = [{ type: 'https://slsa.dev/provenance/v1', sha256: 'b7'.repeat(32) }]
  for (const leaf of [
    published,
    { ...published, attest },
    { ...common, type: 'unpublish', pkg: 'widget' },
    { ...common, type: 'unpublish', pkg: 'widget', ver: '1.0.0' },
    { ...common, type: 'dist-tag', pkg: 'widget', tag: 'next', ver: '' },
    { ...common, type: 'deprecate', pkg: 'widget', ver: '1.0.0', msg: '' },
    { ...common, type: 'trusted-publisher', op: 'add', config: digest },
    { ...owner, subject: { kind: 'team', id: 'tm_0123456789abcdef' }, role: 'read-write' },
  ])
    assert.equal(findLeafFault(leaf), undefined, JSON.stringify(leaf))
})

test('the document of leaves says of each type what the table says', () => {
  const document = readFileSync(new URL('../../../docs/log-leaves.md', import.meta.url), 'utf8')
  const told = [...document.matchAll(/^\| `([a-z-]+)` \| (.+?) \| .+ \|$/gm)].map(([, type, fields]) => [
    type,
    fields,
  ])
  const known = rows.flatMap(([type, row]) => (row.audience === 'log' ? [[type, fieldsOf(row.fields)]] : []))
  assert.deepEqual(told, known)
})

function fieldsOf(fields: Extract<(typeof eventTable)[EventType], { audience: 'log' }>['fields']): string {
  return Object.entries(fields)
    .map(([name, kind]) => `\`${name}\` ${kind.words}`)
    .join(' · ')
}
