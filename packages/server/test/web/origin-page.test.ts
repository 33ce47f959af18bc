// SPDX-License-Identifier: Apache-2.0
/** Where names come from, how these registries do, and what is kept of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePackageName } from '@holdfast/core'
import { startUpstream } from '../upstream-registry.ts'
import { openWorld } from '../world.ts'
import { get } from './site.ts'

test('origins show their health, what is cached of them, and that nobody watches for private names', async t => {
  const upstream = await startUpstream()
  t.after(() => upstream.close())
  const origins = {
    up: upstream.url,
    down: { url: 'http://127.0.0.1:9', token: 'a-secret-of-this-test' },
  }
  const world = await openWorld({
    origins: JSON.stringify(origins),
    routes: JSON.stringify({ '*': 'up', '@down/*': 'down' }),
    allowPrivateHosts: '127.0.0.1',
  })
  t.after(() => world.close())
  upstream.publish('left-pad', '1.0.0')
  assert.equal((await world.npm('GET /left-pad/-/left-pad-1.0.0.tgz')).status, 200)
  while ((await world.ports.store.mirrors.summarise())[0]?.versions !== 1) await new Promise(setImmediate)
  assert.equal((await world.npm('GET /@down%2fui')).status, 502)
  const visit = await world.browse(await world.someone('ann', ['operator']))
  const { text } = await get(world, '/operate/origins', visit)
  assert.match(text, /<td>up<br>[\s\S]*answers[\s\S]*1 package, 1 tarball/)
  assert.match(text, /<td>down<br>[\s\S]*<code>@down\/\*<\/code>[\s\S]*fails[\s\S]*nothing/)
  assert.match(text, /Not watched/)
  assert.doesNotMatch(text, /not believed/)
  assert.doesNotMatch(text, /a-secret-of-this-test/)
  const cached = await get(world, '/operate/cached', visit)
  assert.match(cached.text, /1 package of[\s\S]*left-pad[\s\S]*<td>up<\/td>[\s\S]*1 version, \d+ B/)
  assert.match((await get(world, '/operate/cached?q=left', visit)).text, />left-pad</)
  const none = (await get(world, '/operate/cached?q=%22%3E%3Cscript%3E', visit)).text
  assert.match(none, /0 packages of/)
  assert.doesNotMatch(none, />left-pad<|<script>/)
  upstream.publish('left-pad', '1.1.0', { dist: { tarball: 'https://elsewhere.example/<b>.tgz' } })
  await world.ports.mirrors.refresh(parsePackageName('left-pad'), 'up')
  const doubted = (await get(world, '/operate/origins', visit)).text
  assert.match(doubted, /not believed[\s\S]*left-pad[\s\S]*1\.1\.0<\/bdi>: <bdi>its tarball lies elsewhere/)
  assert.doesNotMatch(doubted, /<b>/)
  upstream.documents.delete('left-pad')
  await world.ports.mirrors.refresh(parsePackageName('left-pad'), 'up')
  assert.match((await get(world, '/operate/cached', visit)).text, /left-pad<\/a>[\s\S]*gone upstream/)
  const nobody = await world.browse(await world.someone('eve', ['auditor']))
  for (const path of ['/operate/origins', '/operate/cached'])
    assert.equal((await get(world, path, nobody)).status, 404, path)
})

test('a registry that stands alone says so, and a source of names that was never read', async t => {
  const world = await openWorld({ upstreamNames: '/nowhere/names.json', askUpstreamsAbout: '@acme/*' })
  t.after(() => world.close())
  const visit = await world.browse(await world.someone('ann', ['responder']))
  const { text } = await get(world, '/operate/origins', visit)
  assert.match(text, /stands alone/)
  assert.match(text, /names\.json<\/code>[\s\S]*never read[\s\S]*asked about <code>@acme\/\*/)
  assert.doesNotMatch(text, /Not watched/)
})
