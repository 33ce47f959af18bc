// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { gunzip } from '../../integrity/tar-gunzip.ts'
import { GzipPieces } from './gzip-pieces.ts'

const limits = { maxInflatedBytes: 2 ** 30, maxRatio: 2 ** 30 }

for (const sizeBytes of [0, 1, 512 * 1024, 5 * 1024 * 1024 + 7])
  test(`${sizeBytes} bytes are one gzip member, and hardly larger than if made at once`, async () => {
    const words = Array.from({ length: 500 }, () => randomBytes(12).toString('hex'))
    const text = Buffer.alloc(sizeBytes, words.join(' '))
    const pieces = new GzipPieces()
    for (let at = 0; at < text.length; at += 3000) pieces.add(text.subarray(at, at + 3000))
    const made = pieces.end()
    assert.ok(gunzipSync(made).equals(text))
    assert.ok(made.length < gzipSync(text, { level: 6 }).length * 1.02 + 100, `${made.length} bytes`)
    const read: Buffer[] = []
    // By the letter: no second member, nothing behind it.
    await gunzip(only(made), limits, bytes => read.push(Buffer.from(bytes)))
    assert.ok(Buffer.concat(read).equals(text))
  })

async function* only(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}
