// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { UpstreamVersion } from '../../catalog/index.ts'
import { formatFacts, parseFacts } from './mirror-facts.ts'

const versionsOf = (lists: readonly (readonly string[])[]) =>
  lists.map((dependencies, at) => ({ version: `1.0.${at}`, dependencies }) as unknown as UpstreamVersion)

test('facts say the same when they are read again, and equal lists of dependencies are one', () => {
  const name = fc.constantFrom('a', 'b', '@c/d', 'e@file:../e')
  const lists = fc.array(fc.uniqueArray(name), { maxLength: 20 })
  fc.assert(
    fc.property(lists, all => {
      const read = parseFacts(formatFacts(versionsOf(all)))
      assert.deepEqual(read, versionsOf(all))
      const byText = new Map(read.map(each => [each.dependencies.join('\n'), each.dependencies]))
      for (const { dependencies } of read)
        if (dependencies.length > 0) assert.equal(dependencies, byText.get(dependencies.join('\n')))
    }),
  )
})

test('a list that thousands of versions have is kept once', () => {
  const list = Array.from({ length: 100 }, (_, at) => `a-dependency-${at}`)
  const text = formatFacts(versionsOf(Array.from({ length: 5000 }, () => [...list])))
  assert.ok(text.length < 5000 * 60, `${text.length} characters`)
})

test('facts as they were kept before are read too', () => {
  const versions = versionsOf([['a', 'b'], ['a', 'b'], []])
  assert.deepEqual(parseFacts(JSON.stringify(versions)), versions)
})
