// SPDX-License-Identifier: Apache-2.0
/** The numbers that anybody may see. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { closeCase } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { openWorld } from '../world.ts'
import { get } from './site.ts'

const world = await openWorld()
after(() => world.close())

test('reports, cases and how they ended are counted by period, and nobody is named', async () => {
  const ann = await world.someone('ann')
  await world.publish(ann, 'thief', '1.0.0')
  const body = { package: 'thief', kind: 'malware', words: 'it steals' }
  await world.ask('POST /api/v1/reports', { token: ann.token, body })
  world.advance(40 * 24 * 3600_000)
  const [found] = await world.ports.store.incident.listCases(Number.MAX_SAFE_INTEGER, 1)
  await closeCase(world.ports, operator, found?.id ?? '', 'it was', 'confirmed')
  const { status, text } = await get(world, '/transparency')
  assert.equal(status, 200)
  const row = (label: string) =>
    [...(new RegExp(`${label}</th>(.*?)</tr>`).exec(text)?.[1] ?? '').matchAll(/<td>(\d+)/g)].map(
      ([, n]) => n,
    )
  assert.deepEqual(row('Reports that counted'), ['0', '1', '1'])
  assert.deepEqual(row('Reports that were right'), ['1', '1', '1'])
  assert.deepEqual(row('Cases closed'), ['1', '1', '1'])
  assert.match(text, /took no longer than 40 days/)
  assert.doesNotMatch(text, /thief|ann</)
})
