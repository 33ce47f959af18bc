// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { openMemoryBlobs } from '../store/index.ts'
import { sendBytes } from './send-bytes.ts'

const sizes = [1, 60_000, 1024 * 1024, 12 * 1024 * 1024 + 7] // the last more than sockets hold
const bodies = Array.from({ length: 12 }, (_, i) => Buffer.alloc(sizes[i % sizes.length] ?? 0, i + 1))
const blobs = openMemoryBlobs()
const digests = await Promise.all(
  bodies.map(async body => {
    const writer = await blobs.begin()
    await writer.write(body)
    return (await writer.keep()).digest
  }),
)
const server = createServer(async (request, response) => {
  const index = Number(request.url?.slice(1))
  const [digest, body] = [digests[index], bodies[index]]
  if (digest === undefined || body === undefined) return response.destroy()
  const reader = await blobs.open(digest)
  if (reader === undefined) return response.destroy()
  response.writeHead(200, { 'content-length': body.length })
  await sendBytes(response, reader, 0, body.length)
})
let origin = ''

before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

after(() => {
  server.closeAllConnections()
  server.close()
})

async function fetchBody(index: number): Promise<IncomingMessage> {
  const request = get(`${origin}/${index % bodies.length}`, { agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return response
}

async function readSlowly(response: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of response) {
    pieces.push(piece as Buffer)
    await setImmediate()
  }
  return Buffer.concat(pieces)
}

test('every reader gets its own bytes, while others read slowly and break off', async () => {
  const broken = async (index: number) => {
    const response = await fetchBody(index)
    response.once('error', () => {})
    response.destroy()
  }
  const whole = async (index: number) => {
    const body = await readSlowly(await fetchBody(index))
    assert.ok(body.equals(bodies[index % bodies.length] ?? Buffer.alloc(0)), `reader ${index}`)
  }
  await Promise.all(Array.from({ length: 96 }, (_, i) => (i % 3 === 0 ? broken(i + 2) : whole(i))))
})
