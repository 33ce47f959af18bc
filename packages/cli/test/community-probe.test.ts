// SPDX-License-Identifier: Apache-2.0
import { after, before, describe, test } from 'node:test'
import { disclosure } from '../src/assess/probe/general-1-vdp.ts'
import { reviews } from '../src/assess/probe/general-3-review.ts'
import type { Probe } from '../src/assess/probe.ts'
import { type Asked, assertCaughtStarting, type Tamper } from './broken-twin.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let real: ProbedInstance

before(async () => {
  real = await startInstance()
})
after(() => real.stop())

/** An instance whose answers on a path have other words in them. */
const worded =
  (isOn: RegExp, words: RegExp, by: string): Tamper =>
  ({ path }: Asked, answer) =>
    isOn.test(path) ? { ...answer, body: Buffer.from(answer.body.toString().replaceAll(words, by)) } : answer

const catching = (probe: Probe) => (why: RegExp, tamper: Tamper) =>
  assertCaughtStarting(probe, real, why, tamper)

describe('the probe of disclosure notices an instance', () => {
  const caught = catching(disclosure)
  test('whose security.txt has run out', () =>
    caught(/must not have expired/, worded(/security\.txt/, /Expires: \d{4}/g, 'Expires: 2020')))
  test('whose security.txt names nobody', () =>
    caught(/no Contact/, worded(/security\.txt/, /Contact: .*\r\n/g, '')))
  test('whose policy promises no safety to those who look', () =>
    caught(/safe harbour/, worded(/disclosure$/, /safe harbour/gi, '')))
  test('that lets the later of two edits win', () =>
    caught(/second edit of the same text/, (asked, answer) =>
      answer.status === 409 && asked.method === 'POST' ? { ...answer, status: 303 } : answer,
    ))
  test('that forgets what it said before', () =>
    caught(/before must stay readable/, worded(/version=0/, /safe harbour/gi, '')))
})

describe('the probe of reviews notices an instance', () => {
  const caught = catching(reviews)
  test('whose register never turns red', () =>
    caught(/older than 12 months/, worded(/security\/reviews/, /Overdue/g, 'Fine')))
  test('that shows no remedies', () =>
    caught(/must show removed/, worded(/security\/reviews/, /removed/g, '')))
  test('whose page of capabilities hides it', () =>
    caught(/must be red/, worded(/\/security$/, /not here/g, 'shown')))
})
