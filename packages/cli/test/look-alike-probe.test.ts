// SPDX-License-Identifier: Apache-2.0
import { after, before, describe, test } from 'node:test'
import { typosquats } from '../src/assess/probe/general-1-typosquat.ts'
import { type Answer, assertCaughtStarting, type Tamper } from './broken-twin.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let real: ProbedInstance

before(async () => {
  real = await startInstance()
})
after(() => real.stop())

const served: Answer = { status: 200, type: 'application/octet-stream', body: Buffer.from('bytes') }

const assertCaught = (why: RegExp, tamper: Tamper) => assertCaughtStarting(typosquats, real, why, tamper)

describe('the probe of look-alikes notices an instance', () => {
  test('that sees no letters that are swapped', () =>
    assertCaught(/exrpess must be held/, ({ path }, answer) => (path.includes('exrpess-') ? served : answer)))

  test('that does not ask what was meant', () =>
    assertCaught(/must ask for express/, (_, answer) => ({
      ...answer,
      body: Buffer.from(answer.body.toString('latin1').replaceAll('did you mean', 'no'), 'latin1'),
    })))

  test('that holds what is well used', () =>
    assertCaught(/express must come in/, ({ path }, answer) =>
      path.endsWith('/express-1.0.0.tgz') ? { ...answer, status: 403 } : answer,
    ))

  test('that gives out what was published here and is held', () =>
    assertCaught(/published here must be held/, ({ path }, answer) =>
      path.endsWith('-gateway-1.0.0.tgz') ? served : answer,
    ))

  test('where no responder can let it go', () =>
    assertCaught(/must be able to grant it/, ({ path }, answer) =>
      path === '/operate/waivers' ? { ...answer, status: 403 } : answer,
    ))

  test('that does not tell its publisher', () =>
    // A twin passes no headers on, and so no notice.
    assertCaught(/must be asked/, (_, answer) => answer))
})
