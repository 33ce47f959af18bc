// SPDX-License-Identifier: Apache-2.0
/** Exit codes of what is carried to an instance without a network; what it takes in is shown by the probe of bundles. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { zipSync } from 'fflate'
import { freshPath, holdfast } from './command-line.ts'

test('a bundle that was changed, or that another signed, is evidence; a mistyped key or folder is none', async () => {
  const [data, keys, folder] = [freshPath(), freshPath(), freshPath()]
  for (const each of [keys, folder]) await mkdir(each)
  const init = async (file: string) =>
    (await holdfast('pack', 'init', '--name', 'carry.example', '--key', join(keys, file))).out.trim()
  const [ours, stranger] = [await init('ours.pem'), await init('stranger.pem')]
  const advisories = join(folder, 'advisories.zip')
  await writeFile(advisories, zipSync({}))
  const signing = ['--name', 'carry.example', '--key', join(keys, 'ours.pem')]
  assert.equal((await holdfast('pack', 'sign', folder, ...signing)).code, 0)
  const takeIn = async (place: string, key: string) => {
    const { code, err } = await holdfast(
      ...['operator', 'bundle', place, '--vkey', key, '--log-vkey', ours, '--data', data],
    )
    return { code, err }
  }
  assert.equal((await takeIn(folder, ours)).code, 0)
  const unknown = await takeIn(folder, stranger)
  assert.equal(unknown.code, 3, unknown.err)
  assert.match(unknown.err, /^This bundle is refused: /)
  await writeFile(advisories, zipSync({ 'GHSA-more.json': new Uint8Array() }))
  const changed = await takeIn(folder, ours)
  assert.deepEqual([changed.code, /advisories\.zip is not what was signed/.test(changed.err)], [3, true])
  assert.equal((await takeIn(folder, 'no key')).code, 2)
  assert.match((await takeIn(keys, ours)).err, /^There is no bundle in /)
  assert.equal((await takeIn(keys, ours)).code, 2)
})
