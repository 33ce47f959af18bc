// SPDX-License-Identifier: Apache-2.0
import { after, before, describe, test } from 'node:test'
import { publicLog } from '../src/assess/probe/general-3-log.ts'
import { type Answer, assertCaughtStarting, type Tamper } from './broken-twin.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let real: ProbedInstance

before(async () => {
  real = await startInstance()
})
after(() => real.stop())

const assertCaught = (why: RegExp, tamper: Tamper) => assertCaughtStarting(publicLog, real, why, tamper)

const replaced = (answer: Answer, change: (body: string) => string): Answer => ({
  ...answer,
  body: Buffer.from(change(answer.body.toString('utf8'))),
})

describe('the probe of the log notices an instance', { concurrency: 1 }, () => {
  test('whose tiles are not those of what it signed', async () => {
    await assertCaught(/tiles do not prove it/, ({ path }, answer) =>
      path.startsWith('/log/tile/0/')
        ? { ...answer, body: answer.body.map(byte => byte + 1) as Buffer }
        : answer,
    )
  })

  test('that gives a proof of something else', async () => {
    await assertCaught(/the proof of 1\.0\.\d must hold/, ({ path }, answer) =>
      path === '/log/proofs'
        ? replaced(answer, body => body.replace(/"path":\["[^"]*"/, '"path":["AAAA"'))
        : answer,
    )
  })

  test('that changes an entry', async () => {
    await assertCaught(/an audit must find nothing wrong/, ({ path }, answer) => {
      if (!path.startsWith('/log/tile/entries/')) return answer
      return {
        ...answer,
        body: Buffer.from(answer.body.toString('latin1').replace('"user"', '"oidc"'), 'latin1'),
      }
    })
  })

  test('that leaves the cosignatures of its witnesses away', async () => {
    await assertCaught(/fewer witnesses/, ({ path }, answer) =>
      path === '/log/checkpoint' ? replaced(answer, body => body.replace(/\u2014 witness.*\n/, '')) : answer,
    )
  })

  test('that offers what no witness saw', async () => {
    // Once 1.0.0 is quarantined, what comes next has to wait.
    const offer = (body: string) => {
      const document = JSON.parse(body)
      if (document.versions?.['1.0.0'] === undefined)
        document.versions = { ...document.versions, '1.0.2': {} }
      return JSON.stringify(document)
    }
    await assertCaught(/must not be there to install/, ({ path, method }, answer) =>
      method === 'GET' && /^\/npm\/@[^/]+%2flogged$/.test(path) ? replaced(answer, offer) : answer,
    )
  })
})
