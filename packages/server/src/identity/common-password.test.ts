// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCommonPassword } from './common-password.ts'

for (const password of [
  '1qaz2wsx3edc',
  'Sunshine2024!!',
  'dragonmonkey',
  'Dragon-Monkey-77',
  'M0nk3y$unsh1n3',
  '!!!football!!!!',
  'michellejessica1990',
]) {
  test(`${password} is made of what guessing programs try first`, () => {
    assert.ok(isCommonPassword(password))
  })
}

for (const password of [
  'correct horse battery staple',
  'four words in a row',
  'xV9#kq2Lm!pZt4',
  'zanderklipfurche',
  '',
  '123',
]) {
  test(`'${password}' is not`, () => assert.ok(!isCommonPassword(password)))
}
