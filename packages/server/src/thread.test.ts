// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { isThreadLimit, Thread } from './thread.ts'

const forbid = `
  import { syncBuiltinESMExports } from 'node:module'
  import os from 'node:os'
  os.setPriority = () => { throw new Error('EPERM') }
  syncBuiltinESMExports()`
const work = `
  import(${JSON.stringify(import.meta.resolve('./identity/password.ts'))})
    .then(async ({ hashPassword, isPassword }) => isPassword('x', await hashPassword('x')))
    .then(isRight => process.stdout.write(String(isRight)))`

test('a thread works also where a sandbox does not let it stand back', async () => {
  const preload = `data:text/javascript,${encodeURIComponent(forbid)}`
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', preload, '-e', work])
  assert.equal(stdout, 'true')
})

const answering = `
  import { answerJobs } from ${JSON.stringify(import.meta.resolve('./thread.ts'))}
  answerJobs(words => { while (words === 'loop'); return words })`

test('a job that never ends is ended, and those that waited behind it are done', async () => {
  const file = new URL(`data:text/javascript,${encodeURIComponent(answering)}`)
  const thread = new Thread<string, string>(file, {}, 5000)
  const stuck = assert.rejects(thread.run('loop'), error => isThreadLimit(error))
  assert.equal(await thread.run('next'), 'next')
  await stuck
})
