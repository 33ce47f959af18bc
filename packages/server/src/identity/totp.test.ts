// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashRecoveryCode, isRecoveryCode, makeRecoveryCodes } from './recovery-code.ts'
import { findTotpStep, makeTotpSeed, totpAddress, totpCode } from './totp.ts'

// RFC 6238, appendix B (SHA-1): its eight digits end in these six.
const rfcSeed = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const rfc: readonly [seconds: number, code: string][] = [
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
]

for (const [seconds, code] of rfc) {
  test(`the code of RFC 6238 at ${seconds} seconds belongs to its step`, () => {
    assert.equal(totpCode(rfcSeed, seconds * 1000), code)
    assert.equal(findTotpStep(rfcSeed, code, seconds * 1000), Math.floor(seconds / 30))
  })
}

test('a code is good in its step and one to either side, and tells which step it is of', () => {
  const [seed, now] = [makeTotpSeed(), Date.UTC(2026, 0, 5)]
  const code = totpCode(seed, now)
  for (const late of [-30_000, 0, 30_000]) assert.equal(findTotpStep(seed, code, now + late), now / 30_000)
  for (const late of [-60_000, 60_000]) assert.equal(findTotpStep(seed, code, now + late), undefined)
})

test('only six digits are a code: white space, other digits and letters are not folded', () => {
  const [seed, now] = [makeTotpSeed(), Date.UTC(2026, 0, 5)]
  const code = totpCode(seed, now)
  const arabic = [...code].map(digit => String.fromCodePoint(0x660 + Number(digit))).join('')
  for (const bad of [
    ` ${code}`,
    `${code} `,
    `${code}\n`,
    `${code.slice(0, 3)} ${code.slice(3)}`,
    arabic,
    `${code}0`,
    '',
    code.slice(1),
  ]) {
    assert.equal(findTotpStep(seed, bad, now), undefined, JSON.stringify(bad))
  }
})

test('a seed has 160 bits, and its address names the account and the registry', () => {
  const seed = makeTotpSeed()
  assert.match(seed, /^[A-Z2-7]{32}$/)
  const address = new URL(totpAddress(seed, 'alice', 'registry.example'))
  assert.equal(address.searchParams.get('secret'), seed)
  assert.equal(address.searchParams.get('issuer'), 'registry.example')
  assert.ok(decodeURIComponent(address.pathname).includes('alice'))
})

test('recovery codes differ, have one spelling each, and are stored bound to their account', () => {
  const codes = makeRecoveryCodes()
  assert.equal(new Set(codes).size, 10)
  for (const code of codes) {
    assert.ok(isRecoveryCode(code), code)
    for (const other of [code.toUpperCase(), ` ${code}`, `${code}\n`, code.replaceAll('-', '')])
      assert.ok(!isRecoveryCode(other))
    assert.notEqual(hashRecoveryCode('a_1', code), hashRecoveryCode('a_2', code))
  }
})
