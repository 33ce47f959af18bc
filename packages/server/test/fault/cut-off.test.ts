// SPDX-License-Identifier: Apache-2.0
/** A replica between which and PostgreSQL packets vanish: it must not go on with what it remembers of tokens and packages. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { parsePackageName, parseVersion } from '@holdfast/core'
import { revokeLeaked, takeMeasure } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { readConfig, startInstance } from '../../src/main.ts'
import { startPostgres } from '../postgres.ts'
import { openWorld } from '../world.ts'

const socketName = '.s.PGSQL.5432'

/** The database through a wire that can be frozen: nothing goes through, and nobody is told. */
async function openWire(database: string) {
  const address = new URL(database)
  const real = address.searchParams.get('host') ?? assert.fail()
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-wire-'))
  const ends = new Set<Socket>()
  let isFrozen = false
  const wire = createServer(near => {
    const far = connect(join(real, socketName))
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(from)
      if (isFrozen) from.pause()
      from.on('data', bytes => to.write(bytes))
      from.on('close', () => {
        ends.delete(from)
        to.destroy()
      })
      from.on('error', () => {})
      if (isFrozen) from.pause()
    }
  })
  await new Promise<void>(resolve => wire.listen(join(folder, socketName), resolve))
  address.searchParams.set('host', folder)
  return {
    url: address.href,
    freeze() {
      isFrozen = true
      for (const end of ends) end.pause()
    },
    thaw() {
      isFrozen = false
      for (const end of ends) end.resume()
    },
    async close() {
      for (const end of ends) end.destroy()
      await new Promise(resolve => wire.close(resolve))
      await rm(folder, { recursive: true })
    },
  }
}

const server = await startPostgres()
const database = server.url(await server.createDatabase())
const world = await openWorld({ database })
const wire = await openWire(database)
const config = readConfig({ data: world.ports.config.data, port: '0', database: wire.url }, {})
const replica = await startInstance(config, { request() {}, say() {}, flush() {} }, world.now)
after(async () => {
  wire.thaw()
  await replica.stop()
  await wire.close()
  await world.close()
})

const ann = await world.someone('ann')

/** What the replica answers to whoever has this token. */
async function ask(token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  return (await fetch(`${replica.url}/npm/-/whoami`, { headers })).status
}

test('a second after a revocation that a cut-off replica could not hear of, it believes the token no longer', async () => {
  const token = await world.token(ann)
  assert.deepEqual([await ask(token), await ask(token)], [200, 200])
  wire.freeze()
  assert.ok(await revokeLeaked(world.ports, token, { source: 'report', where: '' }))
  await delay(1000)
  assert.equal(await ask(token), 503)
  wire.thaw()
  while ((await ask(ann.token)) !== 200) await delay(50)
  assert.equal(await ask(token), 401)
})

test('a connection that was broken is replaced, and remembered tokens count again', async () => {
  const token = await world.token(ann)
  wire.freeze()
  await delay(1000)
  wire.thaw()
  while (!replica.ports.store.events.isCurrent()) await delay(50)
  assert.deepEqual([await ask(token), await ask(token)], [200, 200])
  assert.ok(await revokeLeaked(world.ports, token, { source: 'report', where: '' }))
  await delay(1000)
  assert.equal(await ask(token), 401)
})

test('a second after a quarantine that a cut-off replica could not hear of, it gives nobody what it remembers', async () => {
  await world.publish(ann, 'left', '1.0.0')
  await world.publish(ann, 'left', '1.1.0')
  const headers = { accept: 'application/vnd.npm.install-v1+json' }
  const paths = ['/npm/left', '/npm/left/-/left-1.1.0.tgz']
  const statuses = () =>
    Promise.all(paths.map(async path => (await fetch(replica.url + path, { headers })).status))
  // Once from the database, then from memory.
  for (let round = 0; round < 3; round++) assert.deepEqual(await statuses(), [200, 200])
  wire.freeze()
  const subject = { name: parsePackageName('left'), version: parseVersion('1.1.0') }
  await takeMeasure(world.ports, operator, 'quarantine', subject, { code: 'malware', words: '' })
  await delay(1000)
  assert.deepEqual(await statuses(), [503, 503])
  wire.thaw()
  while (!replica.ports.store.events.isCurrent()) await delay(50)
  assert.deepEqual(await statuses(), [200, 403])
})
