// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Digest, type PackageName, parseDigest, type Version } from '@holdfast/core'
import type { Ingested, UpstreamVersion } from '../catalog/index.ts'
import { findReturned, findWithdrawals, gravest, type Told } from './takedown.ts'

const hourMs = 3600_000
const now = Date.UTC(2026, 0, 10)
const digestOf = (letter: string): Digest => parseDigest(letter.repeat(128))

function listed(version: string, more: Partial<UpstreamVersion> = {}): UpstreamVersion {
  return {
    version: version as Version,
    publishedAt: now - 10 * hourMs,
    knownSince: now - 10 * hourMs,
    digest: digestOf('a'),
    shasum: 'a'.repeat(40),
    deprecated: '',
    hasInstallScript: false,
    signature: 'verified',
    provenance: 'none',
    publisher: 'ann',
    dependencies: [],
    tarball: '',
    unpackedSizeBytes: 0,
    fileCount: 0,
    upstreamSignatures: '',
    attestations: '',
    ...more,
  }
}

function held(version: string): Ingested {
  return {
    package: 'worm' as PackageName,
    version: version as Version,
    origin: 'npm',
    digest: digestOf('a'),
    shasum: 'a'.repeat(40),
    sizeBytes: 1,
    hasInstallScript: false,
    publishedAt: now,
    ingestedAt: now,
    lastUsedAt: now,
    provenance: 'none',
  }
}

const told = (versions: readonly UpstreamVersion[], more: Partial<Told> = {}): Told => ({
  versions,
  description: 'a package',
  isGone: false,
  ...more,
})
const before = told([listed('1.0.0'), listed('1.1.0'), listed('2.0.0')])
const both = [held('1.0.0'), held('1.1.0')]
const find = (after: Told, from = before, leftOut: readonly string[] = []) =>
  findWithdrawals(from, after, both, leftOut, now).map(each => `${each.version} ${each.how}`)

test('a version that is gone is found where its bytes came in, and no other', () => {
  assert.deepEqual(find(told([listed('1.0.0')])), ['1.1.0 removed'])
  assert.deepEqual(find(before), [])
  assert.deepEqual(find(told([...before.versions, listed('3.0.0')])), [])
})

test('a package that is gone, or lists nothing, is gone with every version that came in', () => {
  const all = ['1.0.0 gone', '1.1.0 gone']
  assert.deepEqual(find(told(before.versions, { isGone: true })), all)
  assert.deepEqual(find(told([])), all)
})

test('a security placeholder in place of the package is told as such, also when it only says so', () => {
  const all = ['1.0.0 placeholder', '1.1.0 placeholder']
  assert.deepEqual(find(told([listed('0.0.1-security')])), all)
  assert.deepEqual(find(told(before.versions, { description: 'Security holding package' })), all)
  assert.deepEqual(find(told([listed('1.0.1-security')])), ['1.0.0 removed', '1.1.0 removed'])
})

test('other bytes under the same version are found by SHA-512, by SHA-1 where there is no more, else not', () => {
  const with_ = (more: Partial<UpstreamVersion>) => told([listed('1.0.0'), listed('1.1.0', more)])
  assert.deepEqual(find(with_({ digest: digestOf('b') })), ['1.1.0 changed'])
  assert.deepEqual(find(with_({ digest: undefined, shasum: 'b'.repeat(40) })), ['1.1.0 changed'])
  assert.deepEqual(find(with_({ digest: undefined })), [])
  assert.deepEqual(find(with_({ digest: undefined, shasum: '' })), [])
  const swapped = with_({ digest: digestOf('b') })
  assert.deepEqual(find(swapped, swapped), [], 'what was found before is not found again')
  // The stronger one decides: an upstream may mend a wrong SHA-1.
  assert.deepEqual(find(with_({ shasum: 'b'.repeat(40) })), [])
})

test('words that newly say malware count, and those of everyday warnings do not', () => {
  const marked = (deprecated: string) => told([listed('1.0.0'), listed('1.1.0', { deprecated })])
  for (const words of [
    'This version contains malware',
    'Compromised. Rotate your keys.',
    'malicious code was published',
    'Security holding package',
  ])
    assert.deepEqual(find(marked(words)), ['1.1.0 marked'], words)
  for (const words of [
    'no longer maintained',
    'vulnerable to malicious input, use 2.0.0',
    'critical security bug',
  ])
    assert.deepEqual(find(marked(words)), [], words)
  assert.deepEqual(find(marked('malware!'), marked('malware')), [])
})

test('what was withdrawn before is not found again, nor what is listed and not believed', () => {
  assert.deepEqual(find(told([]), told([listed('1.1.0')])), ['1.1.0 gone'])
  assert.deepEqual(find(told([]), told(before.versions, { isGone: true })), [])
  assert.deepEqual(find(told([listed('1.0.0')]), before, ['1.1.0']), [])
})

test('the words say who can have removed it: an author has three days', () => {
  const old = told([listed('1.0.0', { publishedAt: now - 73 * hourMs }), listed('1.1.0')])
  const [first, second] = findWithdrawals(old, told([listed('2.0.0')]), both, [], now)
  assert.match(first?.words ?? '', /could no longer/)
  assert.match(second?.words ?? '', /10 hours after it was published: its author may/)
  assert.equal(gravest([...findWithdrawals(old, told([]), both, [], now)]), 'high')
  assert.equal(
    gravest([...findWithdrawals(before, told([listed('0.0.1-security')]), both, [], now)]),
    'critical',
  )
})

test('what was absent is back when the very bytes that came in are offered again', () => {
  const gone = told(before.versions, { isGone: true })
  const back = (after: Told, from: Told) => findReturned(from, after, both)
  assert.deepEqual(back(before, gone), ['1.0.0', '1.1.0'])
  assert.deepEqual(back(before, told([listed('1.0.0')])), ['1.1.0'])
  assert.deepEqual(back(before, before), [])
  assert.deepEqual(back(gone, gone), [])
  const other = (more: Partial<UpstreamVersion>) => told([listed('1.1.0', more)])
  assert.deepEqual(back(other({ digest: digestOf('b') }), gone), [])
  assert.deepEqual(back(other({ digest: undefined, shasum: '' }), gone), [], 'nobody says which bytes')
  assert.deepEqual(back(other({ deprecated: 'malware' }), gone), [])
})
