// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { capabilities } from '@holdfast/core'
import { assess, type CapabilityResult, deriveLevels } from './assessment.ts'
import { demand, type Probe, type ProbeInstance } from './probe.ts'
import { formatAssessment } from './report.ts'

const nowhere: ProbeInstance = {
  url: 'http://127.0.0.1:9',
  operate: async () => '',
  startOther: async () => nowhere,
}

/** Every capability with one status, save those that are named. */
function standing(status: CapabilityResult['status'], but: Record<string, CapabilityResult['status']> = {}) {
  return capabilities.map(({ id, level }) => ({ id, level, status: but[id] ?? status, evidence: [] }))
}

test('a probe that finds the property over HTTP passes, and its evidence is kept', async t => {
  const peer = createServer((_, response) => response.end('there')).listen(0, '127.0.0.1')
  t.after(() => peer.close())
  await once(peer, 'listening')
  const url = `http://127.0.0.1:${(peer.address() as AddressInfo).port}`
  const asks: Probe = {
    capability: 'general-1-vdp',
    run: async instance => {
      const text = await (await fetch(instance.url)).text()
      demand(text === 'there', `it must say there, and says ${text}`)
      return [`it says ${text}`]
    },
  }
  const result = await assess({ ...nowhere, url }, [asks])
  const row = result.capabilities.find(({ id }) => id === 'general-1-vdp')
  assert.deepEqual(row, { id: 'general-1-vdp', level: 1, status: 'pass', evidence: ['it says there'] })
})

test('a probe that throws fails, and says why', async () => {
  const refuses: Probe = { capability: 'authz-1-prefix', run: async () => demand(false, 'no checksum') ?? [] }
  const result = await assess(nowhere, [refuses])
  const row = result.capabilities.find(({ id }) => id === 'authz-1-prefix')
  assert.deepEqual([row?.status, row?.evidence], ['fail', ['no checksum']])
})

test('every capability of the catalogue is in the result, and one without a probe is missing', async () => {
  const result = await assess(nowhere, [])
  assert.deepEqual(
    result.capabilities.map(({ id }) => id),
    capabilities.map(({ id }) => id),
  )
  assert.ok(result.capabilities.every(({ status }) => status === 'missing'))
})

test('a level is reached only when everything of it and below passes', () => {
  assert.equal(deriveLevels(standing('pass')).authentication, 3)
  assert.equal(deriveLevels(standing('pass', { 'authn-3-passkeys': 'fail' })).authentication, 2)
  assert.equal(deriveLevels(standing('pass', { 'authn-2-leaked': 'missing' })).authentication, 1)
  assert.equal(deriveLevels(standing('pass', { 'authn-1-totp': 'missing' })).authentication, 0)
  assert.equal(deriveLevels(standing('missing')).cli, 0)
})

test('what does not apply does not hold a level back', () => {
  assert.equal(deriveLevels(standing('pass', { 'authz-2-rbac': 'not-applicable' })).authorization, 3)
})

test('the table names every capability and the levels', async () => {
  const text = formatAssessment(await assess(nowhere, []))
  for (const { id } of capabilities) assert.match(text, new RegExp(`^${id} +· missing$`, 'm'))
  assert.match(text, /authentication 0, authorization 0, general 0, cli 0/)
})
