// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseEmail, parseLogin } from './login-name.ts'

for (const good of ['a', 'alice', 'acme-tools', 'a.b_c', '4life', 'x'.repeat(39)]) {
  test(`a user may be called ${good}`, () => assert.equal(parseLogin(good), good))
}

const badLogins = [
  '',
  '-a',
  'a-',
  '.a',
  'Alice',
  'a b',
  'a/b',
  'a%2fb',
  '@acme',
  'x'.repeat(40),
  'operator',
  'undefined',
  'äh',
  'a\n',
  7,
  null,
  {},
]
for (const bad of badLogins) {
  test(`nobody may be called ${JSON.stringify(bad)}`, () => {
    assert.throws(() => parseLogin(bad), { code: 'invalid-login' })
  })
}

for (const good of [
  'a@b.example',
  'first.last+tag@mail.example',
  "o'neil@xn--bcher-kva.example",
  'ops@localhost',
]) {
  test(`mail goes to ${good}`, () => assert.equal(parseEmail(good), good))
}

const badAddresses = [
  '',
  'a',
  '@b.example',
  'a@',
  'a b@c.example',
  'a@b.example, c@d.example',
  'a@b.example\nBcc: c@d.example',
  '<a@b.example>',
  'a@b.example;c@d.example',
  '"a"@b.example',
  'a@-b.example',
  'a@b@c.example',
  `${'a'.repeat(250)}@b.example`,
  undefined,
]
for (const bad of badAddresses) {
  test(`no mail goes to ${JSON.stringify(bad)}`, () => {
    assert.throws(() => parseEmail(bad), { code: 'invalid-email' })
  })
}
