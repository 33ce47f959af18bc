// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findLapse, type MailDomain } from './mail-domain.ts'

const domain = (about: Partial<MailDomain>): MailDomain => ({
  domain: 'people.example',
  checkedAt: 1000,
  takesMail: true,
  registeredAt: null,
  ...about,
})

test('a domain that nobody looked at, and one that takes mail and is older than the proof, are fine', () => {
  assert.equal(findLapse(500, undefined), undefined)
  assert.equal(findLapse(500, domain({ registeredAt: 499 })), undefined)
  assert.equal(findLapse(500, domain({ registeredAt: 500 })), undefined)
})

test('a domain registered after the address was proven has a new owner', () => {
  assert.equal(findLapse(500, domain({ registeredAt: 501 })), 'new-owner')
})

test('a domain without mail is abandoned, until somebody proves an address there again', () => {
  assert.equal(findLapse(500, domain({ takesMail: false })), 'no-mail')
  assert.equal(findLapse(1001, domain({ takesMail: false })), undefined)
})
