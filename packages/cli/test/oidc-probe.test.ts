// SPDX-License-Identifier: Apache-2.0
import { after, before, describe, test } from 'node:test'
import { trustedPublishing } from '../src/assess/probe/authz-3-oidc.ts'
import { type Answer, type Asked, accepted, assertCaughtStarting, type Tamper } from './broken-twin.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let real: ProbedInstance

before(async () => {
  real = await startInstance()
})
after(() => real.stop())

const assertCaught = (why: RegExp, tamper: Tamper) =>
  assertCaughtStarting(trustedPublishing, real, why, tamper)

const isExchange = ({ path }: Asked) => path.includes('/oidc/token/exchange/')
const codeOf = ({ body }: Answer) => /"code":"([a-z-]+)"/.exec(body.toString())?.[1]
const given = (token: string): Answer => ({
  ...accepted,
  body: Buffer.from(JSON.stringify({ token, expires: new Date(Date.now() + 900_000).toISOString() })),
})

describe('the probe of trusted publishing notices an instance', { concurrency: 2 }, () => {
  test('that lets in a job which nobody trusts', async () => {
    await assertCaught(/trusts nobody must get no token/, (asked, answer) =>
      isExchange(asked) && codeOf(answer) === 'trust-refused' ? given('x') : answer,
    )
  })

  test('that takes tokens which only look signed', async () => {
    await assertCaught(/signature is of something else must get no token/, (asked, answer) =>
      isExchange(asked) && /signature/.test(answer.body.toString()) ? given('x') : answer,
    )
  })

  test('that takes an identity token twice', async () => {
    await assertCaught(/used before must get no token/, (asked, answer) =>
      isExchange(asked) && codeOf(answer) === 'job-token-used' ? given('x') : answer,
    )
  })

  test('whose token publishes something else too', async () => {
    await assertCaught(/must publish nothing else/, (asked, answer) =>
      asked.method === 'PUT' && answer.status === 403 ? accepted : answer,
    )
  })

  test('whose tokens live for a day', async () => {
    const day = new Date(Date.now() + 86_400_000).toISOString()
    await assertCaught(/about fifteen minutes/, (asked, answer) =>
      isExchange(asked) && answer.status === 201
        ? { ...answer, body: Buffer.from(JSON.stringify({ token: 'x', expires: day })) }
        : answer,
    )
  })
})
