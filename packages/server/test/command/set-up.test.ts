// SPDX-License-Identifier: Apache-2.0
/** The link of the first operator: it goes with its first use. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freshPath, serve } from './command-line.ts'

test('the file of the set-up link goes when the link is used, and an old one when the server starts again', async () => {
  const data = freshPath()
  const file = join(data, 'set-up-link')
  const server = await serve(data)
  await until(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'))
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  const link = (await readFile(file, 'utf8')).trim()
  const answer = await fetch(link, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: new URL(link).origin },
    body: new URLSearchParams({
      login: 'ann',
      email: 'ann@people.example',
      password: 'a horse that counts',
      patterns: '@acme/*',
    }),
  })
  assert.equal(answer.headers.get('location'), '/operate')
  await until(() => !existsSync(file))
  const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? ''
  const page = await (await fetch(new URL('/operate', link), { headers: { cookie } })).text()
  assert.match(page, /a password and nothing else.*href="\/account\/security"/s)
  await server.stop()
  await writeFile(file, link)
  const again = await serve(data)
  await until(() => !existsSync(file))
  await again.stop()
})

/** Waits for what must come; a test that waits too long is ended by its runner. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await delay(20)
}
