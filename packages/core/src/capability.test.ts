// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capabilities, isApplicable } from './capability.ts'

test('every capability has its own id, made of its track and level', () => {
  const prefixes = {
    authentication: 'authn',
    authorization: 'authz',
    general: 'general',
    cli: 'cli',
    beyond: 'beyond',
  }
  assert.equal(new Set(capabilities.map(({ id }) => id)).size, capabilities.length)
  for (const { id, track, level } of capabilities) {
    assert.ok(id.startsWith([prefixes[track], level, ''].filter(part => part !== undefined).join('-')), id)
  }
})

test('the catalogue is whole: so many capabilities in each track', () => {
  const counts = Object.groupBy(capabilities, ({ track }) => track)
  assert.deepEqual(
    Object.entries(counts).map(([track, list]) => [track, list?.length]),
    [
      ['authentication', 12],
      ['authorization', 6],
      ['general', 9],
      ['cli', 5],
      ['beyond', 13],
    ],
  )
})

test('every capability says what must be true and how anybody can see it', () => {
  for (const { id, mustBeTrue, shownBy } of capabilities) assert.ok(mustBeTrue !== '' && shownBy !== '', id)
})

test('what does not apply is derived from the answers: without accounts no authentication, without built packages no authorization', () => {
  const applicable = (accounts: boolean, builtPackages: boolean) => {
    const answers = { accounts, 'built-packages': builtPackages }
    return new Set(
      capabilities.filter(capability => isApplicable(capability, answers)).map(({ track }) => track),
    )
  }
  assert.deepEqual(
    [...applicable(true, true)],
    ['authentication', 'authorization', 'general', 'cli', 'beyond'],
  )
  assert.deepEqual([...applicable(true, false)], ['authentication', 'general', 'cli', 'beyond'])
  assert.deepEqual([...applicable(false, true)], ['general', 'cli', 'beyond'])
})
