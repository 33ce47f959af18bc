// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { parseDigest } from '@holdfast/core'
import { type BlobFault, openFileBlobs } from './file.ts'
import { makeIncomingName } from './incoming.ts'

const root = await mkdtemp(join(tmpdir(), 'holdfast-'))
after(() => rm(root, { recursive: true }))

const makeFolder = () => mkdtemp(join(root, 'blobs-'))
const text = 'killed in between'
const digest = parseDigest(createHash('sha512').update(text).digest('hex'))

/** A process that keeps one blob and is killed at a fault point. */
async function killAt(point: BlobFault, folder: string): Promise<void> {
  const module = JSON.stringify(new URL('./file.ts', import.meta.url).href)
  const script = `import { openFileBlobs } from ${module}
    const fault = point => { if (point === '${point}') process.kill(process.pid, 'SIGKILL') }
    const writer = await (await openFileBlobs(${JSON.stringify(folder)}, { fault })).begin()
    await writer.write(new TextEncoder().encode('${text}'))
    await writer.keep()`
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
  await assert.rejects(run, error => (error as { signal?: string }).signal === 'SIGKILL')
}

test('a blob is a file named by its digest, for its owner alone', async () => {
  const folder = await makeFolder()
  const writer = await (await openFileBlobs(folder)).begin()
  await writer.write(Buffer.from(text))
  await writer.keep()
  const path = join(folder, 'sha512', digest.slice(0, 2), digest.slice(2))
  assert.equal(await readFile(path, 'utf8'), text)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.deepEqual(await readdir(join(folder, 'incoming')), [])
})

test('a copy that left the empty folders out takes blobs again', async () => {
  const folder = await makeFolder()
  await openFileBlobs(folder)
  await rm(join(folder, 'sha512'), { recursive: true })
  const writer = await (await openFileBlobs(folder)).begin()
  await writer.write(Buffer.from(text))
  assert.equal((await writer.keep()).digest, digest)
})

test('what was read a moment ago is had without waiting, what was not is left to a read that waits', async () => {
  const blobs = await openFileBlobs(await makeFolder())
  const writer = await blobs.begin()
  await writer.write(Buffer.from(text))
  await writer.keep()
  const reader = (await blobs.open(digest)) ?? assert.fail()
  assert.equal(reader.readNow?.(0, Buffer.alloc(6)), undefined)
  await reader.read(0, Buffer.alloc(6))
  assert.equal(String(reader.readNow?.(0, Buffer.alloc(6))), text.slice(0, 6))
  assert.equal(reader.readNow?.(0, Buffer.alloc(7)), undefined)
  await reader.read(6, Buffer.alloc(100))
  assert.equal(String(reader.readNow?.(0, Buffer.alloc(100))), text)
  await reader.close()
})

for (const point of ['blob:written', 'blob:synced', 'blob:renamed'] as const) {
  test(`a process killed at ${point} leaves a whole blob or none, and nothing else once the store opens`, async () => {
    const folder = await makeFolder()
    await killAt(point, folder)
    const blobs = await openFileBlobs(folder)
    assert.equal(await blobs.size(digest), point === 'blob:renamed' ? text.length : undefined)
    assert.deepEqual(await readdir(join(folder, 'incoming')), [])
  })
}

test('what a living process writes is left alone, here and on another host, until it is a day old', async () => {
  const folder = await makeFolder()
  await openFileBlobs(folder)
  const incoming = join(folder, 'incoming')
  const ours = makeIncomingName()
  const parent = ours.replace(`.${process.pid}.`, `.${process.ppid}.`)
  const elsewhere = `another-host.1.${'0'.repeat(24)}`
  for (const name of [ours, parent, elsewhere]) await writeFile(join(incoming, name), 'x')
  await openFileBlobs(folder)
  assert.deepEqual((await readdir(incoming)).sort(), [ours, parent, elsewhere].sort())
  const dayAgo = Date.now() / 1000 - 25 * 60 * 60
  for (const name of [parent, elsewhere]) await utimes(join(incoming, name), dayAgo, dayAgo)
  await openFileBlobs(folder)
  assert.deepEqual(await readdir(incoming), [ours])
})

test('what an earlier process with our number left is removed', async () => {
  const folder = await makeFolder()
  await openFileBlobs(folder)
  const path = join(folder, 'incoming', makeIncomingName())
  await writeFile(path, 'x')
  const beforeUs = Date.now() / 1000 - process.uptime() - 60
  await utimes(path, beforeUs, beforeUs)
  await openFileBlobs(folder)
  assert.deepEqual(await readdir(join(folder, 'incoming')), [])
})

test('keeping the same bytes again repairs a blob that rotted', async () => {
  const folder = await makeFolder()
  const blobs = await openFileBlobs(folder)
  const path = join(folder, 'sha512', digest.slice(0, 2), digest.slice(2))
  for (const damage of [true, false]) {
    const writer = await blobs.begin()
    await writer.write(Buffer.from(text))
    await writer.keep()
    if (damage) await writeFile(path, 'rotten')
  }
  assert.equal(await readFile(path, 'utf8'), text)
})

test('files that are no blobs are not listed', async () => {
  const folder = await makeFolder()
  const blobs = await openFileBlobs(folder)
  const writer = await blobs.begin()
  await writer.write(Buffer.from(text))
  await writer.keep()
  await writeFile(join(folder, 'sha512', 'README'), 'x')
  await writeFile(join(folder, 'sha512', digest.slice(0, 2), '.DS_Store'), 'x')
  for await (const listed of blobs.list()) assert.equal(listed, digest)
})
