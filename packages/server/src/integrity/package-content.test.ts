// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packPackage } from '../../test/fixture/tarball.ts'
import { defaultInspectLimits } from './inspect.ts'
import { readPackageContent } from './package-content.ts'
import { diffTarballs, openDiffer } from './tarball-diff.ts'

const own = (bytes: Uint8Array) => new Uint8Array(bytes)
const pack = (version: string, files: Record<string, string | Buffer> = {}) =>
  own(packPackage({ name: 'a', version, scripts: { install: 'node x.js' } }, files))

test('files of a tarball are read with their bytes; large ones with their digest alone', async () => {
  const large = Buffer.alloc(2 * 1024 * 1024, 'a')
  const { manifest, hasInstallScript, files } = await readPackageContent(
    pack('1.0.0', { 'a.js': 'let a', 'big.js': large }),
  )
  assert.deepEqual([manifest['version'], hasInstallScript], ['1.0.0', true])
  assert.deepEqual(
    files.map(({ path, bytes, digest }) => [path, bytes?.length, digest.length]),
    [
      ['package.json', 64, 64],
      ['a.js', 5, 64],
      ['big.js', undefined, 64],
    ],
  )
})

const pair = { before: pack('1.0.0', { 'a.js': 'old\n' }), after: pack('1.1.0', { 'a.js': 'new\n' }) }
const pairOf = (after: Uint8Array<ArrayBuffer>) => async () => ({ before: undefined, after })

test('two tarballs are compared in a thread, and one that no client could trust is refused with why', async () => {
  const compared = await diffTarballs(async () => pair, defaultInspectLimits)
  assert.ok('diff' in compared)
  assert.deepEqual(
    compared.diff.files.map(each => each.path),
    ['package.json', 'a.js'],
  )
  const refused = await diffTarballs(pairOf(own(Buffer.from('no tarball'))), defaultInspectLimits)
  assert.deepEqual(refused, { fault: 'it is not compressed with gzip' })
})

test('a tarball that unpacks to far more than it is, is refused before it is unpacked', async () => {
  const bomb = pack('1.0.0', { 'zero.bin': Buffer.alloc(64 * 1024 * 1024) })
  assert.ok(bomb.length < 128 * 1024)
  const outcome = await diffTarballs(pairOf(bomb), defaultInspectLimits)
  assert.ok('fault' in outcome)
  assert.match(outcome.fault, /times its size|inflates|ratio|larger/)
})

test('a comparison that takes longer than it may ends, and the next one is made', async () => {
  // No thread starts within a millisecond.
  const slow = await diffTarballs(pairOf(pack('1.0.0')), defaultInspectLimits, openDiffer(1))
  assert.deepEqual(slow, { fault: 'it takes more time or memory than it may' })
  assert.ok('diff' in (await diffTarballs(pairOf(pack('1.0.0')), defaultInspectLimits)))
})

test('one pair is in memory at a time, however many people look', async () => {
  let inMemory = 0
  let most = 0
  const read = async () => {
    inMemory += 1
    most = Math.max(most, inMemory)
    await new Promise(resolve => setImmediate(resolve))
    inMemory -= 1
    return { before: undefined, after: pack('1.0.0') }
  }
  await Promise.all([1, 2, 3, 4].map(() => diffTarballs(read, defaultInspectLimits)))
  assert.equal(most, 1)
})
