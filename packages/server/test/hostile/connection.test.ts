// SPDX-License-Identifier: Apache-2.0
/** Clients that are slow, many, or speak something that is almost HTTP. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Live, publishDocument, put, startLive } from '../live.ts'
import { leavesNothing } from './trace.ts'
import { dial, exchange, listenTo } from './wire.ts'

const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
let live: Live
/** More than the buffers of a connection take. */
const largeBytes = 24 * 1024 * 1024
const patience = { headersMs: 500, requestMs: 1500, silenceMs: 1000, checkEveryMs: 100 }

before(async () => {
  // The first publish of a process is silent while the rules that screen it load.
  const patient = await startLive({ folder })
  const files = { 'big.bin': randomBytes(largeBytes) }
  const answer = await put(patient, 'heavy', publishDocument('heavy', '1.0.0', { files }))
  assert.equal(answer.status, 201, await answer.text())
  await patient.stop()
  live = await startLive({ folder, replaced: { httpLimits: patience } })
})
after(async () => {
  await live.stop()
  await rm(folder, { recursive: true })
})

const host = 'host: registry.example\r\n'

const notHttp: Readonly<Record<string, [text: string, status: number]>> = {
  noise: ['\x16\x03\x01\x02\x00\x01\x00\r\n\r\n', 400],
  'both a length and chunks': [
    `PUT /npm/x HTTP/1.1\r\n${host}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /npm/y HTTP/1.1\r\n\r\n`,
    400,
  ],
  'two lengths': [`PUT /npm/x HTTP/1.1\r\n${host}content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef`, 400],
  'a length with a sign': [`PUT /npm/x HTTP/1.1\r\n${host}content-length: +5\r\n\r\nabcde`, 400],
  'chunked, but not last': [
    `PUT /npm/x HTTP/1.1\r\n${host}transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
    400,
  ],
  'chunked with white space before the colon': [
    `PUT /npm/x HTTP/1.1\r\n${host}transfer-encoding : chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  'a folded header': [`GET /npm/x HTTP/1.1\r\n${host}a: b\r\n c\r\n\r\n`, 400],
  'a header with a NUL': [`GET /npm/x HTTP/1.1\r\n${host}a: b\0c\r\n\r\n`, 400],
  'lines that end in LF alone': [`GET /npm/x HTTP/1.1\nhost: x\n\n`, 400],
  'a chunk length that is none': [
    `PUT /npm/x HTTP/1.1\r\n${host}transfer-encoding: chunked\r\n\r\nzz\r\n`,
    400,
  ],
  'no host': ['GET /npm/x HTTP/1.1\r\n\r\n', 400],
  'a header of 20 KB': [`GET /npm/x HTTP/1.1\r\n${host}a: ${'b'.repeat(20_000)}\r\n\r\n`, 431],
  'a path of 20 KB': [`GET /npm/${'x'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n`, 431],
  'ten thousand headers': [`GET /npm/x HTTP/1.1\r\n${host}${'a:b\r\n'.repeat(10_000)}\r\n`, 431],
}

for (const [what, [text, status]] of Object.entries(notHttp)) {
  test(`${what}: answered ${status}, and nothing behind it is taken for a request`, () =>
    leavesNothing(live, async () => {
      const answer = await exchange(live.url, text)
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `))
      assert.equal(answer.match(/HTTP\/1\.1 \d/g)?.length, 1, answer)
    }))
}

test('a request smuggled into a body is a body', () =>
  leavesNothing(live, async () => {
    const inner = `GET /npm/-/ping HTTP/1.1\r\n${host}\r\n`
    const outer = `PUT /npm/x HTTP/1.1\r\n${host}content-length: ${inner.length}\r\nconnection: close\r\n\r\n${inner}`
    const answer = await exchange(live.url, outer)
    assert.match(answer, /^HTTP\/1.1 401 /)
    assert.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1)
  }))

test('headers that come too slowly are answered 408', () =>
  leavesNothing(live, async () => {
    const socket = dial(live.url)
    const heard = listenTo(socket)
    socket.write('GET /npm/heavy HTTP/1.1\r\n')
    const drip = setInterval(() => socket.write('x: y\r\n'), 100)
    assert.match(await heard, /^HTTP\/1.1 408 /)
    clearInterval(drip)
  }))

test('a body that comes too slowly ends with its connection, and its bytes are removed', () =>
  leavesNothing(live, async () => {
    const body = JSON.stringify(publishDocument('slow', '1.0.0'))
    const socket = dial(live.url)
    const heard = listenTo(socket)
    socket.write(
      `PUT /npm/slow HTTP/1.1\r\n${host}authorization: Bearer ${live.token}\r\ncontent-length: ${body.length}\r\n\r\n`,
    )
    let at = body.indexOf('"data"') + 20
    socket.write(body.slice(0, at))
    const drip = setInterval(() => {
      if (at < body.length - 10) socket.write(body.slice(at, ++at))
    }, 50)
    await heard
    clearInterval(drip)
  }))

test('a body that breaks off leaves nothing', () =>
  leavesNothing(live, async () => {
    const body = JSON.stringify(publishDocument('broken-off', '1.0.0'))
    const socket = dial(live.url)
    socket.write(
      `PUT /npm/broken-off HTTP/1.1\r\n${host}authorization: Bearer ${live.token}\r\ncontent-length: ${body.length}\r\n\r\n`,
    )
    socket.write(body.slice(0, -20))
    await delay(100)
    socket.destroy()
  }))

test('somebody who does not read a large tarball is cut off', () =>
  leavesNothing(live, async () => {
    const sockets = Array.from({ length: 4 }, () => dial(live.url))
    const readers = sockets.map(socket => {
      socket.pause()
      socket.write(`GET /npm/heavy/-/heavy-1.0.0.tgz HTTP/1.1\r\n${host}connection: close\r\n\r\n`)
      return once(socket, 'close')
    })
    await delay(patience.silenceMs * 4)
    // Reading again shows connections that ended long before their bytes did.
    for (const socket of sockets) socket.resume()
    await Promise.all(readers)
    for (const socket of sockets) assert.ok(socket.bytesRead < largeBytes)
  }))

test('a thousand idle connections do not keep the next request from its answer', () =>
  leavesNothing(live, async () => {
    const sockets: Socket[] = []
    for (let round = 0; round < 10; round++) {
      const opened = Array.from({ length: 100 }, () => dial(live.url))
      await Promise.all(opened.map(socket => once(socket, 'connect')))
      for (const socket of opened) {
        socket.resume()
        socket.write(`GET /npm/-/ping HTTP/1.1\r\n${host}\r\n`)
      }
      sockets.push(...opened)
    }
    assert.equal((await fetch(`${live.url}/npm/heavy`)).status, 200)
    for (const socket of sockets) socket.destroy()
  }))

test('five hundred requests on one connection, sent at once, are answered in order', () =>
  leavesNothing(live, async () => {
    const one = (path: string, more = '') => `GET ${path} HTTP/1.1\r\n${host}${more}\r\n`
    const many = one('/npm/-/ping').repeat(499)
    const answer = await exchange(live.url, many, one('/npm/nothing-here', 'connection: close\r\n'))
    assert.equal(answer.match(/HTTP\/1\.1 200 /g)?.length, 499)
    assert.match(answer.slice(answer.lastIndexOf('HTTP/1.1')), /^HTTP\/1\.1 404 /)
  }))

test('an unknown expectation, an upgrade and a method nobody has are refused', async () => {
  await leavesNothing(live, async () => {
    const close = 'connection: close\r\n'
    const expect = await exchange(live.url, `GET /npm/heavy HTTP/1.1\r\n${host}${close}expect: tea\r\n\r\n`)
    assert.match(expect, /^HTTP\/1.1 417 /)
    const upgrade = `GET /npm/-/ping HTTP/1.1\r\n${host}connection: upgrade, close\r\nupgrade: websocket\r\n\r\n`
    assert.doesNotMatch(await exchange(live.url, upgrade), /^HTTP\/1.1 101/)
    for (const method of ['TRACE', 'PROPFIND', 'DELETE', 'PATCH', 'OPTIONS'])
      assert.match(
        await exchange(live.url, `${method} /npm/heavy HTTP/1.1\r\n${host}${close}\r\n`),
        /^HTTP\/1.1 40[0145] /,
      )
    const connected = await exchange(live.url, `CONNECT evil.example:443 HTTP/1.1\r\n${host}\r\n`)
    assert.doesNotMatch(connected, /^HTTP\/1.1 2/)
  })
})
