// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ensureAccount } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { freshPath, holdfast, serve, withPorts } from './command-line.ts'

test('who forgot everything gets a link at the machine, which works on the running server, once, and is on record', async () => {
  const data = freshPath()
  const server = await serve(data)
  const account = await withPorts(data, ({ ports }) => ensureAccount(ports, operator, 'ann'))
  const nobody = await holdfast('operator', 'recover', '--user', 'bob', '--data', data)
  assert.equal(nobody.code, 2)
  assert.match(nobody.err, /There is no user bob/)
  const made = await holdfast('operator', 'recover', '--user', 'ann', '--second-factor', '--data', data)
  assert.equal(made.code, 0, made.err)
  const path = new URL(made.out.trim()).pathname
  const finish = () =>
    fetch(server.url + path, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: server.url },
      body: new URLSearchParams({ new: 'a fresh sentence', again: 'a fresh sentence' }),
    })
  assert.equal((await finish()).status, 303)
  assert.equal((await finish()).status, 410)
  await withPorts(data, async ({ ports }) => {
    const events = await ports.store.events.read(0, 1000)
    const ops = events.filter(event => event.detail['account'] === account.id).map(event => event.detail)
    // The record has the words, the log that it happened.
    assert.deepEqual(
      ops.slice(-4).map(({ op, way, dropsFactors }) => [op, way, dropsFactors]),
      [
        ['recovery-begun', 'operator', true],
        ['recovery', undefined, undefined],
        ['recovery-done', 'operator', undefined],
        ['mfa-reset', undefined, undefined],
      ],
    )
    assert.notEqual((await ports.store.identity.findAccount(account.id))?.passwordHash, null)
  })
  await server.stop()
})

test('looking at mail domains says what to configure where nothing is', async () => {
  const said = await holdfast('operator', 'check-domains', '--data', freshPath())
  assert.equal(said.code, 2)
  assert.match(said.err, /Configure `rdap` first/)
})
