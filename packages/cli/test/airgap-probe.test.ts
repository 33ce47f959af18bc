// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { airgap } from '../src/assess/probe/beyond-airgap.ts'
import type { ProbeInstance } from '../src/assess/probe.ts'
import { assertCaughtStarting, startTwin } from './broken-twin.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let real: ProbedInstance

before(async () => {
  real = await startInstance()
})
after(() => real.stop())

describe('the probe of bundles', { concurrency: 1 }, () => {
  test('passes on an instance that has them', async () => {
    const [carried = '', refused = ''] = await airgap.run(real)
    assert.match(carried, /same bytes/)
    assert.equal(refused.split(', ').length, 7)
  })

  test('notices an instance whose bytes are not those of its log', async () => {
    const twin = await startTwin(real.url, ({ path }, answer) =>
      path.endsWith('/good-1.0.0.tgz')
        ? { ...answer, body: Buffer.concat([answer.body, Buffer.from([0])]) }
        : answer,
    )
    try {
      await assert.rejects(airgap.run({ ...real, url: twin.url }), /must be packed: 1/)
    } finally {
      twin.close()
    }
  })

  test('notices an instance that takes in whatever is carried there', async () => {
    const startOther = async (): Promise<ProbeInstance> => {
      const other = await real.startOther({})
      return {
        ...other,
        operate: async (act, ...rest) => (act === 'bundle' ? '' : other.operate(act, ...rest)),
      }
    }
    await assert.rejects(airgap.run({ ...real, startOther }), /must be refused: one byte more in 1\.tgz/)
  })

  test('notices an instance that keeps silent about advisories that were carried there', async () => {
    await assertCaughtStarting(airgap, real, /must be known on the other side/, ({ path }, answer) =>
      path === '/osv/v1/query' ? { ...answer, body: Buffer.from('{}') } : answer,
    )
  })
})
