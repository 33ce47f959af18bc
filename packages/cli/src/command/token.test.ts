// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json, text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { tokenChecksum } from '@holdfast/core'

const launcher = fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url))
const body = `holdfast_abcd1234_${'k3'.repeat(16)}`
const token = body + tokenChecksum(body)

const got: unknown[] = []
let status = 200
const registry = createServer(async (asked, answer) => {
  got.push({ line: `${asked.method} ${asked.url}`, body: await json(asked) })
  answer.writeHead(status).end(JSON.stringify({ title: 'Too many requests', hint: 'Wait.' }))
}).listen(0, '127.0.0.1')
await once(registry, 'listening')
const url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`
after(() => registry.close())

async function run(input: string, ...args: string[]) {
  const child = spawn(process.execPath, [launcher, 'token', ...args])
  child.stdin.end(input)
  const [out, error, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { out, error, code: Number(code) }
}

test('tokens in any text are handed in, each once, and never printed', async () => {
  const { out, code } = await run(`a ${token}\n"${token}" b`, 'revoke', '--registry', url)
  assert.equal(code, 0)
  assert.match(out, /^One token was handed in/)
  assert.ok(!out.includes(token))
  assert.deepEqual(got, [{ line: 'POST /api/v1/tokens/revoke', body: { tokens: [token] } }])
})

test('text without a token asks nobody', async () => {
  got.length = 0
  assert.deepEqual(await run('nothing', 'revoke', '--registry', url, '--json'), {
    out: `${JSON.stringify({ registry: url, sent: 0 })}\n`,
    error: '',
    code: 0,
  })
  assert.deepEqual(got, [])
})

test('what the registry refuses is told with its hint, and exits with 2', async () => {
  status = 429
  const { error, code } = await run(token, 'revoke', '--registry', url)
  assert.deepEqual([code, error], [2, 'Too many requests\nWait.\n'])
})

test('a token as an argument is refused: others of the machine would read it', async () => {
  const { error, code } = await run('', 'revoke', token, '--registry', url)
  assert.equal(code, 2)
  assert.match(error, /from standard input/)
})
