// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { authorize, operator } from '../../identity/index.ts'
import type { Ports } from '../../ports.ts'
import type { SqlDriver } from './driver.ts'
import type { Schema } from './schema.ts'
import { openSqlite } from './sqlite.ts'
import { openStore } from './store.ts'

const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
after(() => rm(folder, { recursive: true }))

test('an event of another process is heard also when the first read of it fails', async () => {
  const path = join(folder, 'store.db')
  const driver = openSqlite<Schema>(path)
  let failures = 1
  const db = new Proxy(driver.db, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      return (...words: unknown[]) => {
        if (key === 'selectFrom' && words[0] === 'event' && failures-- > 0) throw new Error('timeout')
        return Reflect.apply(value, target, words) as unknown
      }
    },
  })
  const failing = Object.create(driver, {
    db: { value: db },
    close: { value: () => driver.close() },
  }) as SqlDriver<Schema>
  const here = await openStore(failing, Date.now, 'log.example')
  const there = await openStore(openSqlite<Schema>(path), Date.now, 'log.example')
  const heard: string[] = []
  here.events.follow(events => heard.push(...events.map(({ type }) => type)))
  const grant = await authorize({ store: there } as Ports, operator, 'instance:operate', '')
  await there.commit(
    grant,
    { type: 'token-revoke', fields: { subject: 't_0123', reason: 'leaked' } },
    async () => {},
  )
  for (let tries = 0; tries < 100 && heard.length === 0; tries++) await delay(30)
  assert.equal(failures < 1, true, 'the read failed')
  assert.deepEqual(heard, ['token-revoke'])
  await here.close()
  await there.close()
})
