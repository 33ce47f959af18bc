// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkOrigin, localPath } from './origin.ts'

const site = { publicUrl: 'https://packages.example' }
const own = { publicUrl: 'http://127.0.0.1:4873' }

function isAllowed(config: { publicUrl: string }, headers: Record<string, string>): boolean {
  try {
    checkOrigin(config, { headers })
    return true
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'foreign-origin')
    return false
  }
}

test('a form of our own pages is taken', () => {
  assert.ok(isAllowed(site, { origin: 'https://packages.example', 'sec-fetch-site': 'same-origin' }))
  assert.ok(isAllowed(site, { origin: 'https://packages.example' }))
})

test('a form from anywhere else is not', () => {
  for (const origin of [
    'https://evil.example',
    'https://a.packages.example',
    'http://packages.example',
    'https://packages.example:444',
    'null',
  ]) {
    assert.ok(!isAllowed(site, { origin }), origin)
  }
})

test('a browser that says the form came from another site or a neighbour is believed', () => {
  for (const where of ['cross-site', 'same-site', 'none']) {
    assert.ok(!isAllowed(site, { origin: 'https://packages.example', 'sec-fetch-site': where }), where)
  }
})

test('without an origin nothing is taken', () => {
  assert.ok(!isAllowed(site, {}))
  assert.ok(!isAllowed(site, { 'sec-fetch-site': 'same-origin' }))
})

test('on loopback localhost and a forwarded port are the same place, other hosts and ports are not', () => {
  assert.ok(isAllowed(own, { origin: 'http://localhost:8080', host: 'localhost:8080' }))
  assert.ok(!isAllowed(own, { origin: 'http://localhost:3000', host: '127.0.0.1:4873' }))
  // DNS that leads a foreign name to this machine.
  assert.ok(!isAllowed(own, { origin: 'http://evil.example:4873', host: 'evil.example:4873' }))
  assert.ok(!isAllowed(site, { origin: 'http://localhost:8080', host: 'localhost:8080' }))
})

test('after a form one is led only to paths of this site', () => {
  for (const path of ['/', '/account', '/package/npm/@acme/ui?v=1.0.0&show=versions'])
    assert.equal(localPath(path), path)
  const elsewhere = [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    '\\\\evil.example',
    'javascript:alert(1)',
    '/a\r\nb',
    '/\t/evil.example',
    '/./%2e//evil.example',
    '/..//evil.example',
    'account',
    '',
    ' /account',
    null,
    undefined,
  ]
  for (const path of elsewhere) assert.equal(localPath(path), '/', String(path))
})
