// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tokenChecksum } from '@holdfast/core'
import fc from 'fast-check'
import { scanForTokens } from './token-scan.ts'

const body = `holdfast_abcd1234_${'k3'.repeat(16)}`
const token = body + tokenChecksum(body)

/** What is found in these pieces, each once. */
function find(...pieces: readonly (string | Uint8Array)[]): string[] {
  const found = new Set<string>()
  const sink = scanForTokens(each => found.add(each))
  for (const piece of pieces) sink(Buffer.from(piece as string))
  return [...found]
}

test('a token is found anywhere in a file', () => {
  assert.deepEqual(find(token), [token])
  assert.deepEqual(find(`//registry.example/:_authToken=${token}\n`), [token])
  assert.deepEqual(find(Buffer.concat([Buffer.of(0, 255, 254), Buffer.from(token), Buffer.of(0)])), [token])
})

test('a token is found wherever two pieces divide it', () => {
  for (let at = 1; at < token.length; at++)
    assert.deepEqual(find(`x${token.slice(0, at)}`, `${token.slice(at)}y`), [token], `at ${at}`)
})

test('a token is found in whatever pieces it comes', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 4, maxLength: 40 })
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), fc.string({ maxLength: 80 }), cuts, (before, after, sizes) => {
      const text = `${before}${token}${after}`
      const pieces: string[] = []
      for (let at = 0, i = 0; at < text.length; i++) {
        const size = sizes[i % sizes.length] ?? 1
        pieces.push(text.slice(at, at + size))
        at += size
      }
      assert.deepEqual(find(...pieces), [token])
    }),
  )
})

test('a piece whose memory is used again is remembered as it was', () => {
  const found: string[] = []
  const sink = scanForTokens(each => found.push(each))
  // Longer than a token, so that nothing but the tail is copied.
  const memory = Buffer.from(`${'x'.repeat(100)}${token.slice(0, 30)}`)
  sink(memory)
  memory.fill(0)
  sink(Buffer.from(token.slice(30)))
  assert.deepEqual(found, [token])
})

test('what only looks like a token is none, and does not hide one that follows', () => {
  const near = `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`
  assert.deepEqual(find(near), [])
  assert.deepEqual(find('holdfast_'.repeat(10_000)), [])
  assert.deepEqual(find(`holdfast_${near.repeat(1000)}${token}`), [token])
})
