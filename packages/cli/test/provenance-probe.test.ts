// SPDX-License-Identifier: Apache-2.0
/** Twins that believe a bundle, lose it, or let a package prove less: the probe of provenance must notice each. */
import { after, before, test } from 'node:test'
import { provenance } from '../src/assess/probe/authz-3-provenance.ts'
import { accepted, assertCaughtStarting } from './broken-twin.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let real: ProbedInstance

before(async () => {
  real = await startInstance()
})
after(() => real.stop())

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
