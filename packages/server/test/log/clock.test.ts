// SPDX-License-Identifier: Apache-2.0
/** A machine whose clock is years off: its entries say so, and the log itself goes on. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openWorld } from '../world.ts'

const tenYearsMs = 10 * 365 * 86_400_000
const world = await openWorld()
after(async () => {
  assert.deepEqual(world.errors, [])
  await world.close()
})

test('a clock that goes ten years back, and then forward, costs neither a checkpoint nor an entry', async () => {
  const publish = async (login: string) => {
    await world.publish(await world.someone(login), `of-${login}`, '1.0.0')
    const proof = await world.ask(`GET /log/proof?pkg=of-${login}&ver=1.0.0`)
    assert.equal(proof.status, 200, proof.text)
    return (await world.ports.log.published())?.size ?? 0
  }
  const sizes = [await publish('today')]
  world.advance(-tenYearsMs)
  sizes.push(await publish('before'))
  world.advance(2 * tenYearsMs)
  sizes.push(await publish('later'))
  assert.deepEqual(
    sizes,
    [...sizes].sort((a, b) => a - b),
  )
  assert.equal(new Set(sizes).size, 3)
  const ids = (await world.ports.store.events.read(0, 1000)).map(({ id }) => id)
  assert.equal(new Set(ids).size, ids.length)
  await world.check()
})
