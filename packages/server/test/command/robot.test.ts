// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOrg, ensureAccount } from '../../src/flow/index.ts'
import { operator, toPerson } from '../../src/identity/index.ts'
import { freshPath, holdfast, withPorts } from './command-line.ts'

test('the operator makes a robot by giving it a token, lists it, and ends it', async () => {
  const data = freshPath()
  await withPorts(data, async ({ ports }) => {
    const account = await ensureAccount(ports, operator, 'ann')
    const session = { kind: 'session', id: 's_1', freshUntil: Number.MAX_SAFE_INTEGER } as const
    await createOrg(ports, toPerson(account, session, { address: '', client: '', web: false }), 'acme')
  })
  const run = (...words: string[]) => holdfast('operator', 'robot', ...words, '--data', data)
  const made = await run('token', 'acme/build')
  assert.match(made.out, /^holdfast_[a-z0-9]{8}_\w{38}\n$/, made.err)
  assert.equal((await run('token', 'acme/build', '--publish', '@acme/*', '--expires', '10h')).code, 0)
  const listed = await run('list', 'acme')
  assert.match(
    listed.out,
    /^acme\/build\n( {2}holdfast_\S+… (reads|publishes @acme\/\*), ends \d{4}-\d\d-\d\d\n){2}$/,
  )
  const tooLong = await run('token', 'acme/build', '--publish', '@acme/*', '--expires', '25h')
  assert.equal(tooLong.code, 2)
  assert.match(tooLong.err, /at most 1 day/)
  assert.equal((await run('remove', 'acme/build')).code, 0)
  assert.equal((await run('list', 'acme')).out.trim(), '')
  for (const wrong of [
    ['token', 'acme'],
    ['remove', 'acme/none'],
    ['list', 'nowhere'],
    ['dance', 'acme/build'],
  ])
    assert.equal((await run(...wrong)).code, 2, wrong.join(' '))
})
