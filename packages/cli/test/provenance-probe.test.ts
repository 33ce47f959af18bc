// SPDX-License-Identifier: Apache-2.0
/** Twins that believe a bundle, lose it, or let a package prove less: the probe of provenance must notice each. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { provenance } from '../src/assess/probe/authz-3-provenance.ts'
import type { ThrowAwayInstance } from '../src/assess/throw-away-instance.ts'
import { accepted, assertCaughtStarting } from './broken-twin.ts'
import { startInstance } from './instance.ts'

let real: ThrowAwayInstance

before(async () => {
  real = await startInstance()
})
after(() => real.stop())

test('the probe passes on the real instance, and leaves evidence', async () => {
  assert.ok((await provenance.run(real)).length > 3)
})

test('it notices an instance that takes a bundle for good which was tampered with', () =>
  assertCaughtStarting(
    provenance,
    real,
    /whose statement was changed must be refused/,
    ({ method }, answer) =>
      method === 'PUT' && answer.body.includes('provenance-refused') ? accepted : answer,
  ))

test('it notices an instance that does not serve the bundle as it came', () =>
  assertCaughtStarting(provenance, real, /must be served as it came/, ({ path }, answer) =>
    path.includes('/attestations/')
      ? { ...answer, body: Buffer.from(answer.body.toString().replace('dsseEnvelope', 'envelope')) }
      : answer,
  ))

test('it notices an instance where a package may prove less than it did', () =>
  assertCaughtStarting(provenance, real, /without provenance.* must be refused/, ({ method }, answer) =>
    method === 'PUT' && answer.body.includes('trust-downgrade') ? accepted : answer,
  ))

test('it notices an instance that takes what was signed long ago', () =>
  assertCaughtStarting(provenance, real, /signed long ago must be refused/, ({ method }, answer) =>
    method === 'PUT' && answer.body.includes('provenance-old') ? accepted : answer,
  ))
