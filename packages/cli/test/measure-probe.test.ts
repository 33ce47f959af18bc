// SPDX-License-Identifier: Apache-2.0
import { after, before, describe, test } from 'node:test'
import { freeze } from '../src/assess/probe/beyond-freeze.ts'
import { assertCaughtStarting, type Tamper } from './broken-twin.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let real: ProbedInstance

before(async () => {
  real = await startInstance()
})
after(() => real.stop())

describe('the probe of freezes notices an instance', { concurrency: 2 }, () => {
  const assertCaught = (why: RegExp, tamper: Tamper) => assertCaughtStarting(freeze, real, why, tamper)

  test('that lets a publish through a freeze', () =>
    assertCaught(/must be refused while frozen by its maintainer/, (_, answer) =>
      answer.status === 403 ? { ...answer, status: 201 } : answer,
    ))

  test('that stays frozen', () => {
    let refused = false
    return assertCaught(/what is not frozen must work/, ({ method }, answer) => {
      if (method === 'PUT' && answer.status === 403) refused = true
      return method === 'PUT' && refused ? { ...answer, status: 403 } : answer
    })
  })

  test('that serves what a query closed', () =>
    assertCaught(/a query closed must be refused/, ({ path }, answer) =>
      path.endsWith('.tgz') ? { ...answer, status: 200 } : answer,
    ))

  test('that lets in what has a blocked text in it', () =>
    assertCaught(/blocked text in it must be refused/, (_, answer) =>
      answer.body.includes('responders of this registry blocked') ? { ...answer, status: 201 } : answer,
    ))

  test('that keeps no record', () =>
    assertCaught(/must be on record/, ({ path }, answer) =>
      path === '/operate/measures' ? { ...answer, body: Buffer.from('nothing') } : answer,
    ))

  test('that lets a revoked token in', () =>
    assertCaught(/revoked token must end/, ({ path }, answer) =>
      path.endsWith('/whoami') ? { ...answer, status: 200 } : answer,
    ))
})
