// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchesName, parseNamePattern } from './name-pattern.ts'
import { parsePackageName } from './package-name.ts'

const cases: [pattern: string, covered: string[], left: string[]][] = [
  ['left-pad', ['left-pad'], ['left-pad-2', 'Left-Pad', '@x/left-pad']],
  ['@acme/ui', ['@acme/ui'], ['@acme/ui-x', 'ui']],
  ['@acme/*', ['@acme/ui', '@acme/x.y'], ['@acme-evil/ui', '@acm/ui', 'acme']],
  ['acme-*', ['acme-ui', 'acme-a-b'], ['acme', 'acmeology', '@acme-x/ui', '@x/acme-ui']],
  ['@acme/ui-*', ['@acme/ui-kit'], ['@acme/ui', '@acme/core', 'ui-kit']],
  ['*', ['left-pad', '@acme/ui', 'JSONStream'], []],
]

test('a pattern covers the names it says and no others', () => {
  for (const [pattern, covered, left] of cases) {
    const parsed = parseNamePattern(pattern)
    for (const name of covered) assert.ok(matchesName(parsed, parsePackageName(name)), `${pattern} ${name}`)
    for (const name of left) assert.ok(!matchesName(parsed, parsePackageName(name)), `${pattern} ${name}`)
  }
})

test('a pattern that spans scopes, has a star inside, or can match no name is refused', () => {
  const refused = [
    '',
    '**',
    '@*',
    '@*/ui',
    '@acme*',
    'a*b',
    '*-ui',
    '-*',
    '.*',
    '_*',
    '@acme',
    '@acme/ui/*',
    'a b*',
    7,
    null,
  ]
  for (const input of refused) {
    assert.throws(() => parseNamePattern(input), { code: 'invalid-pattern' }, String(input))
  }
})
