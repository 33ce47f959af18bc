// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReadyDocument } from '../../ports.ts'
import { DocumentCache } from './document-cache.ts'

const document = (sizeBytes: number, validUntil: number | null = null) =>
  ({ sizeBytes, validUntil }) as ReadyDocument

test('memory stays below its bound, whatever is added', () => {
  const cache = new DocumentCache(100, () => 0)
  for (let i = 0; i < 1000; i++) cache.add(`name ${i}`, document(1 + (i % 40)))
  const kept = Array.from({ length: 1000 }, (_, i) => cache.get(`name ${i}`)).filter(
    found => found !== undefined,
  )
  assert.ok(kept.length > 0)
  assert.ok(kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) <= 100)
})

test('what is asked for stays while newcomers that nobody asks for come and go', () => {
  const cache = new DocumentCache(10, () => 0)
  cache.add('asked', document(1))
  for (let i = 0; i < 100; i++) {
    assert.ok(cache.get('asked'), `after ${i} newcomers`)
    cache.add(`newcomer ${i}`, document(1))
  }
})

test('a document larger than the memory, or past its time, is not kept', () => {
  const cache = new DocumentCache(10, () => 0)
  cache.add('small', document(5))
  cache.add('large', document(11))
  cache.add('past', document(1, 0))
  assert.equal(cache.get('large'), undefined)
  assert.equal(cache.get('past'), undefined)
  assert.ok(cache.get('small'))
})

test('a large document takes memory when it is wanted a second time, and pushes nothing out before', () => {
  const large = 256 * 1024
  const cache = new DocumentCache(large + 10, () => 0)
  cache.add('small', document(11))
  for (let i = 0; i < 5000; i++) cache.add(`once ${i}`, document(large))
  assert.equal(cache.get('once 4999'), undefined)
  assert.ok(cache.get('small'))
  cache.add('once 4999', document(large))
  assert.ok(cache.get('once 4999'))
  assert.equal(cache.get('small'), undefined)
  cache.add('once 0', document(large))
  assert.equal(cache.get('once 0'), undefined, 'names are forgotten too')
})

test('a large document that was dropped is kept again at once', () => {
  const cache = new DocumentCache(1024 * 1024, () => 0)
  for (let i = 0; i < 2; i++) cache.add('large', document(300_000))
  cache.remove('large')
  cache.add('large', document(300_000))
  assert.ok(cache.get('large'))
})
