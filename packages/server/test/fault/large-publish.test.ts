// SPDX-License-Identifier: Apache-2.0
/** A tarball of 200 MB goes in and out through memory that does not grow with it. */
import assert from 'node:assert/strict'
import { createHash, type Hash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { createGzip } from 'node:zlib'
import { packEntry, tarEnd } from '../fixture/tarball.ts'
import { publishDocument } from '../live.ts'
import { startVictim } from './child.ts'

const pieceBytes = 4 * 1024 * 1024
const pieces = 50
// The rules that screen it take some 100 MB of this, whatever its size.
const mostBytes = 384 * 1024 * 1024

test('publishing and fetching 200 MB keeps the memory of the process under 384 MB', {
  timeout: 300_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  let victim: Awaited<ReturnType<typeof startVictim>> | undefined
  try {
    const file = join(folder, 'large.tgz')
    await pipeline(Readable.from(tarOfNoise()), createGzip({ level: 0 }), createWriteStream(file))
    // It is screened as well, of so large a one what runs, and let in.
    victim = await startVictim(join(folder, 'data'), {})
    const sent = createHash('sha512')
    const headers = { authorization: `Bearer ${victim.token}`, 'content-type': 'application/json' }
    const put = request(`${victim.url}/npm/large`, { method: 'PUT', headers })
    const answered = once(put, 'response') as Promise<[IncomingMessage]>
    await pipeline(Readable.from(documentAround(file, sent)), put)
    const [answer] = await answered
    assert.equal(answer.statusCode, 201, await new Response(Readable.toWeb(answer) as never).text())

    const fetched = createHash('sha512')
    for await (const piece of (await fetch(`${victim.url}/npm/large/-/large-1.0.0.tgz`)).body ?? [])
      fetched.update(piece)
    assert.equal(fetched.digest('hex'), sent.digest('hex'))
    const peakBytes = await victim.peakBytes()
    assert.ok(peakBytes < mostBytes, `it took ${Math.round(peakBytes / 1024 / 1024)} MB`)
  } finally {
    await victim?.kill()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
})

function* tarOfNoise(): Generator<Buffer> {
  yield packEntry({ path: 'package/package.json', body: '{"name":"large","version":"1.0.0"}' })
  yield packEntry({ path: 'package/noise', sizeBytes: pieceBytes * pieces })
  const noise = randomBytes(pieceBytes)
  for (let piece = 0; piece < pieces; piece++) yield noise
  yield tarEnd
}

/** The document that npm sends, with the tarball encoded as it is read. */
async function* documentAround(file: string, hash: Hash): AsyncGenerator<string> {
  const empty = publishDocument('large', '1.0.0', { tarball: Buffer.alloc(0) })
  const { dist: _claims, ...manifest } = empty.versions['1.0.0'] ?? {}
  const document = {
    ...empty,
    versions: { '1.0.0': manifest },
    _attachments: { 'large-1.0.0.tgz': { data: '' } },
  }
  const [head, tail] = JSON.stringify(document).split('"data":"') as [string, string]
  yield `${head}"data":"`
  // A multiple of three bytes at a time, so that the pieces of base64 join.
  for await (const piece of createReadStream(file, { highWaterMark: 3 * 64 * 1024 })) {
    hash.update(piece)
    yield (piece as Buffer).toString('base64')
  }
  yield tail
}
