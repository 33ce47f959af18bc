// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDependencyRange } from './dependency-range.ts'
import { parseVersion } from './version.ts'

const rows: readonly (readonly [range: string, fits: string, doesNot: string])[] = [
  ['^1.2.3', '1.2.3 1.9.0', '1.2.2 2.0.0 2.0.0-rc.1 1.3.0-beta'],
  ['^0.2.3', '0.2.3 0.2.9', '0.3.0 1.0.0'],
  ['^0.0.3', '0.0.3', '0.0.4'],
  ['^1', '1.0.0 1.9.9', '2.0.0 0.9.0'],
  ['^0.0', '0.0.0 0.0.9', '0.1.0'],
  ['~1.2.3', '1.2.3 1.2.9', '1.3.0'],
  ['~1', '1.0.0 1.9.0', '2.0.0'],
  ['1.x', '1.0.0 1.5.0', '2.0.0 0.1.0'],
  ['1.2', '1.2.0 1.2.7', '1.3.0'],
  ['', '0.0.1 9.0.0', '1.0.0-beta'],
  ['*', '0.0.1 9.0.0', '1.0.0-beta'],
  ['1.0.0 - 1.4', '1.0.0 1.4.9', '1.5.0 0.9.9'],
  ['>=1.0.0 <1.5.0 || ^3.0.0', '1.4.9 3.1.0', '1.5.0 2.0.0'],
  ['> 1', '2.0.0', '1.9.0'],
  ['<=1.2', '1.2.9 0.1.0', '1.3.0'],
  ['=1.2.3', '1.2.3', '1.2.4'],
  ['v1.2.3', '1.2.3', '1.2.2'],
  ['^1.0.0-beta.2', '1.0.0-beta.3 1.0.0 1.1.0', '1.0.0-beta.1 1.1.0-beta.3'],
]

test('ranges of dependencies mean what they mean to npm', () => {
  for (const [range, fits, doesNot] of rows) {
    const allows = readDependencyRange(range)
    assert.ok(allows, range)
    for (const version of fits.split(' ')) assert.ok(allows(parseVersion(version)), `${range} has ${version}`)
    for (const version of doesNot.split(' '))
      assert.ok(!allows(parseVersion(version)), `${range} lacks ${version}`)
  }
})

test('what is no range is none', () => {
  for (const text of [
    'latest',
    'npm:a@^1.0.0',
    'git+https://git.example/a.git',
    '1.2.3.4',
    'workspace:*',
    '^x y',
    '>',
  ])
    assert.equal(readDependencyRange(text), undefined, text)
})
