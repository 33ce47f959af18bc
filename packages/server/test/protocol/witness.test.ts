// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import {
  cosignedMessage,
  formatSignature,
  formatVerifierKey,
  isProblem,
  keyType,
  makeVerifierKey,
  parseNote,
  parseWitnessPolicy,
  parseWitnessRequest,
  type VerifierKey,
  verifyConsistency,
  webCrypto,
} from '@holdfast/core'
import { makeSmallLog } from '../../../cli/test/small-log.ts'
import type { Witnesses } from '../../src/ports.ts'
import { openOutbound } from '../../src/remote/outbound.ts'
import { openWitnesses } from '../../src/remote/witness.ts'
import { openWitnessSizes } from '../../src/remote/witness-sizes.ts'

const root = await mkdtemp(join(tmpdir(), 'holdfast-witness-'))
after(() => rm(root, { recursive: true }))
const log = await makeSmallLog('log.example')

interface Asked {
  readonly oldSize: number
  readonly isProven: boolean
  readonly noteText: string
}

/** A witness that answers as a test tells it to. */
async function startWitness(
  name: string,
  respond: (asked: Asked, response: ServerResponse, sign: Sign) => void,
): Promise<{ key: VerifierKey; line: string; asked: Asked[] }> {
  const asked: Asked[] = []
  const { key, sign } = await makeSigner(name)
  const server = createServer(async (request, response) => {
    const { oldSize, path, checkpoint } = parseWitnessRequest(await text(request))
    const [size = 0] = [Number(checkpoint.split('\n')[1])]
    const rootAt = async (at: number) => (await rootOf(at)) as Uint8Array
    const claim = {
      fromSize: oldSize,
      fromRoot: await rootAt(oldSize),
      toSize: size,
      toRoot: await rootAt(size),
      path,
    }
    const isProven = await verifyConsistency(webCrypto, claim)
    asked.push({ oldSize, isProven, noteText: parseNote(checkpoint).text })
    respond(asked.at(-1) ?? assert.fail(), response, sign)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return { key, line: `witness ${name} ${formatVerifierKey(key)} ${url}`, asked }
}

type Sign = (noteText: string, aheadSeconds?: number) => string

async function makeSigner(name: string): Promise<{ key: VerifierKey; sign: Sign }> {
  const seed = createHash('sha256').update(name).digest()
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).subarray(-32)
  const key = await makeVerifierKey(webCrypto, name, keyType.cosignature, publicKey)
  return {
    key,
    sign(noteText, aheadSeconds = 0) {
      const seconds = Math.floor(Date.now() / 1000) + aheadSeconds
      const time = Buffer.alloc(8)
      time.writeBigUInt64BE(BigInt(seconds))
      const bytes = Buffer.concat([time, sign(null, cosignedMessage(seconds, noteText), privateKey)])
      return formatSignature({ name, id: key.id, bytes })
    },
  }
}

async function rootOf(size: number): Promise<Uint8Array> {
  return Buffer.from((await log.checkpoint(size)).split('\n')[2] ?? '', 'base64')
}

let files = 0

async function open(
  quorum: string,
  witnesses: readonly { line: string }[],
  file = `${++files}`,
): Promise<Witnesses> {
  const lines = [...witnesses.map(each => each.line), ...quorum.split('\n')]
  return openWitnesses({
    policy: { ...(await parseWitnessPolicy(webCrypto, `${lines.join('\n')}\n`)), lines: [] },
    sizes: await openWitnessSizes(join(root, file)),
    outbound: openOutbound(['127.0.0.1']),
    clock: Date.now,
  })
}

const cosign = async (witnesses: Witnesses, size: number) =>
  witnesses.cosign(await log.checkpoint(size), size, from => log.prove(from, size))

const isForked = (error: unknown) => isProblem(error) && error.code === 'log-forked'

/** Answers 200 where the size is what it has, and 409 with that where it is not, as a good one does. */
function honest(holds = { size: 0 }) {
  return ({ oldSize, noteText }: Asked, response: ServerResponse, sign: Sign): void => {
    if (oldSize !== holds.size) {
      response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end(`${holds.size}\n`)
      return
    }
    holds.size = Number(noteText.split('\n')[1])
    response.end(sign(noteText))
  }
}

test('cosignatures come back, and what each witness has is remembered across a restart', async () => {
  const [one, two] = [
    await startWitness('w.example/1', honest()),
    await startWitness('w.example/2', honest()),
  ]
  const group = 'group both all w.example/1 w.example/2\nquorum both'
  const witnesses = await open(group, [one, two], 'kept')
  const first = await cosign(witnesses, 3)
  assert.equal(first.isQuorumMet, true)
  assert.deepEqual(
    first.lines.map(line => line.split(' ')[1]),
    ['w.example/1', 'w.example/2'],
  )
  const again = await open(group, [one, two], 'kept')
  assert.equal((await cosign(again, 9)).lines.length, 2)
  assert.deepEqual(
    one.asked.map(each => [each.oldSize, each.isProven]),
    [
      [0, true],
      [3, true],
    ],
  )
  assert.deepEqual(
    again.list().map(each => [each.name, each.size, each.why]),
    [
      ['w.example/1', 9, ''],
      ['w.example/2', 9, ''],
    ],
  )
})

test('a witness that has another size than we believed is asked again from there, once at once', async () => {
  const behind = await startWitness('w.example/1', honest({ size: 5 }))
  const { lines } = await cosign(await open('quorum none', [behind]), 12)
  assert.equal(lines.length, 1)
  assert.deepEqual(
    behind.asked.map(each => [each.oldSize, each.isProven]),
    [
      [0, true],
      [5, true],
    ],
  )
})

test('a witness that has seen more than there is, or another tree, stops the log', async () => {
  const ahead = await startWitness('w.example/1', honest({ size: 20 }))
  await assert.rejects(cosign(await open('quorum none', [ahead]), 12), isForked)
  const other = await startWitness('w.example/2', (_, response) => response.writeHead(422).end())
  await assert.rejects(cosign(await open('quorum none', [other]), 12), isForked)
})

test('whatever else a witness does costs its cosignature, and nothing more', async () => {
  const endless = (response: ServerResponse): void => {
    while (response.write('a'.repeat(65_536)) && !response.destroyed);
    response.once('drain', () => endless(response))
  }
  const bad: Record<string, (asked: Asked, response: ServerResponse, sign: Sign) => void> = {
    'a 500': (_, response) => response.writeHead(500).end(),
    'a 404': (_, response) => response.writeHead(404).end(),
    'a redirect': (_, response) => response.writeHead(307, { location: '/' }).end(),
    nothing: (_, response) => response.destroy(),
    garbage: (_, response) => response.end(Buffer.from([0, 255, 10, 13, 0xe2, 0x80, 0x94])),
    'ten megabytes': (_, response) => endless(response),
    'a line for another tree': (_, response, sign) => response.end(sign('log.example\n1\nAAAA\n')),
    'a line from the future': ({ noteText }, response, sign) => response.end(sign(noteText, 3600)),
    'a cut line': ({ noteText }, response, sign) => response.end(sign(noteText).slice(0, 60)),
    'a size that is none': (_, response) =>
      response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end('99999999999999999999\n'),
    'a size of another type': (_, response) => response.writeHead(409).end('99\n'),
    'the size that we said': ({ oldSize }, response) =>
      response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end(`${oldSize}\n`),
    'another size each time': ({ oldSize }, response) =>
      response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end(`${oldSize + 1}\n`),
    silence: () => {},
  }
  const good = await startWitness('good.example', honest())
  const each = await Promise.all(
    Object.values(bad).map((respond, at) => startWitness(`bad.example/${at}`, respond)),
  )
  const witnesses = await open('quorum good.example', [...each, good])
  const { lines, isQuorumMet } = await cosign(witnesses, 7)
  assert.deepEqual([lines.length, isQuorumMet], [1, true])
  const asked = each.map(({ asked }) => asked.length)
  assert.equal(asked[Object.keys(bad).indexOf('another size each time')], 3)
  for (const { name, why } of witnesses.list()) assert.equal(why === '', name === 'good.example', name)
})

test('a witness that fails is left alone for a while, so that nobody waits for it each time', async () => {
  const down = await startWitness('down.example', (_, response) => response.writeHead(500).end())
  const witnesses = await open('quorum none', [down])
  for (let round = 1; round < 4; round++) await cosign(witnesses, round)
  assert.equal(down.asked.length, 1)
})

test('lines count for the key that made them, once, and for keys of the policy only', async () => {
  const stranger = await makeSigner('stranger.example')
  const greedy = await startWitness('greedy.example', ({ noteText }, response, sign) =>
    response.end(`${stranger.sign(noteText)}${sign(noteText)}${sign(noteText)}${log.key.name}\n`),
  )
  const silent = await startWitness('silent.example', (_, response) => response.writeHead(503).end())
  const policy = 'group both all greedy.example silent.example\nquorum both'
  const { lines, isQuorumMet } = await cosign(await open(policy, [greedy, silent]), 4)
  assert.deepEqual([lines.length, isQuorumMet], [1, false])
})

test('a witness on a private address is asked only where the operator allows it', async () => {
  const near = await startWitness('near.example', honest())
  const witnesses = openWitnesses({
    policy: { ...(await parseWitnessPolicy(webCrypto, `${near.line}\nquorum near.example\n`)), lines: [] },
    sizes: await openWitnessSizes(join(root, 'private')),
    outbound: openOutbound([]),
    clock: Date.now,
  })
  assert.deepEqual(await cosign(witnesses, 2), { lines: [], isQuorumMet: false })
  assert.equal(near.asked.length, 0)
})
