// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { isToken, tokenChecksum } from './token-form.ts'
import { tokenRules } from './token-rule.ts'

const folder = new URL('../../../docs/scanner-rules/', import.meta.url)
const body = `holdfast_abcd1234_${'x7'.repeat(16)}`
const token = body + tokenChecksum(body)

/** The regular expression in a rule's file, as the scanner's own reader finds it. */
function patternOf(file: string, text: string): RegExp {
  if (!file.endsWith('.json'))
    return new RegExp(/^(?:regex =|\s+token:) '(.*)'$/m.exec(text)?.[1] ?? '$.', 'g')
  const { before_secret, secret_format, after_secret } = JSON.parse(text)
  const edge = (side: string) => side.replace('\\A', '^').replace('\\z', '$')
  return new RegExp(`(?:${edge(before_secret)})(${secret_format})(?:${edge(after_secret)})`, 'g')
}

const around = [
  ['', ''],
  ['//registry.example/npm/:_authToken=', ''],
  ['"', '"'],
  ['a\n', ' b'],
  ['token: ', '\nnext'],
] as const
const near = [
  token.slice(0, -1),
  `${token}x`,
  `x${token}`,
  token.replace('holdfast_', 'holdfast-'),
  token.replace('abcd1234', 'ABCD1234'),
  token.replace('abcd1234', 'abcd123'),
]

for (const { file, text } of tokenRules) {
  test(`${file} stands in docs/scanner-rules as it is served`, () => {
    assert.equal(readFileSync(new URL(file, folder), 'utf8'), text)
  })

  test(`${file} finds a token wherever it stands, and nothing that only looks like one`, () => {
    for (const [before, after] of around) {
      const found = [...`${before}${token}${after}`.matchAll(patternOf(file, text))].map(match => match[1])
      assert.deepEqual(found, [token], before)
      assert.ok(isToken(found[0] ?? ''))
    }
    for (const each of near) assert.equal(patternOf(file, text).exec(each), null, each)
  })
}

test('docs/scanner-rules holds the rules and how to use them, and nothing else', () => {
  const files = tokenRules.map(({ file }) => file)
  assert.deepEqual(readdirSync(folder).sort(), ['README.md', ...files].sort())
})
