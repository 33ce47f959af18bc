// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer as createHttp } from 'node:http'
import { type AddressInfo, createServer as createTcp } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createServer as createTls, getCACertificates, setDefaultCACertificates } from 'node:tls'
import { makeSelfSigned } from '../self-signed.ts'
import { openWorld, type World } from '../world.ts'

/** Waits until it holds; the time-out of the test is the end of patience. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(20)
}

async function worldPushing(t: TestContext, auditPush: string, more = {}): Promise<World> {
  const world = await openWorld({ auditPush, ...more })
  t.after(() => world.close())
  return world
}

const frame = /(\d+) (<(\d+)>1 (\S+) \S+ holdfast \d+ (\S+) - (\{.*\}))/s

/** Takes frames with counted octets apart, as RFC 6587 says. */
function readFrames(bytes: Buffer): { priority: number; type: string; event: Record<string, unknown> }[] {
  const found = []
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(' ', at)
    const end = space + 1 + Number(bytes.subarray(at, space).toString())
    const [, , , priority, , type, json] = frame.exec(bytes.subarray(at, end).toString()) ?? []
    found.push({ priority: Number(priority), type: String(type), event: JSON.parse(String(json)) })
    at = end
  }
  return found
}

test('a collector behind HTTP gets every event in order, again when it refused, and the token with it', async t => {
  const events: { id: string; position: number; type: string }[] = []
  const seen: (string | undefined)[] = []
  let failing = true
  const collector = createHttp(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    seen.push(request.headers.authorization)
    response.statusCode = failing ? 503 : 204
    response.end()
    if (failing) failing = false
    else
      events.push(
        ...Buffer.concat(pieces)
          .toString()
          .trim()
          .split('\n')
          .map(line => JSON.parse(line)),
      )
  }).listen(0, '127.0.0.1')
  await once(collector, 'listening')
  t.after(() => collector.close())
  const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/in`
  const world = await worldPushing(t, url, { allowPrivateHosts: '127.0.0.1', auditPushToken: 'let-me-in' })
  const ann = await world.someone('ann')
  await world.publish(ann, 'anns', '1.0.0')
  await until(() => events.some(event => event.type === 'publish'))
  assert.deepEqual(
    events.map(event => event.position),
    events.map((_, index) => index + 1),
  )
  assert.ok(seen.every(each => each === 'Bearer let-me-in'))
})

test('syslog over TCP gets each event as one counted frame, refusals as warnings', async t => {
  const pieces: Buffer[] = []
  const collector = createTcp(socket => socket.on('data', piece => pieces.push(piece))).listen(0, '127.0.0.1')
  await once(collector, 'listening')
  t.after(() => collector.close())
  const world = await worldPushing(t, `syslog+tcp://127.0.0.1:${(collector.address() as AddressInfo).port}`)
  await world.npm('GET /-/whoami', { token: 'holdfast_12345678_none' })
  await world.ports.trail.flush()
  const frames = () => readFrames(Buffer.concat(pieces))
  await until(() => Buffer.concat(pieces).includes('sign-in-failed'))
  await until(() => frames().some(each => each.type === 'sign-in-failed'))
  const [first] = frames()
  assert.deepEqual([first?.priority, first?.event['position']], [13 * 8 + 5, 1])
  assert.equal(frames().find(each => each.type === 'sign-in-failed')?.priority, 13 * 8 + 4)
})

/** A collector that speaks TLS with a certificate of its own for `localhost`. */
async function openTlsCollector(t: TestContext) {
  const { key, cert } = makeSelfSigned()
  const pieces: Buffer[] = []
  const server = createTls({ key, cert }, socket => socket.on('data', piece => pieces.push(piece)))
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  return { cert, address: `syslog+tls://localhost:${port}`, received: () => Buffer.concat(pieces) }
}

test('syslog over TLS gets the same frames, from a registry that knows who signed the collector', async t => {
  const collector = await openTlsCollector(t)
  const known = getCACertificates('default')
  setDefaultCACertificates([...known, collector.cert])
  t.after(() => setDefaultCACertificates(known))
  const world = await worldPushing(t, collector.address)
  await world.someone('ann')
  await until(() => collector.received().includes('"account-create"'))
  const [first] = readFrames(collector.received())
  assert.deepEqual([first?.priority, first?.type], [13 * 8 + 5, 'hosted-names'])
})

test('a collector whose certificate nobody vouches for gets nothing, and who looks is told', async t => {
  const collector = await openTlsCollector(t)
  const world = await worldPushing(t, collector.address)
  const olga = await world.someone('olga', ['operator'])
  const page = async () => {
    const { cookie } = await world.browse(olga)
    return (await fetch(`${world.url}/operate/audit`, { headers: { cookie } })).text()
  }
  assert.doesNotMatch(await page(), /not pushed/)
  await until(() => world.errors.some(error => /audit-push.*certificate/.test(error)))
  world.advance(60_001)
  assert.match(await page(), /[1-9]\d* events not pushed.*localhost:/s)
  assert.equal(collector.received().length, 0)
})

test('syslog over UDP gets a datagram an event', async t => {
  const collector = createSocket('udp4')
  const got: string[] = []
  collector.on('message', message => got.push(message.toString()))
  collector.bind(0, '127.0.0.1')
  await once(collector, 'listening')
  t.after(() => collector.close())
  const world = await worldPushing(t, `syslog+udp://127.0.0.1:${collector.address().port}`)
  await world.someone('ann')
  await until(() => got.some(message => message.includes('"account-create"')))
  assert.match(got[0] ?? '', /^<109>1 2026-01-05T09:00:00\.000Z \S+ holdfast \d+ hosted-names - \{/)
})
