// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drillLogin, isDrillLogin, isDrillName, looksLikeDrill } from './drill.ts'

test('only names in the two scopes of the sandbox are marked', () => {
  for (const name of ['@holdfast-drill/worm-1', '@holdfast-drill-upstream/gone'])
    assert.ok(isDrillName(name), name)
  for (const name of [
    'holdfast-drill',
    '@holdfast-drills/a',
    '@holdfast-drill',
    '@Holdfast-Drill/a',
    '@acme/holdfast-drill',
    '@holdfast_drill/a',
  ])
    assert.ok(!isDrillName(name), name)
})

test('what looks like the sandbox is known for it, whatever separates its letters', () => {
  for (const text of ['@holdfast_drill/a', 'holdfast-drill', 'ho1dfast.dri11', '@holdfastdrill-x/a'])
    assert.ok(looksLikeDrill(text), text)
  for (const text of ['holdfast', '@acme/drill', 'drill']) assert.ok(!looksLikeDrill(text), text)
})

test('a part of a drill has a name that marks it', () => {
  const login = drillLogin('drill-0123456789abcdef', 'victim')
  assert.equal(login, 'holdfast-drill-01234567-victim')
  assert.ok(isDrillLogin(login) && looksLikeDrill(login))
})
