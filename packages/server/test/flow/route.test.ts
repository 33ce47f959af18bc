// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isProblem, parseNamePattern } from '@holdfast/core'
import { hostNames } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { startInstance } from '../../src/main.ts'
import { configIn, startLive } from '../live.ts'

const isRouted = (error: unknown) => isProblem(error) && error.code === 'name-routed'
const flags = {
  origins: '{"public":"https://registry.example","partner":"https://npm.partner.example"}',
  routes: '{"@partner/*":"partner","*":"public"}',
}

test('names that the configuration gives to an upstream are not hosted as well, and neither way round does it start', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const routed = await startLive({ folder, flags })
  await assert.rejects(hostNames(routed.ports, operator, [parseNamePattern('@partner/*')]), isRouted)
  await hostNames(routed.ports, operator, [parseNamePattern('@partner/ours')])
  await routed.stop()
  const alone = await startLive({ folder })
  await hostNames(alone.ports, operator, [parseNamePattern('@partner/*')])
  await alone.stop()
  const log = { request() {}, say() {}, flush() {} }
  await assert.rejects(startInstance(configIn(folder, flags), log), isRouted)
})
