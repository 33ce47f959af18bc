// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loggedPath } from './request-log.ts'

test('no secret of a link out of a letter or of the command line gets into the log', () => {
  const secret = 'a_0123456789abcdef.0aZ9'
  const places = [
    'invitation',
    'set-up',
    'verify',
    'login/cli',
    'recover',
    'recovery',
    'recovery/cancel',
    'npm/-/user/token',
    'npm/-/npm/v1/tokens/token',
  ]
  for (const place of places)
    for (const tail of ['', '?next=/', '/']) {
      const logged = loggedPath(`/${place}/${secret}${tail}`)
      assert.ok(logged.startsWith(`/${place}/…`) && !logged.includes('0aZ9'), logged)
    }
})

test('what is no secret stays readable', () => {
  for (const path of ['/npm/@acme%2fui', '/npm/recover/-/recover-1.0.0.tgz', '/recover', '/policy/recovery'])
    assert.equal(loggedPath(path), path)
})
