// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { type Piece, Press } from './press.ts'

const encode = (text: string): Piece => new TextEncoder().encode(text)

test('a text in pieces comes back whole, in every encoding, with its hash', async () => {
  const press = new Press()
  const texts = Array.from({ length: 20 }, (_, i) => [`{"head ${i}`, 'ü'.repeat((i + 2) * 5000), '}'])
  const all = await Promise.all(texts.map(pieces => press.press(pieces.map(encode))))
  for (const [i, { identity, gzip, brotli, zstd, hash }] of all.entries()) {
    const text = texts[i]?.join('') ?? ''
    assert.equal(Buffer.from(identity).toString(), text)
    for (const bytes of [gunzipSync(gzip), brotliDecompressSync(brotli), zstdDecompressSync(zstd)])
      assert.equal(bytes.toString(), text)
    assert.equal(hash, createHash('sha256').update(text).digest('base64url'))
  }
})

test('a small text has one compressed form, made at once', async () => {
  const { identity, gzip, brotli, zstd, hash } = await new Press().press([encode('{"name":'), encode('"ü"}')])
  assert.equal(Buffer.from(identity).toString(), '{"name":"ü"}')
  assert.equal(gunzipSync(gzip).toString(), '{"name":"ü"}')
  assert.deepEqual([brotli.length, zstd.length], [0, 0])
  assert.equal(hash, createHash('sha256').update('{"name":"ü"}').digest('base64url'))
})

test('what cannot be pressed fails for those who wait, and the next one is pressed', async () => {
  const press = new Press()
  const broken = press.press([{ buffer: new ArrayBuffer(1), length: 1e20 } as unknown as Piece])
  await assert.rejects(broken)
  const { identity } = await press.press([encode('again')])
  assert.equal(Buffer.from(identity).toString(), 'again')
})
