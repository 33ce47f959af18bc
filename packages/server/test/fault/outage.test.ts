// SPDX-License-Identifier: Apache-2.0
/** A store that does not answer: every request gets an answer that clients understand, and repeat later. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { problem } from '@holdfast/core'
import { type OpenPorts, openPorts } from '../../src/main.ts'
import type { Store } from '../../src/ports.ts'
import { takeTrace } from '../hostile/trace.ts'
import { type Live, publishDocument, put, startLive } from '../live.ts'
import { request } from '../request.ts'

let live: Live
let trouble: Error | undefined

before(async () => {
  live = await startLive({ replaced: { openPorts: openFragilePorts } })
  await (await put(live, 'steady', publishDocument('steady', '1.0.0'))).text()
})
after(() => live.stop())

async function openFragilePorts(...args: Parameters<typeof openPorts>): Promise<OpenPorts> {
  const opened = await openPorts(...args)
  const { store } = opened.ports
  const fragile: Store = { ...store, catalog: breakable(store.catalog), identity: breakable(store.identity) }
  return { ...opened, ports: { ...opened.ports, store: fragile } }
}

function breakable<T extends object>(reads: T): T {
  return new Proxy(reads, {
    get(target, key) {
      if (trouble !== undefined) throw trouble
      return Reflect.get(target, key)
    },
  })
}

const cases: readonly [string, Error, number][] = [
  ['does not answer', problem('unavailable', { why: 'the database is busy' }), 503],
  ['fails in a way nobody thought of', Object.assign(new Error('boom'), { code: 'ERR_BOOM' }), 500],
]

for (const [what, error, status] of cases) {
  test(`while the store ${what}, requests are answered ${status} and nothing is half done`, async () => {
    const trace = await takeTrace(live)
    trouble = error
    const asked: readonly [string, string, string | undefined][] = [
      ['GET', '/npm/unknown', undefined],
      ['GET', '/npm/-/whoami', `Bearer ${live.token}x`],
      ['GET', '/npm/-/whoami', `Basic ${Buffer.from('alice:password').toString('base64')}`],
      ['GET', '/npm/steady/-/steady-1.0.0.tgz', `Bearer ${live.token}`],
    ]
    for (const [method, path, authorization] of asked) {
      const headers = authorization === undefined ? {} : { authorization }
      const answer = await request(live.url, method, path, headers)
      assert.ok([status, 401].includes(answer.status), `${path}: ${answer.status} ${answer.body}`)
      assert.match(JSON.parse(answer.body.toString()).error, /\S+ \S+/)
      assert.doesNotMatch(answer.body.toString(), /boom/)
    }
    const published = await put(live, 'steady', publishDocument('steady', '2.0.0'))
    assert.equal(published.status, status, await published.text())
    assert.equal((await request(live.url, 'GET', '/-/health/live')).status, 200)
    trouble = undefined
    assert.deepEqual(await takeTrace(live), trace)
    assert.equal((await request(live.url, 'GET', '/npm/steady')).status, 200)
  })
}
