// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isProblem } from '@holdfast/core'
import { explainDiskError } from './unavailable.ts'

test('a full or failing disk is unavailable, and any other error stays what it is', () => {
  const cases: readonly [object, string | undefined][] = [
    [{ code: 'ENOSPC' }, 'full'],
    [{ code: 'EDQUOT' }, 'full'],
    [{ code: 'EIO' }, 'fails'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 13 }, 'full'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 10 | (4 << 8) }, 'fails'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 2067 }, undefined],
    [{ code: 'ENOENT' }, undefined],
    [{}, undefined],
  ]
  for (const [fields, word] of cases) {
    const error = Object.assign(new Error('cause'), fields)
    const found = explainDiskError(error)
    if (word === undefined) assert.equal(found, error)
    else assert.ok(isProblem(found) && found.code === 'unavailable' && found.message.includes(word))
  }
})
