// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Operation, operations } from './operation.ts'
import { forbid, forbidToken } from './refusal.ts'

test('every refusal is a sentence that names what was asked for and whom to ask, not a word of ours', () => {
  for (const operation of Object.keys(operations) as Operation[]) {
    for (const refusal of [forbid(operation, '@acme/lib'), forbidToken(operation, '@acme/lib')]) {
      assert.match(refusal.message, /^You may not [a-z]/)
      assert.doesNotMatch(`${refusal.message} ${refusal.hint}`, /[a-z]:[a-z]|[{}]|undefined/)
      assert.match(refusal.hint, /^You can [a-z].*[^.]\.$/)
    }
  }
  assert.equal(forbid('package:tag', '@acme/lib').message, 'You may not change the dist-tags of @acme/lib')
  assert.equal(forbid('package:tag', '@acme/lib').hint, 'You can ask an owner of @acme/lib for access.')
  assert.match(forbidToken('package:publish', '$&').message, /publish versions of \$& with this token/)
})
