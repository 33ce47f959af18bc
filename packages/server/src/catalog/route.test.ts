// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PackageName, parseNamePattern } from '@holdfast/core'
import { findAmbiguous, originOf } from './index.ts'

const routes = [
  { pattern: parseNamePattern('*'), origin: 'npm' },
  { pattern: parseNamePattern('@acme/*'), origin: 'company' },
  { pattern: parseNamePattern('@acme/ui-*'), origin: 'design' },
  { pattern: parseNamePattern('@acme/ui-kit'), origin: 'npm' },
]

test('a name has one origin: hosted first, then the most specific route', () => {
  const hosted = [parseNamePattern('@acme/secret-*')]
  const ask = (name: string) => originOf(name as PackageName, hosted, routes)
  assert.equal(ask('lodash'), 'npm')
  assert.equal(ask('@acme/web'), 'company')
  assert.equal(ask('@acme/ui-table'), 'design')
  assert.equal(ask('@acme/ui-kit'), 'npm')
  assert.equal(ask('@acme/secret-key'), 'hosted')
  assert.equal(originOf('lodash' as PackageName, [], []), undefined)
})

test('the case of a letter leads no name that is ours, or of another origin, elsewhere', () => {
  const ask = (name: string) => originOf(name as PackageName, [parseNamePattern('@ours/*')], routes)
  assert.deepEqual([ask('@Ours/key'), ask('@ACME/web'), ask('JSONStream')], ['hosted', 'company', 'npm'])
  assert.deepEqual(findAmbiguous([...routes, { pattern: parseNamePattern('@Acme/*'), origin: 'npm' }]), [
    '@Acme/*',
  ])
})

test('a pattern that goes two ways is ambiguous', () => {
  assert.deepEqual(findAmbiguous(routes), [])
  const twice = [...routes, { pattern: parseNamePattern('@acme/*'), origin: 'npm' }]
  assert.deepEqual(findAmbiguous(twice), ['@acme/*'])
})
