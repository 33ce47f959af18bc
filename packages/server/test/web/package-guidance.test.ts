// SPDX-License-Identifier: Apache-2.0
/** Owners see what they have not done yet for their package, where they look. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { parsePackageName } from '@holdfast/core'
import { addOwner } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { openWorld } from '../world.ts'
import { get } from './site.ts'

const world = await openWorld()
after(() => world.close())

test('an owner sees the next step on the package’s page, another one when that is done; others see none', async () => {
  const [ann, bob] = [await world.someone('ann'), await world.someone('bob')]
  await world.publish(ann, 'ui', '1.0.0')
  const page = async (visit = {}) => (await get(world, '/package/npm/ui', visit)).text
  const [mine, theirs] = [await world.browse(ann), await world.browse(bob)]
  assert.match(await page(mine), /not done yet: a second maintainer/)
  assert.doesNotMatch(await page(theirs), /not done yet/)
  assert.doesNotMatch(await page(), /not done yet/)
  await addOwner(world.ports, operator, parsePackageName('ui'), 'bob')
  assert.match(await page(theirs), /not done yet: a second factor for every change/)
  const access = (await get(world, '/access/npm/ui', mine)).text
  assert.match(
    access,
    /id="care"[\s\S]*done<\/span> A second maintainer[\s\S]*to do<\/span> Trusted publishing/,
  )
})
