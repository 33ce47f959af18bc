// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { hashOrigin, openMemory } from './memory.ts'

const root = await mkdtemp(join(tmpdir(), 'holdfast-witness-'))
after(() => rm(root, { recursive: true }))
const freshFolder = () => mkdtemp(join(root, 'in-'))
const log = hashOrigin('log.example')

test('what was put last is found, also by whoever opens the folder later', async () => {
  const data = await freshFolder()
  const memory = await openMemory(data)
  assert.equal(await memory.find(log), undefined)
  for (const note of ['one', 'two', 'three', 'four'])
    assert.ok(await memory.replace(log, await memory.find(log), note))
  assert.equal((await (await openMemory(data)).find(log))?.note, 'four')
  assert.equal(await memory.find(hashOrigin('other.example')), undefined)
  assert.deepEqual((await readdir(join(data, 'log', log))).sort(), ['3', '4'])
})

test('of many who replace the same note at once, in two openings of a folder, one gets through', async () => {
  const data = await freshFolder()
  const memories = [await openMemory(data), await openMemory(data)]
  for (let round = 0; round < 20; round++) {
    const tries = Array.from({ length: 10 }, async (_, at) => {
      const memory = memories[at % 2] ?? assert.fail()
      const note = `${round}.${at}`
      const was = await memory.find(log)
      return (await memory.replace(log, was, note)) ? { after: was?.note, note } : undefined
    })
    const won = (await Promise.all(tries)).filter(each => each !== undefined)
    // Whoever began after the first was through may follow it; nobody replaces what is no longer the last.
    assert.equal(new Set(won.map(each => each.after)).size, won.length)
    assert.ok(won.length > 0)
  }
})

test('whoever was so slow that the place it would take was cleared does not get through', async () => {
  const data = await freshFolder()
  const memory = await openMemory(data)
  await memory.replace(log, undefined, 'one')
  const slow = await memory.find(log)
  for (const note of ['two', 'three', 'four']) await memory.replace(log, await memory.find(log), note)
  assert.ok(!(await memory.replace(log, slow, 'forked')))
  assert.equal((await memory.find(log))?.note, 'four')
})

test('what a crash left beside the notes is not taken for one', async () => {
  const data = await freshFolder()
  const memory = await openMemory(data)
  await mkdir(join(data, 'log', log))
  await writeFile(join(data, 'log', log, '7.123.abc.new'), 'half')
  assert.equal(await memory.find(log), undefined)
  assert.ok(await memory.replace(log, undefined, 'one'))
})
