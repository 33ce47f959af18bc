// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatSecurityText, isSecurityContact, parseSecurityText } from './security-text.ts'

const told = {
  contacts: ['mailto:security@acme.example', 'https://acme.example/report'],
  expiresAt: Date.UTC(2027, 0, 2),
  policies: ['https://npm.example/policy/disclosure'],
  canonicals: ['https://npm.example/.well-known/security.txt'],
  languages: ['en', 'de'],
}

test('what is written is read the same', () => {
  assert.deepEqual(parseSecurityText(formatSecurityText(told)), told)
})

test('comments, blank lines and the case of names do not matter', () => {
  const text = '# ours\n\ncontact: tel:+1-201-555-0123\nEXPIRES: 2027-01-02T00:00:00Z\n'
  assert.deepEqual(parseSecurityText(text), {
    ...told,
    contacts: ['tel:+1-201-555-0123'],
    policies: [],
    canonicals: [],
    languages: [],
  })
})

test('a file that leads nowhere is refused', () => {
  const expires = 'Expires: 2027-01-02T00:00:00Z\n'
  const refused: readonly [string, RegExp][] = [
    [expires, /no Contact/],
    ['Contact: mailto:a@b.example\n', /one Expires/],
    [`Contact: mailto:a@b.example\n${expires}${expires}`, /one Expires/],
    [`Contact: security@acme.example\n${expires}`, /no URI/],
    ['Contact: mailto:a@b.example\nExpires: next year\n', /no time/],
    ['<!doctype html>', /no field/],
    [`Contact: mailto:a@b.example\n${expires}#${'x'.repeat(40_000)}`, /longer/],
  ]
  for (const [text, why] of refused) assert.throws(() => parseSecurityText(text), why)
})

test('a contact is an address, and one without encryption is none', () => {
  assert.ok(['mailto:a@b.example', 'tel:+1-201', 'https://b.example/x'].every(isSecurityContact))
  assert.ok(!['a@b.example', 'http://b.example', 'javascript:alert(1)'].some(isSecurityContact))
})
