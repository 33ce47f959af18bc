// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { webCrypto } from './log-crypto.ts'
import { formatVerifierKey, keyType, makeVerifierKey, parseVerifierKey } from './note.ts'
import { parseWitnessPolicy } from './witness-policy.ts'

const vectors = JSON.parse(readFileSync(new URL('./fixture/tlog-vectors.json', import.meta.url), 'utf8'))
const logKey: string = vectors.keys.log.vkey
const [one, two] = vectors.keys.witnesses.map(({ vkey }: { vkey: string }) => vkey) as [string, string]
const keys = await Promise.all([one, two].map(text => parseVerifierKey(webCrypto, text)))
const base = `log ${logKey} https://registry.example/log\nwitness w1 ${one} https://w1.example\nwitness w2 ${two}\n`
const parse = (text: string) => parseWitnessPolicy(webCrypto, text)
const [first, second] = keys
assert.ok(first && second)

test('a policy names its logs and witnesses, with or without addresses', async () => {
  const policy = await parse(`# whom we believe\n\n${base}\tgroup both all w1 w2 # two\nquorum both\n`)
  assert.deepEqual(
    policy.logs.map(log => [formatVerifierKey(log.key), log.url]),
    [[logKey, 'https://registry.example/log']],
  )
  assert.deepEqual(
    policy.witnesses.map(each => [each.name, formatVerifierKey(each.key), each.url]),
    [
      ['w1', one, 'https://w1.example'],
      ['w2', two, undefined],
    ],
  )
  assert.equal(policy.isNone, false)
})

test('a quorum is met by those it asks for, and each counts once', async () => {
  const cases = [
    ['quorum w1', [[first]], [[], [second]]],
    ['group g any w1 w2\nquorum g', [[first], [second]], [[]]],
    ['group g all w1 w2\nquorum g', [[first, second]], [[first], [first, first]]],
    ['group g 2 w1 w2\nquorum g', [[first, second]], [[first], [second, second]]],
    ['group a any w1\ngroup b all a w2\nquorum b', [[first, second]], [[first], [second]]],
    ['quorum none', [[], [first]], []],
  ] as const
  for (const [lines, met, unmet] of cases) {
    const policy = await parse(`${base}${lines}\n`)
    for (const signed of met) assert.equal(policy.isMet(signed), true, lines)
    for (const signed of unmet) assert.equal(policy.isMet(signed), false, lines)
  }
  const stranger = await makeVerifierKey(webCrypto, 'w1', keyType.cosignature, new Uint8Array(32))
  assert.equal((await parse(`${base}quorum w1\n`)).isMet([stranger]), false)
  assert.equal((await parse(`${base}quorum none\n`)).isNone, true)
})

test('a policy that could be read in two ways, or can never be met, is refused', async () => {
  const asLog = formatVerifierKey(await makeVerifierKey(webCrypto, 'other', 1, first.publicKey))
  for (const text of [
    '',
    base,
    `${base}quorum none\nquorum none\n`,
    `${base}quorum w3\n`,
    `${base}quorum\n`,
    `${base}quorum w1 w2\n`,
    `${base}group g 3 w1 w2\nquorum g\n`,
    `${base}group g 0 w1 w2\nquorum g\n`,
    `${base}group g all\nquorum g\n`,
    `${base}group g any w1 w1\nquorum g\n`,
    `${base}group g any w1\ngroup h any w1\nquorum g\n`,
    `${base}group g any g\nquorum g\n`,
    `${base}group none any w1\nquorum none\n`,
    `${base}group w1 any w2\nquorum w1\n`,
    `${base}witness w3 ${one}\nquorum none\n`,
    `${base}log ${asLog}\nquorum none\n`,
    `witness w1 ${logKey}\nquorum none\n`,
    `log ${one}\nquorum none\n`,
    `log ${logKey} ftp://registry.example\nquorum none\n`,
    `log ${logKey.slice(0, -4)}\nquorum none\n`,
    `${base}mirror w1\nquorum none\n`,
    `${base}quorum none\n${'#\n'.repeat(1100)}`,
  ]) {
    await assert.rejects(parse(text), { code: 'witness-policy-refused' }, text.slice(0, 400))
  }
})
