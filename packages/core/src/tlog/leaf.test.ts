// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { encodeLeaf } from '../canonical-json.ts'
import { findLeafFault } from '../event.ts'
import { checkChain, readLeaf } from './leaf.ts'
import { webCrypto } from './log-crypto.ts'

const vectors = JSON.parse(readFileSync(new URL('./fixture/tlog-vectors.json', import.meta.url), 'utf8'))
const bytesOf = (text: string) => new TextEncoder().encode(text)
const entries: Uint8Array[] = vectors.events.entries.map(bytesOf)
const [text = '', second = ''] = vectors.events.entries as string[]
const fields = JSON.parse(text)
const made = (change: object) => bytesOf(encodeLeaf({ ...fields, ...change }))
const without = (...names: string[]) =>
  bytesOf(encodeLeaf(Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))))

test('published leaves are read, and say what their types say', () => {
  for (const entry of entries) {
    const leaf = readLeaf(entry)
    assert.equal(leaf.log, 'registry.example/log')
    assert.equal(findLeafFault(leaf.fields), undefined)
  }
  const leaf = readLeaf(bytesOf(second))
  assert.equal(leaf.type, 'trusted-publisher')
  assert.deepEqual(leaf.actor, { kind: 'user', id: 'a_4f1d9c0e7b2a4a55' })
  const link = { pkg: '@acme/widget', seq: 2, prev: JSON.parse(second).prev }
  assert.deepEqual(leaf.link, link)
  assert.equal(readLeaf(bytesOf(vectors.events.entries[3])).link, undefined)
})

test('a leaf of a type that is not known yet is read', () => {
  assert.equal(readLeaf(made({ type: 'brand-new' })).type, 'brand-new')
})

test('a leaf in any other form than the one is refused', () => {
  const wrong = [
    text.replace('"seq":1', '"seq":1.0'),
    text.replace('"seq":1', '"seq":1e0'),
    text.replace('"seq":1', '"seq":-0'),
    text.replace('"v":1', '"v":1,"v":1'),
    text.replace('publish', '\\u0070ublish'),
    text.replace('{"actor"', '{ "actor"'),
    `{"zzz":1,${text.slice(1)}`,
    `${text}\n`,
    `\ufeff${text}`,
    text.replace('widget', 'widgét'),
    'null',
    '',
  ]
  for (const each of wrong) assert.throws(() => readLeaf(bytesOf(each)), { code: 'leaf-refused' }, each)
  const latin = Uint8Array.from(text.replace('widget', 'widg\xe9t'), letter => letter.charCodeAt(0))
  assert.throws(() => readLeaf(latin), { code: 'leaf-refused' })
})

test('a leaf lacks nothing that every leaf has, and is no longer than 8 KiB', () => {
  for (const name of ['v', 'log', 'id', 'at', 'type', 'actor', 'seq', 'prev', 'pkg']) {
    assert.throws(() => readLeaf(without(name)), { code: 'leaf-refused' }, name)
  }
  const wrong = [
    { v: 2 },
    { id: '0198F0A0-0000-7000-8000-000000000001' },
    { id: '0198f0a0-0000-4000-8000-000000000001' },
    { at: -1 },
    { at: '1' },
    { type: 'No Type' },
    { actor: { kind: 'ghost', id: 'a' } },
    { actor: { kind: 'user' } },
    { actor: { kind: 'user', id: 'a', name: 'alice' } },
    { actor: null },
    { seq: 0 },
    { seq: 2 },
    { prev: fields.id },
    { pkg: '../../etc' },
  ]
  for (const change of wrong) {
    assert.throws(() => readLeaf(made(change)), { code: 'leaf-refused' }, JSON.stringify(change))
  }
  const padding = 'x'.repeat(8192 - text.length - ',"zzz":""'.length)
  assert.equal(readLeaf(made({ zzz: padding })).type, 'publish')
  assert.throws(() => readLeaf(made({ zzz: `${padding}x` })), { code: 'leaf-refused' })
})

test('the chain of a package has no gap, no change, no repetition and no stranger', async () => {
  const [first, next, third, foreign, last] = entries
  assert.ok(first && next && third && foreign && last)
  const leaves = await checkChain(webCrypto, [first, next, third, last])
  assert.deepEqual(
    leaves.map(leaf => leaf.type),
    ['publish', 'trusted-publisher', 'publish', 'yank'],
  )
  const changed = bytesOf(second.replace('"op":"add"', '"op":"remove"'))
  const broken = [
    [next, third, last],
    [first, third, last],
    [first, next, last],
    [first, first],
    [first, changed, third],
    [first, foreign],
    [first, next, third, made({ seq: 4, prev: fields.dist.manifest.replace('sha256-', '') })],
    [first, next, third, bytesOf(vectors.events.entries[4].replace('widget', 'gadget'))],
  ]
  for (const chain of broken) await assert.rejects(checkChain(webCrypto, chain), { code: 'leaf-refused' })
  assert.deepEqual(await checkChain(webCrypto, []), [])
})
