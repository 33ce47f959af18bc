// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type TestContext, test } from 'node:test'
import { readLines } from './registry.ts'
import { UsageError } from './usage-error.ts'

async function serve(t: TestContext, answer: (to: ServerResponse) => void) {
  const server = createServer((_, to) => answer(to)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: undefined }
}

async function read(registry: Awaited<ReturnType<typeof serve>>) {
  let [count, last] = [0, '']
  for await (const line of readLines(registry, 'all.csv')) [count, last] = [count + 1, line]
  return { count, last }
}

test('an export is read line by line, however long it is and wherever it is cut into pieces', async t => {
  const wanted = 300_000
  async function* lines() {
    for (let at = 1; at <= wanted; at += 1000)
      yield Array.from({ length: 1000 }, (_, n) => `"p${at + n}",é,${'x'.repeat(60)}\r\n`).join('')
  }
  const registry = await serve(t, to => void pipeline(Readable.from(lines()), to))
  assert.deepEqual(await read(registry), { count: wanted, last: `"p${wanted}",é,${'x'.repeat(60)}` })
})

test('an export that is refused, cut off or without a line’s end is told', async t => {
  const refused = await serve(t, to => to.writeHead(403).end('{"title": "Not for you", "hint": "Ask."}'))
  await assert.rejects(read(refused), (error: UsageError) => error.message === 'Not for you')
  const cut = await serve(t, to => {
    to.writeHead(200, { 'content-length': '1000' })
    to.write('one\r\n', () => to.destroy())
  })
  await assert.rejects(read(cut), UsageError)
  const endless = await serve(t, to => void to.end('x'.repeat(2 * 1024 * 1024)))
  await assert.rejects(read(endless), /a line without end/)
})
