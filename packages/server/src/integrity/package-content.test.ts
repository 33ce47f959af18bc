// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packPackage } from '../../test/fixture/tarball.ts'
import { defaultInspectLimits } from './inspect.ts'
import { readPackageContent } from './package-content.ts'
import { diffTarballs } from './tarball-diff.ts'

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

test('two tarballs are compared in a thread, and one that no client could trust is refused with why', async () => {
  const compared = await diffTarballs(
    pack('1.0.0', { 'a.js': 'old\n' }),
    pack('1.1.0', { 'a.js': 'new\n' }),
    defaultInspectLimits,
  )
  assert.ok('diff' in compared)
  assert.deepEqual(
    compared.diff.files.map(each => each.path),
    ['package.json', 'a.js'],
  )
  const refused = await diffTarballs(undefined, own(Buffer.from('no tarball')), defaultInspectLimits)
  assert.deepEqual(refused, { fault: 'it is not compressed with gzip' })
})
