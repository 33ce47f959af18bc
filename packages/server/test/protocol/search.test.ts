// SPDX-License-Identifier: Apache-2.0
/** Search over what is hosted here and what is cached of upstreams. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { NamePattern, PackageName } from '@holdfast/core'
import { parseRules } from '../../src/catalog/index.ts'
import { applyPolicy, hostNames } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { startUpstream, type UpstreamRegistry } from '../upstream-registry.ts'
import { type Json, openWorld, type World } from '../world.ts'

let upstream: UpstreamRegistry
let world: World
const hidden = '@acme/paint-secret' as PackageName

before(async () => {
  upstream = await startUpstream()
  world = await openWorld({ origins: JSON.stringify({ up: upstream.url }), allowPrivateHosts: '127.0.0.1' })
  for (const name of ['paint', 'paint-oil', '@colour/paint', hidden, 'paint-unused']) {
    upstream.publish(name, '1.0.0')
    if (name !== 'paint-unused') await world.npm(`GET /${name.replace('/', '%2f')}`)
  }
  await hostNames(world.ports, operator, ['@acme/*', 'paint-*'] as NamePattern[])
  const alice = await world.someone('alice')
  await world.publish(alice, 'paint-box', '1.0.0')
  await world.publish(alice, hidden, '2.0.0', { access: 'restricted' })
})
after(async () => {
  assert.deepEqual(world.errors, [])
  await world.close()
  await upstream.close()
})

async function search(query: string) {
  const { body } = await world.npm(`GET /-/v1/search?${query}`)
  return { total: body.total, names: body.objects.map((each: Json) => each.package.name) }
}

test('what is hosted here comes first, then what is cached; what comes from here by now is no upstream’s', async () => {
  assert.deepEqual(await search('text=paint'), { total: 3, names: ['paint-box', 'paint', '@colour/paint'] })
  assert.deepEqual((await search('text=secret')).names, [])
  assert.deepEqual((await search('text=oil')).names, [], 'its name is ours now, though nobody published it')
})

test('pages go on from the hosted ones to the cached ones without a gap', async () => {
  const names = []
  for (let from = 0; from < 4; from += 1) names.push(...(await search(`text=pai&size=1&from=${from}`)).names)
  assert.deepEqual(
    names.filter(name => name !== 'paint-oil'),
    ['paint-box', 'paint', '@colour/paint'],
  )
})

test('no upstream hears what somebody searches for, and no version is shown that cannot be installed', async () => {
  world.advance(2 * 24 * 3600_000)
  // What is cached is asked about once a day, in the background, whoever searches.
  const asksOf = (path: string) => upstream.asked.filter(({ line }) => line === `GET ${path}`).length
  while (asksOf('/paint') < 2 || asksOf('/@colour%2fpaint') < 2) await delay(20)
  const asked = upstream.asked.length
  assert.deepEqual((await search('text=unused')).names, [])
  assert.deepEqual((await search('text=paint')).names.length, 3)
  assert.equal(upstream.asked.length, asked, 'not even about what is cached')
  await applyPolicy(
    world.ports,
    operator,
    parseRules([{ kind: 'deny', packages: ['paint'], mode: 'enforce' }]),
  )
  assert.deepEqual(await search('text=paint'), { total: 2, names: ['paint-box', '@colour/paint'] })
})

test('the page says from where a package is, and what it does not list', async () => {
  const { text } = await world.ask('GET /search?q=paint')
  assert.match(text, /from up/)
  assert.match(text, /packages that nobody here has used are not listed/)
})
