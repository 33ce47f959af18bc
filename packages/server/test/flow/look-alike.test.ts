// SPDX-License-Identifier: Apache-2.0
/** Names that are taken for others: at the first publish here, and when they first come from an upstream. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PackageName, Version } from '@holdfast/core'
import { parseRules } from '../../src/catalog/index.ts'
import { applyPolicy, askWaiver, decideWaiver } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { publishDocument } from '../live.ts'
import { startUpstream } from '../upstream-registry.ts'
import { dayMs, openWorld, type Someone, type World } from '../world.ts'

const put = (world: World, who: Someone, name: string, version = '1.0.0') =>
  world.npm(`PUT /${name.replace('/', '%2f')}`, { token: who.token, body: publishDocument(name, version) })

const set = (world: World, rule: object) => {
  world.advance(1000)
  return applyPolicy(
    world.ports,
    operator,
    parseRules([{ kind: 'look-alike', mode: 'enforce', action: 'hold', ...rule }]),
  )
}

const why = async (world: World, name: string) => (await world.ask(`GET /api/v1/why/npm/${name}/1.0.0`)).body

test('whoever publishes the first version of a look-alike is asked what was meant', async t => {
  const world = await openWorld()
  t.after(() => world.close())
  const alice = await world.someone('alice')
  const reply = await put(world, alice, 'expresss')
  assert.equal(reply.status, 201)
  assert.match(
    reply.headers.get('npm-notice') ?? '',
    /expresss is likely taken for express \(repetition\): did you mean express\?$/,
  )
  assert.equal((await put(world, alice, 'expresss', '1.0.1')).headers.get('npm-notice'), null)
  assert.equal((await put(world, alice, 'quite-another-thing')).headers.get('npm-notice'), null)
  assert.ok((await world.document('expresss')).versions['1.0.0'], 'nothing is held where no rule says so')
})

test('a rule holds it at first publish, a waiver lets it go, and the page says why', async t => {
  const world = await openWorld()
  t.after(() => world.close())
  const alice = await world.someone('alice')
  await set(world, { origins: ['hosted'] })
  const reply = await put(world, alice, 'expresss')
  assert.match(
    reply.headers.get('npm-notice') ?? '',
    /did you mean express\? It is held .*\/why\/npm\/expresss\/1\.0\.0/,
  )
  const bytes = () => world.npm('GET /expresss/-/expresss-1.0.0.tgz', { token: alice.token })
  assert.equal((await bytes()).status, 403)
  assert.match(
    (await bytes()).body.error,
    /likely taken for express .* did you mean express\?.*rule look-alike/,
  )
  const told = await why(world, 'expresss')
  assert.equal(told.rule, 'look-alike')
  const page = await world.ask('GET /why/npm/expresss/1.0.0')
  assert.match(page.text, /did you mean express\?/)
  const subject = { name: 'expresss' as PackageName, version: '1.0.0' as Version }
  const { id } = await askWaiver(world.ports, operator, subject, 'a fork of our own')
  await decideWaiver(world.ports, operator, id, { kind: 'grant', days: 30, words: '' })
  assert.equal((await bytes()).status, 200)
})

test('of names hosted here the later one is the look-alike, and not where the same people own both', async t => {
  const world = await openWorld()
  t.after(() => world.close())
  const [alice, eve] = [await world.someone('alice'), await world.someone('eve')]
  await set(world, { origins: ['hosted'] })
  await put(world, alice, 'acme-gateway')
  world.advance(dayMs)
  await put(world, eve, 'acme-gatewya')
  await put(world, alice, 'acme-gatweay')
  const rule = async (name: string) => (await why(world, name)).rule
  assert.equal(await rule('acme-gatewya'), 'look-alike')
  assert.equal(await rule('acme-gateway'), '')
  assert.equal(await rule('acme-gatweay'), '')
})

test('an upstream’s young look-alike is held when it first comes in; an old name and one of the same publisher is not', async t => {
  const upstream = await startUpstream()
  const world = await openWorld({
    origins: JSON.stringify({ up: upstream.url }),
    routes: JSON.stringify({ '*': 'up' }),
    allowPrivateHosts: '127.0.0.1',
  })
  t.after(async () => {
    await world.close()
    await upstream.close()
  })
  await set(world, {})
  const by = (name: string) => ({ _npmUser: { name, email: `${name}@x.example` } })
  const ago = (days: number) => world.now() - days * dayMs
  upstream.publish('express', '1.0.0', { publishedAt: ago(3000), manifest: by('tj') })
  upstream.publish('expresss', '1.0.0', { publishedAt: ago(30), manifest: by('eve') })
  upstream.publish('exprses', '1.0.0', { publishedAt: ago(30), manifest: by('tj') })
  upstream.publish('exrpess', '1.0.0', { publishedAt: ago(900), manifest: by('eve') })
  const status = async (name: string) => (await world.npm(`GET /${name}/-/${name}-1.0.0.tgz`)).status
  assert.equal(await status('express'), 200)
  assert.deepEqual(
    [await status('expresss'), await status('exprses'), await status('exrpess')],
    [403, 200, 200],
  )
  assert.match((await why(world, 'expresss')).hits[0].why, /did you mean express\?/)
})
