// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { isProblem, type ProblemCode } from '@holdfast/core'
import { authority, certificate, key } from '../../test/fixture/tls.ts'
import { openWire, type Resolve, type WireOptions } from './wire.ts'

const hasCode = (code: ProblemCode, why: RegExp) => (error: unknown) =>
  isProblem(error) && error.code === code && why.test(error.message)
const loopback: Resolve = async () => [{ address: '127.0.0.1', family: 4 }]

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function open(t: TestContext, options: Partial<WireOptions>) {
  const wire = openWire({
    allowPrivateHosts: ['127.0.0.1', 'registry.example'],
    resolve: loopback,
    ...options,
  })
  t.after(() => wire.close())
  return async (url: string, headers: Readonly<Record<string, string>> = {}) =>
    text(await wire.send({ url, headers, redirects: 3 }, AbortSignal.timeout(5000)))
}

const say: RequestListener = (request, response) => response.end(`${request.socket.remotePort}`)

test('a kept connection is used again, and one that the other side ended meanwhile is made anew', async t => {
  const server = createServer(say)
  const port = await listen(t, server)
  const ask = open(t, { keptConnections: 4 })
  const url = `http://127.0.0.1:${port}/`
  const first = await ask(url)
  assert.equal(await ask(url), first)
  for (let i = 0; i < 20; i++) {
    server.closeAllConnections()
    assert.notEqual(await ask(url), first)
  }
})

test('each new connection is checked: a name that leads inside meanwhile is refused there', async t => {
  const server = createServer((_request, response) => response.end('inside'))
  const port = await listen(t, server)
  let address = '127.0.0.1'
  const resolve: Resolve = async () => [{ address, family: 4 }]
  const ask = open(t, { keptConnections: 4, allowPrivateHosts: ['127.0.0.1'], resolve })
  const url = `http://registry.example:${port}/`
  assert.equal(await ask(url), 'inside')
  address = '127.0.0.2'
  server.closeAllConnections()
  await assert.rejects(ask(url), hasCode('remote-private', /registry.example/))
})

test("a certificate of one's own authority is believed where it is named, and only there", async t => {
  const port = await listen(t, createTlsServer({ cert: certificate, key }, say))
  const url = `https://registry.example:${port}/`
  await assert.rejects(open(t, {})(url), hasCode('remote-failed', /CERT|SIGN|VERIFY/))
  assert.match(await open(t, { ca: authority })(url), /^\d+$/)
  // Believed, but for other names.
  const other = open(t, { ca: authority, allowPrivateHosts: ['other.example'] })
  await assert.rejects(other(`https://other.example:${port}/`), hasCode('remote-failed', /ALTNAME/))
})

/** A proxy for companies: it tunnels what it is asked to by CONNECT, to loopback, and notes what it sees. */
async function startProxy(t: TestContext, port: () => number) {
  const seen: string[] = []
  const proxy = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    response.end('by proxy')
  })
  proxy.on('connect', (request: IncomingMessage, socket) => {
    seen.push(`CONNECT ${request.url} ${JSON.stringify(request.headers)}`)
    const onward = connect(port(), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
  })
  return { seen, url: `http://127.0.0.1:${await listen(t, proxy)}` }
}

test('through a proxy https is tunnelled: it sees a host name and no credential', async t => {
  const target = await listen(
    t,
    createTlsServer({ cert: certificate, key }, (request, response) =>
      response.end(request.headers.authorization),
    ),
  )
  const proxy = await startProxy(t, () => target)
  const ask = open(t, { ca: authority, proxy: proxy.url, keptConnections: 4 })
  assert.equal(
    await ask('https://registry.example/left-pad', { authorization: 'Bearer secret' }),
    'Bearer secret',
  )
  assert.equal(proxy.seen.length, 1)
  assert.match(proxy.seen[0] ?? '', /^CONNECT registry\.example:443 /)
  assert.doesNotMatch(proxy.seen[0] ?? '', /secret/)
})

test('a proxy is no way into the network: private addresses and unnamed plain http are refused before it', async t => {
  const proxy = await startProxy(t, () => 0)
  const ask = open(t, { proxy: proxy.url, allowPrivateHosts: ['named.example'] })
  await assert.rejects(ask('https://10.0.0.1/'), hasCode('remote-private', /10\.0\.0\.1/))
  await assert.rejects(ask('http://registry.example/'), hasCode('remote-failed', /not https/))
  assert.deepEqual(proxy.seen, [])
  assert.equal(await ask('http://named.example/x'), 'by proxy')
})
