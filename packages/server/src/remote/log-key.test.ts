// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { formatCheckpoint, parseNote, parseVerifierKey, verifyNote, webCrypto } from '@holdfast/core'
import { openLogKey } from './log-key.ts'

const root = await mkdtemp(join(tmpdir(), 'holdfast-log-key-'))
after(() => rm(root, { recursive: true }))
const origin = 'registry.example/log'
const tree = { size: 1, root: new Uint8Array(32) }
const text = formatCheckpoint({ origin, ...tree })

test('a former key signs beside its successor until its end, stays listed, and is found by whoever opens the folder', async () => {
  const folder = join(root, 'keys')
  let now = Date.parse('2026-01-01T00:00:00Z')
  const signer = await openLogKey(folder, origin, () => now)
  const other = await openLogKey(folder, origin, () => now)
  const [first] = signer.keys
  await signer.rotate(now + 1000)
  await other.reload()
  for (const each of [signer, other, await openLogKey(folder, origin, () => now)]) {
    assert.deepEqual(
      each.keys.map(({ signsUntil }) => signsUntil),
      [now + 1000, null],
    )
    assert.equal(each.keys[0]?.vkey, first?.vkey)
    const note = parseNote(`${text}\n${await each.sign(tree, text)}`)
    const keys = await Promise.all(each.keys.map(({ vkey }) => parseVerifierKey(webCrypto, vkey)))
    assert.deepEqual(await verifyNote(webCrypto, note, keys), keys)
  }
  for (const name of await readdir(folder))
    assert.equal((await stat(join(folder, name))).mode & 0o077, 0, name)
  now += 1000
  const alone = parseNote(`${text}\n${await signer.sign(tree, text)}`)
  assert.deepEqual(
    alone.signatures.map(({ id }) => id),
    [signer.keys.at(-1)?.id],
  )
  await signer.rotate(now + 1000)
  assert.equal(signer.keys.length, 3)
  assert.equal(parseNote(`${text}\n${await signer.sign(tree, text)}`).signatures.length, 2)
})
