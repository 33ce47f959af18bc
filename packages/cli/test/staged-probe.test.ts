// SPDX-License-Identifier: Apache-2.0
/** A twin that shows what is staged to everybody: the probe of staged releases must notice. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { staged } from '../src/assess/probe/beyond-staged.ts'
import { startTwin, type Tamper } from './broken-twin.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let real: ProbedInstance

before(async () => {
  real = await startInstance()
})
after(() => real.stop())

async function assertCaught(why: RegExp, tamper: Tamper): Promise<void> {
  const twin = await startTwin(real.url, tamper)
  try {
    const { operate, startOther } = real
    await assert.rejects(staged.run({ url: twin.url, operate, startOther }), why)
  } finally {
    twin.close()
  }
}

test('it notices an instance where one publishes alone what two should approve', () =>
  assertCaught(/nobody publishes alone/, ({ method, body }, answer) =>
    method === 'PUT' && body.includes('"1.1.0"') ? { ...answer, status: 201 } : answer,
  ))

test('it notices an instance that gives the bytes of a staged version to everybody', () =>
  assertCaught(/tarball of a staged version must not be there/, ({ path }, answer) =>
    path.endsWith('-1.1.0.tgz') ? { ...answer, status: 200 } : answer,
  ))

test('it notices an instance that shows the page of a staged version to strangers', () =>
  assertCaught(/strangers must not see/, ({ path }, answer) =>
    path.startsWith('/package/') ? { ...answer, status: 200 } : answer,
  ))

test('it notices an instance whose page shows no changed lines', () =>
  assertCaught(/must show the changed lines/, ({ path }, answer) =>
    path.startsWith('/package/')
      ? { ...answer, body: Buffer.from(answer.body.toString().replaceAll('// after', '')) }
      : answer,
  ))
