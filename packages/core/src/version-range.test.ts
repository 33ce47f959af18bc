// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Version } from './version.ts'
import { readVersionRange } from './version-range.ts'

function holds(range: string, version: string): boolean | undefined {
  return readVersionRange(range)?.(version as Version)
}

test('a range holds where all comparators of one of its groups do', () => {
  for (const [range, version, wanted] of [
    ['*', '0.0.1-alpha', true],
    ['1.2.3', '1.2.3', true],
    ['=1.2.3', '1.2.4', false],
    ['>=1.0.0 <1.2.3', '1.2.2', true],
    ['>=1.0.0 <1.2.3', '1.2.3', false],
    ['>= 1.0.0 < 1.2.3', '1.0.0', true],
    ['<1.0.0 || >=2.0.0 <=2.1.0', '2.1.0', true],
    ['<1.0.0 || >=2.0.0 <=2.1.0', '1.5.0', false],
    ['>1.0.0', '1.0.0', false],
    // A prerelease of the fix is not the fix.
    ['<1.0.0', '1.0.0-rc.1', true],
    ['>=0.0.0-0', '0.0.0-0', true],
  ] as const)
    assert.equal(holds(range, version), wanted, `${version} in ${range}`)
})

test('what is no range is none, and so is never a range that holds for nothing', () => {
  for (const text of [
    '',
    '||',
    '<',
    '1.x',
    '^1.0.0',
    '~1.0.0',
    '>=1.0.0 ||',
    'latest',
    '* <1.0.0',
    '>>1.0.0',
  ])
    assert.equal(readVersionRange(text), undefined, text)
})
