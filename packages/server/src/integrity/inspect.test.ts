// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tokenChecksum } from '@holdfast/core'
import { packPackage, packTarball, streamOf } from '../../test/fixture/tarball.ts'
import { defaultInspectLimits, type Inspection, inspectTarball } from './inspect.ts'

function inspect(manifest: unknown, files?: Readonly<Record<string, string | Buffer>>): Promise<Inspection> {
  return inspectTarball(streamOf(packPackage(manifest, files)))
}

test('an inspection tells what is in the package', async () => {
  const manifest = { name: 'a', version: '1.0.0', scripts: { test: 'x' } }
  const found = await inspect(manifest, { 'README.md': '# Hello', 'lib/index.js': 'module.exports = 1' })
  assert.deepEqual(found, {
    manifest,
    readme: '# Hello',
    fileCount: 3,
    unpackedSizeBytes: JSON.stringify(manifest).length + 7 + 18,
    hasInstallScript: false,
    hasShrinkwrap: false,
    files: [
      { path: 'package.json', sizeBytes: JSON.stringify(manifest).length, mode: 0o644 },
      { path: 'README.md', sizeBytes: 7, mode: 0o644 },
      { path: 'lib/index.js', sizeBytes: 18, mode: 0o644 },
    ],
    tokens: [],
  })
})

test('a token is told with its file, also where it lies deep, is huge around it, or is the name of the file', async () => {
  const [one, other, third] = ['1', '2', '3'].map(each => {
    const body = `holdfast_abcd1234_${each.repeat(32)}`
    return body + tokenChecksum(body)
  })
  const files = {
    '.npmrc': `//registry.example/:_authToken=${one}`,
    'a/b/big.js': `${'x'.repeat(65_530)}${other}${'y'.repeat(100_000)}`,
    [`c/${third}`]: '',
  }
  assert.deepEqual((await inspect({ name: 'a' }, files)).tokens, [
    { token: one, path: '.npmrc' },
    { token: other, path: 'a/b/big.js' },
    { token: third, path: `c/${third}` },
  ])
})

test('the same is found however the bytes are cut', async () => {
  const tarball = packPackage({ name: 'a' }, { 'README.md': 'text', 'a/b': 'c'.repeat(2000) })
  const whole = await inspectTarball(streamOf(tarball))
  assert.deepEqual(await inspectTarball(tarball), whole)
  for (let size = 1; size < tarball.length; size += 1) {
    assert.deepEqual(await inspectTarball(streamOf(tarball, size)), whole)
  }
})

test('the top folder may have any name', async () => {
  for (const top of ['node', 'package-1.0.0', 'Jörg', '@scope']) {
    const tarball = packTarball([{ path: `${top}/package.json`, body: '{"name":"a"}' }, { path: `${top}/x` }])
    const { files } = await inspectTarball(streamOf(tarball))
    assert.deepEqual(
      files.map(file => file.path),
      ['package.json', 'x'],
    )
  }
})

test('keys of package.json that reach a prototype are dropped', async () => {
  const body = '{"name":"a","__proto__":{"polluted":1},"x":{"constructor":{"prototype":{"polluted":1}}}}'
  const { manifest } = await inspectTarball(streamOf(packTarball([{ path: 'package/package.json', body }])))
  assert.deepEqual(Object.keys(manifest), ['name', 'x'])
  assert.equal((manifest as { polluted?: unknown }).polluted, undefined)
  assert.deepEqual(manifest['x'], {})
})

test('package.json is read as npm reads it: with a byte order mark, and with a harmless key twice', async () => {
  const body = '\ufeff{"name":"a","keywords":[],"keywords":["b"]}'
  const { manifest } = await inspectTarball(streamOf(packTarball([{ path: 'package/package.json', body }])))
  assert.deepEqual(manifest, { name: 'a', keywords: ['b'] })
})

test('an install script is one that runs at install, or a binding.gyp that npm builds', async () => {
  for (const name of ['preinstall', 'install', 'postinstall']) {
    assert.equal((await inspect({ scripts: { [name]: 'x' } })).hasInstallScript, true, name)
  }
  assert.equal(
    (await inspect({ scripts: { prepare: 'x', postinstall: '', install: 1 } })).hasInstallScript,
    false,
  )
  assert.equal((await inspect({ scripts: 'x' })).hasInstallScript, false)
  assert.equal((await inspect({}, { 'binding.gyp': '{}' })).hasInstallScript, true)
  assert.equal((await inspect({}, { 'deps/binding.gyp': '{}' })).hasInstallScript, false)
  assert.equal((await inspect({ gypfile: false }, { 'binding.gyp': '{}' })).hasInstallScript, false)
})

test('a shrinkwrap counts in the top folder only', async () => {
  assert.equal((await inspect({}, { 'npm-shrinkwrap.json': '{}' })).hasShrinkwrap, true)
  assert.equal((await inspect({}, { 'a/npm-shrinkwrap.json': '{}' })).hasShrinkwrap, false)
})

test('Markdown is the preferred README, whatever the order and the case', async () => {
  assert.equal((await inspect({}, { readme: 'plain', 'Readme.MD': 'marked' })).readme, 'marked')
  assert.equal((await inspect({}, { 'readme.md': 'marked', 'README.txt': 'text' })).readme, 'marked')
  assert.equal((await inspect({}, { 'README.txt': 'text', README: 'plain' })).readme, 'plain')
  assert.equal((await inspect({}, { 'docs/README.md': 'x', 'readme.js.map': 'x' })).readme, undefined)
})

test('a README is kept up to 64 KiB and never cut inside a character', async () => {
  const { readme } = await inspect({}, { 'README.md': 'x€'.repeat(40_000) })
  assert.ok(readme !== undefined && 'x€'.repeat(40_000).startsWith(readme))
  assert.ok(Buffer.byteLength(readme) > 65_530 && Buffer.byteLength(readme) <= 65_536)
})

test('the list of files is bounded, their number is not', async () => {
  const files = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`f${at}`, 'x']))
  const tarball = packPackage({}, files)
  const found = await inspectTarball(streamOf(tarball), { ...defaultInspectLimits, maxFilesListed: 5 })
  assert.equal(found.files.length, 5)
  assert.equal(found.fileCount, 21)
})
