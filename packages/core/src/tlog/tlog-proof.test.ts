// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseCheckpoint } from './checkpoint.ts'
import { webCrypto } from './log-crypto.ts'
import { hashLeaf, verifyInclusion } from './merkle.ts'
import { parseNote } from './note.ts'
import { formatLogProof, parseLogProof } from './tlog-proof.ts'

const vectors = JSON.parse(readFileSync(new URL('./fixture/tlog-vectors.json', import.meta.url), 'utf8'))
const text: string = vectors.events.tlog_proof_index_2

test('the published proof is read, verifies, and is written back to the same text', async () => {
  const proof = parseLogProof(text)
  assert.equal(new TextDecoder().decode(proof.entry), vectors.events.entries[2])
  const { size, root } = parseCheckpoint(parseNote(proof.checkpoint).text)
  const leaf = await hashLeaf(webCrypto, proof.entry)
  assert.ok(await verifyInclusion(webCrypto, { leaf, index: proof.index, size, path: proof.path, root }))
  assert.equal(formatLogProof(proof), text)
})

test('the proof of the only leaf has no hashes', () => {
  const proof = { ...parseLogProof(text), index: 0, path: [] }
  assert.deepEqual(parseLogProof(formatLogProof(proof)).path, [])
})

test('text in any other form is no proof', () => {
  const hash = text.split('\n')[3] ?? ''
  for (const wrong of [
    '',
    text.replace('@v1', '@v2'),
    text.replace('\n\n', '\n'),
    text.replace(/extra .*\n/, ''),
    text.replace('extra ey', 'extra !!'),
    text.replace('index 2', 'index 02'),
    text.replace('index 2', 'index -2'),
    text.replace('index 2', 'index 9007199254740992'),
    text.replace(hash, hash.slice(4)),
    text.replace(hash, `${hash}\n`.repeat(70).trim()),
    `${text}${' '.repeat(131_072)}`,
  ]) {
    assert.throws(() => parseLogProof(wrong), { code: 'proof-refused' }, wrong.slice(0, 300))
  }
})
