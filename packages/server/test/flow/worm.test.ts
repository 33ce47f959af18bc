// SPDX-License-Identifier: Apache-2.0
/** A worm from beginning to end: an upstream publishes it, fifty clients install it, the upstream withdraws it; nobody lifts a hand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { parsePackageName, parseVersion } from '@holdfast/core'
import { takeMeasure } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { openDesk } from '../client/client.ts'
import { startUpstream } from '../upstream-registry.ts'
import { dayMs, openWorld } from '../world.ts'

const name = parsePackageName('chalked')
const bad = parseVersion('1.0.1')
const clients = 50

test('what fifty clients installed is contained when the upstream withdraws it, and new installs fall back', {
  timeout: 120_000,
}, async t => {
  const upstream = await startUpstream()
  t.after(() => upstream.close())
  const world = await openWorld({
    origins: JSON.stringify({ up: upstream.url }),
    allowPrivateHosts: '127.0.0.1',
    trustedProxies: '127.0.0.1',
  })
  t.after(() => world.close())
  const responder = await world.someone('rae', ['responder'])
  upstream.publish(name, '1.0.0', { publishedAt: world.now() - 400 * dayMs })
  // Old enough for the release age: no policy stops it.
  upstream.publish(name, bad, { publishedAt: world.now() - 4 * dayMs })
  const desk = await openDesk('npm', `${world.url}/npm/`)
  t.after(() => desk.remove())
  await desk.folder('app', { name: 'app', version: '1.0.0', dependencies: { [name]: '^1.0.0' } })
  const installed = await desk.run('app', ['install'])
  assert.equal(installed.code, 0, installed.text)
  assert.equal((await desk.installed('app', name))?.['version'], bad)
  const address = (i: number) => `198.51.100.${i + 1}`
  for (let i = 0; i < clients; i++) {
    const headers = { 'x-forwarded-for': address(i), 'user-agent': 'npm/11' }
    const { status } = await world.npm(`GET /${name}/-/${name}-${bad}.tgz`, { headers })
    assert.equal(status, 200)
  }
  await world.ports.downloads.flush()

  const document = upstream.documents.get(name)
  delete document.versions[bad]
  document['dist-tags'].latest = '1.0.0'
  world.advance(5 * 60_000)
  const cases = () => world.ports.store.incident.listCases(Number.MAX_SAFE_INTEGER, 10)
  while ((await cases()).length === 0) await delay(50)

  const [made] = await cases()
  assert.deepEqual([made?.kind, made?.state, made?.openedBy], ['takedown', 'draft', 'reconcile'])
  const { cookie } = await world.browse(responder)
  const page = await world.ask(`GET /operate/cases/${made?.id}`, { headers: { cookie } })
  // Each of them, by network.
  assert.equal(page.text.match(/>198\.51\.100\.0\/24</g)?.length, clients)
  const letters = (await world.ports.store.mail.listRecent(10)).filter(each => each.to === responder.email)
  assert.ok(letters.some(each => each.subject.startsWith(`${name} was withdrawn upstream`)))

  const exact = await world.npm(`GET /${name}/-/${name}-${bad}.tgz`)
  assert.equal(exact.status, 403)
  assert.match(exact.text, /removed it[\s\S]*1\.0\.0/)
  const held = await world.ports.store.mirrors.findIngested(name, bad)
  assert.ok(held !== undefined && (await world.ports.blobs.size(held.digest)) === held.sizeBytes)
  await desk.forget('app')
  const locked = await desk.run('app', ['ci'])
  assert.notEqual(locked.code, 0)
  assert.match(locked.text, /quarantined/)
  await desk.folder('fresh', { name: 'fresh', version: '1.0.0', dependencies: { [name]: '^1.0.0' } })
  const again = await desk.run('fresh', ['install'])
  assert.equal(again.code, 0, again.text)
  assert.equal((await desk.installed('fresh', name))?.['version'], '1.0.0')

  // A person who knows better lets it go, and takes it back.
  const reason = { code: 'other', words: 'its author removed it' } as const
  await takeMeasure(world.ports, operator, 'release', { name, version: bad }, reason)
  assert.equal((await world.npm(`GET /${name}/-/${name}-${bad}.tgz`)).status, 200)
  world.advance(10 * 60_000)
  await world.ports.mirrors.refresh(name, 'up')
  assert.equal((await world.npm(`GET /${name}/-/${name}-${bad}.tgz`)).status, 200)
  await takeMeasure(
    world.ports,
    operator,
    'quarantine',
    { name, version: bad },
    { ...reason, code: 'malware' },
  )
  assert.equal((await world.npm(`GET /${name}/-/${name}-${bad}.tgz`)).status, 403)
  assert.deepEqual(world.errors, [])
})
