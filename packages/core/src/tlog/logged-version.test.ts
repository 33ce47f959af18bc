// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { formatIntegrity } from '../digest.ts'
import { webCrypto } from './log-crypto.ts'
import { proveVersion } from './logged-version.ts'
import { parseVerifierKey } from './note.ts'
import { parseLogProof } from './tlog-proof.ts'

const vectors = JSON.parse(readFileSync(new URL('./fixture/tlog-vectors.json', import.meta.url), 'utf8'))
const proof = parseLogProof(vectors.events.tlog_proof_index_2)
const vkeys: readonly string[] = JSON.stringify(vectors.keys).match(/[\w.]+\/\w+\+[0-9a-f]{8}\+[^"]+/g) ?? []
const keyOf = (name: string) =>
  parseVerifierKey(webCrypto, vkeys.find(key => key.startsWith(`${name}+`)) ?? '')

test('a proof tells name, version and digest to whoever has the key of the log', async () => {
  const proven = await proveVersion(webCrypto, proof, [await keyOf('registry.example/log')])
  const said = JSON.parse(vectors.events.entries[2])
  assert.equal(`${proven.name}@${proven.version}`, '@acme/widget@1.1.0')
  assert.equal(formatIntegrity(proven.digest), said.dist.integrity)
  assert.equal(proven.at, said.at)
})

test('a proof tells nothing by the key of a witness, about another entry, or with another path', async () => {
  const refused = { code: 'proof-refused' }
  const keys = [await keyOf('registry.example/log')]
  await assert.rejects(proveVersion(webCrypto, proof, [await keyOf('witness.example/w1')]), refused)
  const other = new TextEncoder().encode(vectors.events.entries[0])
  await assert.rejects(proveVersion(webCrypto, { ...proof, entry: other }, keys), refused)
  await assert.rejects(proveVersion(webCrypto, { ...proof, index: 3 }, keys), refused)
  await assert.rejects(proveVersion(webCrypto, { ...proof, path: proof.path.slice(1) }, keys), refused)
})
