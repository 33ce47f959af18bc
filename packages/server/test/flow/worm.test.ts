// SPDX-License-Identifier: Apache-2.0
/** A worm from beginning to end: an upstream publishes it, fifty clients install it, the upstream withdraws it; nobody lifts a hand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { parsePackageName, parseVersion } from '@holdfast/core'
import { takeMeasure } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { commands, type Desk, isHere, type Kind, openDesk } from '../client/client.ts'
import { passes } from '../client/expect.ts'
import { startUpstream } from '../upstream-registry.ts'
import { dayMs, openWorld } from '../world.ts'

const name = parsePackageName('chalked')
const bad = parseVersion('1.0.1')
const clients = 50
const atOnce = 4
const kinds = (['npm', 'pnpm', 'yarn', 'berry', 'bun'] as const).filter(isHere)
/** Without it yarn 1 and berry show their token for scoped packages only. */
const always: Partial<Record<Kind, Readonly<Record<string, string>>>> = {
  yarn: { 'always-auth': 'true' },
  berry: { npmAlwaysAuth: 'true' },
}
const app = { name: 'app', version: '1.0.0', private: true, dependencies: { [name]: '^1.0.0' } }

test('what fifty clients installed is contained when the upstream withdraws it, and new installs fall back', {
  timeout: 400_000,
}, async t => {
  const upstream = await startUpstream()
  t.after(() => upstream.close())
  const world = await openWorld({
    origins: JSON.stringify({ up: upstream.url }),
    allowPrivateHosts: '127.0.0.1',
  })
  t.after(() => world.close())
  const responder = await world.someone('rae', ['responder'])
  upstream.publish(name, '1.0.0', { publishedAt: world.now() - 400 * dayMs })
  // Old enough for the release age: no policy stops it.
  upstream.publish(name, bad, { publishedAt: world.now() - 4 * dayMs })
  const desks: Desk[] = []
  t.after(() => Promise.all(desks.map(desk => desk.remove())))
  const people = Array.from({ length: clients }, (_, at) => `dev-${String(at).padStart(2, '0')}`)
  const waiting = people.entries()
  const work = async () => {
    for (const [at, login] of waiting) {
      const kind = kinds[at % kinds.length] ?? 'npm'
      const { token } = await world.someone(login)
      const desk = await openDesk(kind, `${world.url}/npm/`, token)
      desks.push(desk)
      await desk.configure(token, always[kind])
      await desk.folder('app', app)
      passes(await desk.run('app', commands[kind].install))
      assert.equal((await desk.installed('app', name))?.['version'], bad)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
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
  assert.equal(page.status, 200)
  const holders = await world.ask(`GET /operate/cases/${made?.id}/blast.csv`, { headers: { cookie } })
  for (const login of people) assert.match(holders.text, new RegExp(`^"?${name}"?,.*${login}`, 'm'))
  const letters = (await world.ports.store.mail.listRecent(10)).filter(each => each.to === responder.email)
  assert.ok(letters.some(each => each.subject.startsWith(`${name} was withdrawn upstream`)))

  const exact = await world.npm(`GET /${name}/-/${name}-${bad}.tgz`)
  assert.equal(exact.status, 403)
  assert.match(exact.text, /removed it[\s\S]*1\.0\.0/)
  const held = await world.ports.store.mirrors.findIngested(name, bad)
  assert.ok(held !== undefined && (await world.ports.blobs.size(held.digest)) === held.sizeBytes)
  for (const kind of kinds) {
    const desk = desks.find(each => each.kind === kind)
    assert.ok(desk)
    await desk.forget('app')
    const locked = await desk.run('app', commands[kind].frozen)
    assert.notEqual(locked.code, 0, kind)
    assert.match(locked.text, kind === 'npm' || kind === 'berry' ? /quarantined/ : /403/)
    await desk.folder('fresh', { ...app, name: 'fresh' })
    passes(await desk.run('fresh', commands[kind].install))
    assert.equal((await desk.installed('fresh', name))?.['version'], '1.0.0')
  }

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
