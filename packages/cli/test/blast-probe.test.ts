// SPDX-License-Identifier: Apache-2.0
/** The probe of the blast radius, against instances that break one property. */
import { after, before, test } from 'node:test'
import { blast } from '../src/assess/probe/beyond-blast.ts'
import { assertCaughtStarting } from './broken-twin.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let real: ProbedInstance
before(async () => {
  real = await startInstance()
})
after(() => real.stop())

const isBlast = (path: string) => path.endsWith('/blast')

test('an instance that forgets who fetched what is noticed', () =>
  assertCaughtStarting(blast, real, /must stand in the exported file/, ({ path }, answer) =>
    path.endsWith('/blast.csv') ? { ...answer, body: Buffer.from('version,account\n') } : answer,
  ))

test('an instance that looks one step only is noticed', () =>
  assertCaughtStarting(blast, real, /far contains it and must be named/, ({ path }, answer) =>
    isBlast(path)
      ? {
          ...answer,
          body: Buffer.from(answer.body.toString().replaceAll(/>@probe-[0-9a-f]+\/far<\/a>/g, '>')),
        }
      : answer,
  ))

test('an instance that shows everybody who has what is noticed', () =>
  assertCaughtStarting(blast, real, /others must not see who has what/, ({ path }, answer) =>
    (isBlast(path) || path.endsWith('.csv')) && answer.status >= 400 ? { ...answer, status: 200 } : answer,
  ))
