// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePackageName } from '@holdfast/core'
import { type Care, careSteps } from './package-guidance.ts'

const bare: Care = {
  maintainers: 1,
  trustedPublishers: 0,
  hasProvenance: false,
  demandsFactor: false,
  isStaged: false,
}
const nextOf = (care: Partial<Care>) =>
  careSteps(parsePackageName('@acme/ui'), { ...bare, ...care }).find(step => !step.isDone)

test('the next step for a package is one that its owners have not done, until there is none', () => {
  const order: readonly [Partial<Care>, string | undefined][] = [
    [{}, 'A second maintainer'],
    [{ maintainers: 2 }, 'A second factor for every change'],
    [{ maintainers: 2, demandsFactor: true }, 'Trusted publishing'],
    [{ maintainers: 2, demandsFactor: true, trustedPublishers: 1 }, 'Provenance'],
    [{ maintainers: 2, demandsFactor: true, trustedPublishers: 1, hasProvenance: true }, 'Staged releases'],
    [
      { maintainers: 2, demandsFactor: true, trustedPublishers: 1, hasProvenance: true, isStaged: true },
      undefined,
    ],
  ]
  for (const [care, what] of order) assert.equal(nextOf(care)?.what, what)
})

test('each step leads to where it is taken', () => {
  const paths = careSteps(parsePackageName('@acme/ui'), bare).map(({ path }) => path)
  assert.deepEqual([...new Set(paths)], ['/access/npm/@acme/ui', '/publishers/npm/@acme/ui', '/use#publish'])
})
