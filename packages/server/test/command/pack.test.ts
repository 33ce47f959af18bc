// SPDX-License-Identifier: Apache-2.0
/** Signed packs: made and checked at the command line, believed by a registry as far as a trusted key names each byte. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadRulePack } from '../../src/vulnerability/index.ts'
import { openHost } from '../host.ts'
import { holdfast } from './command-line.ts'

const home = await mkdtemp(join(tmpdir(), 'holdfast-pack-'))
after(() => rm(home, { recursive: true }))
const name = 'rules.example/1'
const key = join(home, 'pack.pem')
const vkey = (await holdfast('pack', 'init', '--name', name, '--key', key)).out.trim()

const ruleOf = (word: string) => `rule own { strings: $a = "${word}" condition: $a }`
const fileOf = (text: string) => ({ path: 'a.txt', bytes: Buffer.from(text), isExecutable: false })

async function openFolder(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(home, 'rules-'))
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text)
  return folder
}

async function sign(folder: string): Promise<void> {
  const { code, err } = await holdfast('pack', 'sign', folder, '--name', name, '--key', key)
  assert.equal(code, 0, err)
}

async function found(path: string, text: string, keys = [vkey]): Promise<readonly string[]> {
  const pack = await loadRulePack({ path, keys })
  return [...pack.scan([fileOf(text)]).map(each => each.rule), ...pack.faults]
}

test('what was signed is in force; what is changed, added, older, or signed by another is not', async () => {
  const folder = await openFolder({ 'a.yar': ruleOf('bluebird') })
  assert.match((await found(folder, 'bluebird')).join(), /^[^,]*there is no PACK/)
  await sign(folder)
  assert.deepEqual(await found(folder, 'bluebird'), ['yara:own'])
  const [first, firstRule] = [await readFile(join(folder, 'PACK')), await readFile(join(folder, 'a.yar'))]
  await writeFile(join(folder, 'b.yar'), ruleOf('nightingale').replace('own', 'two'))
  assert.match(
    (await found(folder, 'bluebird nightingale')).join(),
    /^yara:own,.*b\.yar: these are not the bytes/,
  )
  await writeFile(join(folder, 'a.yar'), ruleOf('magpie'))
  assert.match((await found(folder, 'bluebird magpie')).join(), /^yara:own,.*a\.yar: these are not the bytes/)
  await sign(folder)
  assert.deepEqual(await found(folder, 'bluebird magpie nightingale'), ['yara:own', 'yara:two'])
  await writeFile(join(folder, 'PACK'), first)
  await writeFile(join(folder, 'a.yar'), firstRule)
  await rm(join(folder, 'b.yar'))
  assert.match((await found(folder, 'nightingale')).join(), /^yara:two,.*older than the one before/)
  const other = (await holdfast('pack', 'init', '--name', name, '--key', join(home, 'other.pem'))).out.trim()
  const stranger = await openFolder({ 'a.yar': ruleOf('bluebird') })
  await sign(stranger)
  assert.match((await found(stranger, 'bluebird', [other])).join(), /^[^,]*no key that is trusted signed it/)
})

test('the command line says what is not as it was signed, and ends with 3', async () => {
  const folder = await openFolder({ 'a.hashes': '', 'names.txt': 'left-pad\n' })
  await mkdir(join(folder, 'deeper'))
  await sign(folder)
  const verify = () => holdfast('pack', 'verify', folder, '--vkey', vkey, '--json')
  const fine = await verify()
  assert.deepEqual([fine.code, JSON.parse(fine.out).signers, JSON.parse(fine.out).files], [0, [name], 2])
  await writeFile(join(folder, 'names.txt'), 'left-pat\n')
  await rm(join(folder, 'a.hashes'))
  const { code, out } = await verify()
  assert.deepEqual(
    [code, JSON.parse(out).wrong],
    [3, ['names.txt is not what was signed', 'a.hashes is missing']],
  )
  const list = await readFile(join(folder, 'PACK'), 'utf8')
  await writeFile(join(folder, 'PACK'), list.replace('names.txt', 'other.txt'))
  assert.match(JSON.parse((await verify()).out).wrong.join(), /signature of .* is wrong/)
  const again = await holdfast('pack', 'init', '--name', name, '--key', key)
  assert.equal(again.code, 2, 'a key is never replaced')
  assert.equal(
    (await holdfast('pack', 'sign', folder, '--name', name, '--key', join(folder, 'names.txt'))).code,
    2,
  )
})

test('a registry does not start on names that nobody it trusts signed, and doctor says how old they are', async t => {
  const folder = await openFolder({ 'names.txt': 'left-pad\n' })
  const host = openHost()
  t.after(() => host.close())
  const settings = { HOLDFAST_POPULAR_NAMES: join(folder, 'names.txt'), HOLDFAST_PACK_KEYS: vkey }
  const data = join(home, 'data')
  await assert.rejects(host.start(data, settings), /no PACK/)
  await sign(folder)
  await host.stop(await host.start(data, settings))
  const { out } = await host.run(home, settings, ['doctor', '--data', data])
  assert.match(out, /was signed by rules\.example\/1 less than an hour ago/)
})
