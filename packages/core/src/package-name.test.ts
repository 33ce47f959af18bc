// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { builtinModules } from 'node:module'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  basenameOf,
  checkNewPackageName,
  confusableKey,
  formatPurl,
  isPackageName,
  parsePackageName,
  scopeOf,
  tarballFileName,
} from './package-name.ts'

const readable = [
  'left-pad',
  '@acme/ui',
  'JSONStream',
  '@Acme/UI',
  '0',
  'a.b_c-d',
  "old~name!'()*",
  'constructor',
  `@${'s'.repeat(100)}/${'n'.repeat(112)}`,
]

const refused: [name: unknown, why: RegExp][] = [
  [undefined, /not text/],
  [['left-pad'], /not text/],
  ['', /empty/],
  ['a'.repeat(215), /longer than 214/],
  ['.hidden', /begins with \./],
  ['..', /begins with \./],
  ['_all_docs', /begins with _/],
  ['__proto__', /begins with _/],
  ['-rf', /begins with -/],
  ['@acme/-', /begins with -/],
  ['@acme/..', /begins with \./],
  ['@../etc', /begins with \./],
  ['@acme', /exactly one name/],
  ['@acme/', /empty/],
  ['@/ui', /empty/],
  ['@acme/ui/x', /exactly one name/],
  ['acme/ui', /URL-safe/],
  ['@acme%2fui', /exactly one name/],
  ['a%2e', /URL-safe/],
  ['a b', /URL-safe/],
  [' a', /URL-safe/],
  ['a\n', /URL-safe/],
  ['a\u0000b', /URL-safe/],
  ['a\\b', /URL-safe/],
  ['lоdash', /URL-safe/],
  ['a@1', /URL-safe/],
  ['node_modules', /reserved/],
  ['Node_Modules', /reserved/],
  ['favicon.ico', /reserved/],
]

test('names that npm accepts for reading are read unchanged, old mixed-case ones too', () => {
  for (const name of readable) assert.equal(parsePackageName(name), name)
})

test('names that walk folders, hide options, break URLs or claim reserved words are refused with the reason', () => {
  for (const [name, why] of refused) {
    assert.throws(() => parsePackageName(name), { code: 'invalid-package-name', message: why }, String(name))
    assert.equal(isPackageName(name), false)
  }
})

test('whatever is accepted is one URL path segment per part and stays inside its folder', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.webPath(), fc.string()), text => {
      if (!isPackageName(text)) return
      const parts = text.replace(/^@/, '').split('/')
      assert.ok(parts.length <= 2)
      for (const part of parts) {
        assert.equal(encodeURIComponent(part), part)
        assert.equal(new URL(`http://h/x/${part}`).pathname, `/x/${part}`)
      }
    }),
    { numRuns: 2_000 },
  )
})

test('a refused name is quoted short and without control characters', () => {
  assert.throws(
    () => parsePackageName(`\u001b[31m${'x'.repeat(500)}`),
    (error: Error) => {
      return error.message.length < 200 && !error.message.includes('\u001b')
    },
  )
})

test("a new name is lower case, without ~'!()*, and never that of a Node core module", () => {
  for (const name of ['JSONStream', 'a~b', "a'b", 'a!', 'a(', 'a)', 'a*b', 'fs', 'http', 'worker_threads']) {
    assert.throws(() => checkNewPackageName(parsePackageName(name)), { code: 'invalid-package-name' }, name)
  }
  for (const name of ['left-pad', '@acme/fs', 'a.b_c-d', 'sqlite']) {
    checkNewPackageName(parsePackageName(name))
  }
})

test('every module that this Node loads before a package of the same name is known', () => {
  const plain = builtinModules.filter(name => /^[a-z]/.test(name) && !/[/:]/.test(name))
  for (const name of plain) {
    assert.throws(
      () => checkNewPackageName(parsePackageName(name)),
      /core module/,
      `add ${name} to coreModules`,
    )
  }
})

test('scope and base name are told apart', () => {
  const scoped = parsePackageName('@acme/ui')
  const plain = parsePackageName('ui')
  assert.deepEqual([scopeOf(scoped), basenameOf(scoped)], ['@acme', 'ui'])
  assert.deepEqual([scopeOf(plain), basenameOf(plain)], [undefined, 'ui'])
})

test('the tarball of a scoped package is named without its scope', () => {
  assert.equal(tarballFileName(parsePackageName('@acme/ui'), '1.0.0'), 'ui-1.0.0.tgz')
  assert.equal(tarballFileName(parsePackageName('ui'), '1.0.0-rc.1'), 'ui-1.0.0-rc.1.tgz')
})

test('a package URL encodes the @ of the scope and keeps the slash', () => {
  assert.equal(formatPurl(parsePackageName('@acme/ui'), '1.0.0'), 'pkg:npm/%40acme/ui@1.0.0')
  assert.equal(formatPurl(parsePackageName('left-pad')), 'pkg:npm/left-pad')
  assert.equal(formatPurl(parsePackageName('a!(b)')), 'pkg:npm/a%21%28b%29')
})

test('names that look the same share a key', () => {
  const pairs: [string, string][] = [
    ['lodash-es', 'lodash.es'],
    ['lodash-es', 'lodashes'],
    ['cross-env', 'crossenv'],
    ['JSONStream', 'jsonstream'],
    ['co1ors', 'colors'],
    ['l0dash', 'lodash'],
    ['cornmander', 'commander'],
    ['cor-nmander', 'commander'],
    ['vvebpack', 'webpack'],
    ['@acme/u-i', '@acme/ui'],
    ['@ac-me/ui', '@acme/ui'],
  ]
  for (const [a, b] of pairs) assert.equal(confusableKey(a), confusableKey(b), `${a} ${b}`)
})

test('honest neighbours keep different keys', () => {
  const pairs: [string, string][] = [
    ['mail', 'mall'],
    ['react', 'preact'],
    ['@acme/ui', 'acme-ui'],
    ['@acme/ui', '@other/ui'],
    ['express', 'expresso'],
    ['vue2', 'vue3'],
  ]
  for (const [a, b] of pairs) assert.notEqual(confusableKey(a), confusableKey(b), `${a} ${b}`)
})
