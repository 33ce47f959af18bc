// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type ProblemRow, problemTable } from './problem-table.ts'

const rows: [string, ProblemRow][] = Object.entries(problemTable)
const lines = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8').split('\n')
const documented = lines.filter(line => line.startsWith('| `'))
const wanted = rows.map(([code, { status, say, hint }]) => `| \`${code}\` | ${status} | ${say} | ${hint} |`)

test('every problem of the table stands in docs/errors.md', () => {
  const missing = wanted.filter(line => !documented.includes(line))
  assert.ok(missing.length === 0, `docs/errors.md lacks:\n${missing.join('\n')}`)
})

test('docs/errors.md names no problem that the table does not have', () => {
  const surplus = documented.filter(line => !wanted.includes(line))
  assert.ok(surplus.length === 0, `remove from docs/errors.md:\n${surplus.join('\n')}`)
})

test('codes are kebab-case and stand in order, here and in docs/errors.md', () => {
  const codes = rows.map(([code]) => code)
  for (const code of codes) assert.match(code, /^[a-z]+(-[a-z]+)*$/)
  assert.deepEqual(codes, codes.toSorted(), 'packages/core/src/problem-table.ts is not alphabetical')
  const order = documented.map(line => line.split('`')[1])
  assert.deepEqual(order, order.toSorted(), 'docs/errors.md is not alphabetical')
})

test('every problem has an HTTP error status, says one thing, and hints at one next step in one sentence', () => {
  for (const [code, { status, say, hint }] of rows) {
    assert.ok(status >= 400 && status < 600, code)
    assert.ok(say.length > 0 && !/[|\n]/.test(say + hint), code)
    assert.match(hint, /^[A-Z].*\.$/, code)
    assert.doesNotMatch(hint, /[.!?] [A-Z]/, `${code}: the hint is more than one sentence`)
  }
})
