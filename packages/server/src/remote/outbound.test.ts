// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { isProblem, type ProblemCode } from '@holdfast/core'
import { addressRule } from './address-rule.ts'
import { openOutbound } from './outbound.ts'
import type { Resolve } from './wire.ts'

const hasCode = (code: ProblemCode, why?: RegExp) => (error: unknown) =>
  isProblem(error) && error.code === code && (why === undefined || why.test(error.message))
const never: Resolve = async host => assert.fail(`looked up ${host}`)
const at =
  (...addresses: string[]): Resolve =>
  async () =>
    addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))

async function serve(t: TestContext, listener: RequestListener) {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    listener(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { asked, port, url: `http://127.0.0.1:${port}/` }
}

test('an answer comes with status, headers and bytes, whatever its status', async t => {
  const { url } = await serve(t, (_request, response) => response.writeHead(404, { 'X-A': 'b' }).end('none'))
  const answer = await openOutbound(['127.0.0.1'], never).ask({ url })
  assert.equal(answer.status, 404)
  assert.equal(answer.headers['x-a'], 'b')
  assert.equal(Buffer.from(answer.bytes).toString(), 'none')
})

test('what is posted arrives with its headers', async t => {
  const { url, asked } = await serve(t, (request, response) => request.pipe(response))
  const sent = { url, method: 'POST', headers: { authorization: 'Bearer x' }, body: 'hello' } as const
  const answer = await openOutbound(['127.0.0.0/8']).ask(sent)
  assert.equal(Buffer.from(answer.bytes).toString(), 'hello')
  assert.equal(asked[0]?.headers.authorization, 'Bearer x')
})

test('private, loopback, link-local and wrapped addresses are refused before anything is sent', async t => {
  const { asked, port } = await serve(t, (_request, response) => response.end())
  for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '10.0.0.1', '169.254.169.254', '0.0.0.0'])
    await assert.rejects(
      openOutbound([]).ask({ url: `http://${host}:${port}/` }),
      hasCode('remote-private'),
      host,
    )
  // A number is an address too: the URL parser writes it out.
  for (const host of ['2130706433', '0x7f.1', '127.1'])
    await assert.rejects(openOutbound([]).ask({ url: `http://${host}:${port}/` }), hasCode('remote-private'))
  assert.equal(asked.length, 0)
})

test('a public name with a private address is refused, also when only one of its addresses is private', async t => {
  const { asked, port } = await serve(t, (_request, response) => response.end())
  for (const addresses of [['127.0.0.1'], ['93.184.216.34', '127.0.0.1'], ['::1']])
    await assert.rejects(
      openOutbound([], at(...addresses)).ask({ url: `https://public.example:${port}/` }),
      hasCode('remote-private'),
    )
  assert.equal(asked.length, 0)
})

test('a name is resolved once, and the connection goes to the address that was checked', async t => {
  const { port } = await serve(t, (_request, response) => response.end('inside'))
  let asked = 0
  const rebinding: Resolve = async () => {
    asked++
    return [{ address: asked === 1 ? '127.0.0.1' : '93.184.216.34', family: 4 }]
  }
  const answer = await openOutbound(['127.0.0.1'], rebinding).ask({ url: `http://public.example:${port}/` })
  assert.equal(Buffer.from(answer.bytes).toString(), 'inside')
  assert.equal(asked, 1)
})

test('a host that the operator names may be private, another name of the same address may not', async t => {
  const { port } = await serve(t, (_request, response) => response.end('ours'))
  const outbound = openOutbound(['git.acme.internal'], at('127.0.0.1'))
  assert.equal((await outbound.ask({ url: `http://git.acme.internal:${port}/` })).status, 200)
  await assert.rejects(outbound.ask({ url: `http://evil.example:${port}/` }), hasCode('remote-private'))
})

test('plain http is refused where the operator named neither host nor network', async () => {
  const outbound = openOutbound([], at('93.184.216.34'))
  await assert.rejects(outbound.ask({ url: 'http://public.example/' }), hasCode('remote-failed', /not https/))
})

test('more bytes than asked for are an error, announced or not', async t => {
  const { url } = await serve(t, (request, response) => {
    if (request.url === '/announced') response.setHeader('content-length', 2000)
    response.end('x'.repeat(2000))
  })
  const outbound = openOutbound(['127.0.0.1'])
  for (const path of ['', 'announced'])
    await assert.rejects(
      outbound.ask({ url: url + path, maxBytes: 1999 }),
      hasCode('remote-failed', /1999 bytes/),
    )
  assert.equal((await outbound.ask({ url, maxBytes: 2000 })).bytes.length, 2000)
})

test('who does not answer, answers drop by drop, or is never resolved, is left at the deadline', async t => {
  const { url } = await serve(t, (request, response) => {
    if (request.url !== '/drops') return
    response.write('a')
    t.after(() => clearInterval(drops))
    const drops = setInterval(() => response.write('a'), 5)
  })
  const ways = [
    openOutbound(['127.0.0.1']).ask({ url, deadlineMs: 50 }),
    openOutbound(['127.0.0.1']).ask({ url: `${url}drops`, deadlineMs: 50 }),
    openOutbound([], () => new Promise(() => {})).ask({ url: 'https://slow.example/', deadlineMs: 50 }),
  ]
  await Promise.all(ways.map(way => assert.rejects(way, hasCode('remote-failed', /too long/))))
})

test('redirects are answers unless they are asked for, and stay within the rules', async t => {
  const to = (location: string) => async (inner: TestContext) =>
    serve(inner, (request, response) =>
      request.url === '/' ? response.writeHead(302, { location }).end() : response.end('there'),
    )
  const near = await to('/there')(t)
  const outbound = openOutbound(['127.0.0.1'])
  assert.equal((await outbound.ask({ url: near.url })).status, 302)
  const followed = await outbound.ask({ url: near.url, redirects: 1 })
  assert.equal(Buffer.from(followed.bytes).toString(), 'there')
  const inward = await to('http://169.254.169.254/latest')(t)
  await assert.rejects(outbound.ask({ url: inward.url, redirects: 3 }), hasCode('remote-private'))
  const loop = await to('/')(t)
  assert.equal((await outbound.ask({ url: loop.url, redirects: 2 })).status, 302)
  assert.equal(loop.asked.length, 3)
})

test('a redirect to another host takes no credential along', async t => {
  const other = await serve(t, (_request, response) => response.end())
  const first = await serve(t, (_request, response) => response.writeHead(302, { location: other.url }).end())
  const headers = { Authorization: 'Bearer x', Cookie: 'a=b', 'X-Api-Key': 'k', Accept: 'a/b' }
  await openOutbound(['127.0.0.1']).ask({ url: first.url, redirects: 1, headers })
  const [arrived] = other.asked
  assert.equal(arrived?.headers.accept, 'a/b')
  for (const name of ['authorization', 'cookie', 'x-api-key'])
    assert.equal(arrived?.headers[name], undefined, name)
})

test('other schemes, credentials in the address and dead ends are problems', async () => {
  const outbound = openOutbound(['127.0.0.1'])
  for (const url of [
    'file:///etc/passwd',
    'https://user:pass@public.example/',
    'nonsense',
    'http://127.0.0.1:1/',
  ])
    await assert.rejects(outbound.ask({ url }), hasCode('remote-failed'), url)
})

test('every reserved range is private, public addresses are not', () => {
  const { isPrivate } = addressRule([])
  const reserved4 =
    '0.1.2.3 10.9.9.9 100.64.0.1 127.9.9.9 169.254.1.1 172.31.0.1 192.168.1.1 198.19.0.1 224.0.0.1'
  const reserved6 =
    ':: ::1 ::ffff:8.8.8.8 64:ff9b::a00:1 fc00::1 fe80::1 ff02::1 2001:db8::1 2002:a00:1:: 2001::1'
  for (const address of `${reserved4} 240.0.0.1 255.255.255.255 ${reserved6} nonsense`.split(' '))
    assert.ok(isPrivate(address), address)
  for (const address of '8.8.8.8 172.32.0.1 100.128.0.1 2606:4700::1111 2a00:1450::1'.split(' '))
    assert.ok(!isPrivate(address), address)
})
