// SPDX-License-Identifier: Apache-2.0
/** The link of the first operator: it goes with its first use. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freshPath, holdfast, serve } from './command-line.ts'

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

test('who mistypes the folder hears that there is none, or that a registry began', async () => {
  const data = freshPath()
  const act = () => holdfast('operator', 'token', '--data', data, '--user', 'ann', '--read-only')
  const first = await act()
  assert.match(first.out, /^holdfast_\w+\n$/)
  assert.equal(first.err, `${data} was not there: this is a new registry.\n`)
  assert.equal((await act()).err, '')
  const taken = freshPath()
  await writeFile(taken, '')
  for (const [folder, why] of [
    [taken, 'a file has that name'],
    [join(taken, 'data'), 'its path leads through a file'],
  ] as const) {
    const { code, err } = await holdfast('operator', 'host', '--data', folder)
    assert.deepEqual([code, err], [2, `The folder ${folder} cannot be made: ${why}.\n`])
  }
})

test('links that commands print lead to where the registry is served, whatever port its flags gave it', async () => {
  const data = freshPath()
  const server = await serve(data)
  const invite = async (...words: string[]) =>
    (
      await holdfast('operator', 'invite', '--data', data, '--email', 'new@people.example', ...words)
    ).out.trim()
  const link = await invite()
  assert.equal(new URL(link).origin, server.url)
  assert.equal((await fetch(link)).status, 200)
  const { out } = await holdfast('doctor', '--data', data)
  assert.ok(out.includes(`${server.url} answers as this instance.`), out)
  assert.equal(new URL(await invite('--port', '4999')).origin, 'http://127.0.0.1:4999')
  await server.stop()
  assert.equal(new URL(await invite()).origin, server.url)
  // Whoever writes into the folder sends nobody elsewhere.
  for (const noted of ['https://evil.example', 'http://evil.example:80', 'http://127.0.0.1:1/x', '']) {
    await writeFile(join(data, 'address'), noted)
    assert.equal(new URL(await invite()).origin, 'http://127.0.0.1:4873', noted)
  }
})

/** Waits for what must come; a test that waits too long is ended by its runner. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await delay(20)
}
