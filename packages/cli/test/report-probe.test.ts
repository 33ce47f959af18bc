// SPDX-License-Identifier: Apache-2.0
/** The probes of reports, each against instances that break one property. */
import { after, before, test } from 'node:test'
import { weightedReports } from '../src/assess/probe/beyond-weighted-reports.ts'
import { reports } from '../src/assess/probe/general-2-report.ts'
import { type Answer, assertCaughtStarting } from './broken-twin.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let real: ProbedInstance
before(async () => {
  real = await startInstance()
})
after(() => real.stop())

const isInbox = (path: string) => path === '/operate/cases'
const say = (answer: Answer, from: string, to: string): Answer => ({
  ...answer,
  body: Buffer.from(answer.body.toString().replaceAll(from, to)),
})
const more = '<a href="/operate/cases/case-0123456789abcdef">another</a></main>'

test('an instance where an unconfirmed report counts is noticed', () =>
  assertCaughtStarting(reports, real, /must count for nothing/, ({ path }, answer) =>
    isInbox(path) ? say(answer, '</main>', more) : answer,
  ))

test('an instance that makes a case of each report is noticed', () =>
  assertCaughtStarting(reports, real, /must be one case, and are 2/, ({ path }, answer) =>
    isInbox(path) && answer.body.includes('case-') ? say(answer, '</main>', more) : answer,
  ))

test('an instance that tells reporters something else is noticed', () =>
  assertCaughtStarting(reports, real, /must hear how the report ended/, ({ path }, answer) =>
    path.startsWith('/operate/cases/') ? say(answer, 'value="confirmed"', 'value="closed"') : answer,
  ))

const isTarball = (path: string) => path.endsWith('.tgz')

test('an instance that gives out what a trusted reporter closed is noticed', () =>
  assertCaughtStarting(weightedReports, real, /must close a young package/, ({ path }, answer) =>
    isTarball(path) ? { ...answer, status: 200 } : answer,
  ))

test('an instance that closes by anybody’s word is noticed', () => {
  let reported = 0
  return assertCaughtStarting(weightedReports, real, /must close anything/, ({ path }, answer) => {
    if (path === '/api/v1/reports') reported += 1
    return isTarball(path) && reported > 0 ? { ...answer, status: 403 } : answer
  })
})

test('an instance without a breaker is noticed', () => {
  let reported = 0
  return assertCaughtStarting(
    weightedReports,
    real,
    /must not close what is long out/,
    ({ path }, answer) => {
      if (path === '/api/v1/reports') reported += 1
      return isTarball(path) && path.includes('old-') && !path.includes('older') && reported > 5
        ? { ...answer, status: 403 }
        : answer
    },
  )
})
