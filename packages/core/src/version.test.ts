// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareVersions, isPrerelease, newestVersion, parseVersion } from './version.ts'

test('versions by semver 2 are read unchanged', () => {
  for (const text of [
    '0.0.0',
    '1.2.3',
    '1.0.0-0',
    '1.0.0-alpha.1',
    '1.0.0--',
    '1.0.0-01a',
    '9007199254740991.0.0',
  ]) {
    assert.equal(parseVersion(text), text)
  }
})

test('whatever clients would read differently, or not at all, is refused', () => {
  const refused = [
    '',
    '1',
    '1.2',
    '1.2.3.4',
    'v1.2.3',
    '=1.2.3',
    ' 1.2.3',
    '1.2.3\n',
    '01.2.3',
    '1.2.3-',
    '1.2.3-01',
    '1.2.3-a..b',
    '1.2.3-ä',
    '1.2.3/../4',
    '9007199254740992.0.0',
    '1.2.x',
    'latest',
    '__proto__',
    `1.0.0-${'a'.repeat(251)}`,
    123,
    null,
    ['1.2.3'],
  ]
  for (const input of refused) {
    assert.throws(() => parseVersion(input), { code: 'invalid-version' }, String(input))
  }
})

test('build metadata is refused, since 1.0.0+a and 1.0.0+b would be one version with two contents', () => {
  assert.throws(() => parseVersion('1.0.0+a'), { code: 'invalid-version', message: /build metadata/ })
})

test('versions order as semver 2 says in its section 11', () => {
  const inOrder = [
    '1.0.0-99999999999999999998',
    '1.0.0-99999999999999999999',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.0.9',
    '1.0.10',
    '1.10.0',
    '2.0.0',
    '2.1.0',
    '2.1.1',
    '10.0.0-0',
  ].map(parseVersion)
  for (const [i, a] of inOrder.entries()) {
    for (const [j, b] of inOrder.entries())
      assert.equal(Math.sign(compareVersions(a, b)), Math.sign(i - j), `${a} ${b}`)
  }
})

const numbers = fc.nat({ max: 20 })
const identifier = fc.oneof(fc.nat({ max: 20 }).map(String), fc.stringMatching(/^[a-z-][0-9a-z-]{0,2}$/))
const versions = fc
  .tuple(numbers, numbers, numbers, fc.array(identifier, { maxLength: 3 }))
  .map(([major, minor, patch, pre]) =>
    parseVersion(`${major}.${minor}.${patch}${pre.length > 0 ? `-${pre.join('.')}` : ''}`),
  )

test('the order is total: turned around it is turned around, and it never runs in a circle', () => {
  fc.assert(
    fc.property(versions, versions, versions, (a, b, c) => {
      assert.equal(Math.sign(compareVersions(a, b)), -Math.sign(compareVersions(b, a)) + 0)
      assert.equal(compareVersions(a, b) === 0, a === b)
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) assert.ok(compareVersions(a, c) <= 0)
    }),
  )
})

test('the newest version is stable while there is a stable one', () => {
  const newest = (...texts: string[]) => newestVersion(texts.map(parseVersion))
  assert.equal(newest('1.0.0', '3.0.0-beta.1', '2.0.0', '1.9.0'), '2.0.0')
  assert.equal(newest('3.0.0-beta.1', '1.0.0'), '1.0.0')
  assert.equal(newest('1.0.0-a', '1.0.0-b', '0.9.0-z'), '1.0.0-b')
  assert.equal(newest(), undefined)
})

test('a prerelease is told from a release', () => {
  assert.ok(isPrerelease(parseVersion('1.0.0-rc.1')))
  assert.ok(!isPrerelease(parseVersion('1.0.0')))
})
