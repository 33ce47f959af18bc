// SPDX-License-Identifier: Apache-2.0
/** The probe of drills, against instances that break one property. */
import { after, before, test } from 'node:test'
import { drill } from '../src/assess/probe/beyond-drill.ts'
import { accepted, assertCaughtStarting } from './broken-twin.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let real: ProbedInstance
before(async () => {
  real = await startInstance()
})
after(() => real.stop())

const isDrill = (path: string) => path.startsWith('/api/v1/drills/')

test('an instance that lets anybody begin a drill is noticed', () =>
  assertCaughtStarting(drill, real, /a stranger must not begin/, ({ path }, answer) =>
    path === '/api/v1/drills' && answer.status === 403 ? accepted : answer,
  ))

test('an instance that does not contain what it plays is noticed', () =>
  assertCaughtStarting(drill, real, /must be contained/, ({ path }, answer) => {
    if (!isDrill(path)) return answer
    const told = JSON.parse(answer.body.toString())
    return { ...answer, body: Buffer.from(JSON.stringify({ ...told, containedAt: null })) }
  }))

test('an instance that leaves what it played is noticed', () =>
  assertCaughtStarting(drill, real, /nothing of a drill must be served/, ({ path }, answer) =>
    /^\/npm\/@holdfast-drill.*\.tgz$/.test(path) && answer.status >= 400
      ? { ...answer, status: 200 }
      : answer,
  ))
