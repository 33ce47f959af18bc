// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decideMfa, type MfaFacts } from './mfa-rule.ts'

const now = 1_000
const base: MfaFacts = {
  rule: 'required',
  graceUntil: 0,
  now,
  factor: 'code',
  criticalFrom: undefined,
  exception: undefined,
}
const exception = { byOperator: false, isApproved: true, expiresAt: now + 1 }

const facts: fc.Arbitrary<MfaFacts> = fc.record({
  rule: fc.constantFrom('required' as const, 'optional' as const),
  graceUntil: fc.constantFrom(0, now - 1, now, now + 1),
  now: fc.constant(now),
  factor: fc.constantFrom('none' as const, 'code' as const, 'passkey' as const),
  criticalFrom: fc.constantFrom(undefined, now - 1, now, now + 1),
  exception: fc.option(
    fc.record({
      byOperator: fc.boolean(),
      isApproved: fc.boolean(),
      expiresAt: fc.constantFrom(null, now + 1),
    }),
    { nil: undefined },
  ),
})

test('a password alone changes nothing, and a grace ends on its day', () => {
  assert.equal(decideMfa({ ...base, factor: 'none' }), 'factor-missing')
  assert.equal(decideMfa({ ...base, factor: 'none', graceUntil: now }), 'factor-missing')
  assert.equal(decideMfa({ ...base, factor: 'none', graceUntil: now + 1 }), 'allowed')
  assert.equal(decideMfa({ ...base, factor: 'none', rule: 'optional' }), 'allowed')
  assert.equal(decideMfa(base), 'allowed')
})

test('a critical package wants a passkey from its day on, whatever the instance says and whatever grace there is', () => {
  const critical = { ...base, criticalFrom: now, rule: 'optional', graceUntil: now + 9 } as const
  assert.equal(decideMfa({ ...critical, factor: 'none' }), 'passkey-missing')
  assert.equal(decideMfa({ ...critical, factor: 'code' }), 'passkey-missing')
  assert.equal(decideMfa({ ...critical, factor: 'passkey' }), 'allowed')
  assert.equal(decideMfa({ ...critical, criticalFrom: now + 1, factor: 'code' }), 'allowed')
})

test('a token that skips presence needs an end, an owner’s approval, and an account with a second factor', () => {
  assert.equal(decideMfa({ ...base, exception }), 'allowed')
  assert.equal(decideMfa({ ...base, exception: { ...exception, expiresAt: null } }), 'exception-undated')
  assert.equal(decideMfa({ ...base, exception: { ...exception, isApproved: false } }), 'exception-unapproved')
  assert.equal(decideMfa({ ...base, factor: 'none', exception }), 'factor-missing')
  assert.equal(decideMfa({ ...base, criticalFrom: now, exception }), 'passkey-missing')
})

test('what the machine’s owner hands out needs an end and nothing else', () => {
  const given = {
    ...base,
    factor: 'none',
    criticalFrom: now,
    exception: { ...exception, byOperator: true },
  } as const
  assert.equal(decideMfa(given), 'allowed')
  assert.equal(
    decideMfa({ ...given, exception: { ...given.exception, expiresAt: null } }),
    'exception-undated',
  )
})

test('a stronger second factor never allows less, and a stricter rule never more', () => {
  fc.assert(
    fc.property(facts, known => {
      const allowed = (change: Partial<MfaFacts>) => decideMfa({ ...known, ...change }) === 'allowed'
      if (allowed({ factor: 'none' })) assert.ok(allowed({ factor: 'code' }))
      if (allowed({ factor: 'code' })) assert.ok(allowed({ factor: 'passkey' }))
      if (allowed({ rule: 'required' })) assert.ok(allowed({ rule: 'optional' }))
      if (allowed({ criticalFrom: now })) assert.ok(allowed({ criticalFrom: undefined }))
    }),
  )
})

test('nobody without a second factor changes a package unless grace, an optional rule or the operator says so', () => {
  fc.assert(
    fc.property(facts, known => {
      if (decideMfa({ ...known, factor: 'none' }) !== 'allowed') return
      assert.ok(known.rule === 'optional' || known.graceUntil > now || known.exception?.byOperator === true)
    }),
  )
})
