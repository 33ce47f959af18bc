// SPDX-License-Identifier: Apache-2.0
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  formatNote,
  formatPackList,
  formatVerifierKey,
  isPackFile,
  keyType,
  makeVerifierKey,
  packListName,
  parseNote,
  parsePackList,
  parseVerifierKey,
  type VerifierKey,
  verifyNote,
  webCrypto,
} from '@holdfast/core'
import { parseArgs } from '../parse-args.ts'
import { UsageError } from '../usage-error.ts'
import { publicBytes } from '../witness/cosigner.ts'

const usage = `holdfast pack init --name NAME --key FILE           make a key such as rules.example/1, and print its public half
holdfast pack sign FOLDER --name NAME --key FILE    sign what is in a folder now: rules (*.yar, *.hashes), a list of names
holdfast pack verify FOLDER --vkey KEY... [--json]  check a folder that somebody signed

A signed pack is a folder of rules or names that others may use: the file ${packListName} in it, a signed note, names each file with
its SHA-256 and when that was. A registry whose packKeys has the key takes nothing into screeningRules and popularNames that it
does not name, and no list that is older than the one in force. The public half goes to whoever is to believe the pack, by another way.

Exit code 0 when it is done, 2 for usage, 3 when a file is another one than was signed, or the signature does not hold.

Example: holdfast pack sign ./rules --name rules.example/1 --key ./pack.pem
`

const options = {
  name: { type: 'string' },
  key: { type: 'string' },
  vkey: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Runs `holdfast pack …`: 0 when it is done, 3 when what was signed is not what is there. */
export async function runPack(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) return print(usage)
  const [act, folder] = positionals
  const { name, key, vkey = [] } = values
  if (act === 'init' && name !== undefined && key !== undefined) return init(name, key)
  if (act === 'sign' && folder !== undefined && name !== undefined && key !== undefined)
    return print(await signFolder(folder, name, key))
  if (act === 'verify' && folder !== undefined && vkey.length > 0)
    return verifyFolder(folder, vkey, values.json === true)
  throw new UsageError('holdfast pack needs to know what to do', 'holdfast pack --help shows the three acts.')
}

async function init(name: string, file: string): Promise<number> {
  if (existsSync(file))
    throw new UsageError(`${file} is there already`, 'A key is never replaced: name another file.')
  const { privateKey } = generateKeyPairSync('ed25519')
  const key = await publicHalf(name, privateKey)
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  await writeFile(file, pem, { mode: 0o600, flag: 'wx' })
  return print(`${formatVerifierKey(key)}\n`)
}

/** Signs what is in a folder now by the key in a file; says what it did. Throws `UsageError` for an empty folder and for what is no key. */
export async function signFolder(folder: string, name: string, file: string): Promise<string> {
  const privateKey = readKey(file, await readFile(file))
  const key = await publicHalf(name, privateKey)
  const files = await digestFiles(folder)
  if (files.size === 0)
    throw new UsageError(`there is nothing to sign in ${folder}`, 'Put rules or names into it first.')
  const text = formatPackList({ madeAt: Date.now(), files })
  const signature = { name: key.name, id: key.id, bytes: sign(null, Buffer.from(text), privateKey) }
  await writeFile(join(folder, packListName), formatNote({ text, signatures: [signature] }))
  return `Signed ${files.size} files in ${folder} as ${formatVerifierKey(key)}\n`
}

async function verifyFolder(folder: string, vkeys: readonly string[], isJson: boolean): Promise<number> {
  const keys = await Promise.all(vkeys.map(each => parseVerifierKey(webCrypto, each)))
  const note = parseNote(await readFile(join(folder, packListName), 'utf8'))
  const refused = (error: Error) => error.message
  const by = await verifyNote(webCrypto, note, keys).catch(refused)
  const { madeAt, files } = parsePackList(note.text)
  const here = await digestFiles(folder)
  const others = [...here].filter(([name, digest]) => files.get(name) !== digest).map(([name]) => name)
  const missing = [...files.keys()].filter(name => !here.has(name))
  const wrong = [
    ...(typeof by === 'string' ? [by] : []),
    ...others.map(name => `${name} is not what was signed`),
    ...missing.map(name => `${name} is missing`),
  ]
  const signedAt = new Date(madeAt).toISOString()
  const signers = typeof by === 'string' ? [] : by.map(each => each.name)
  const said =
    wrong.length > 0 ? wrong : [`${files.size} files, signed by ${signers.join(', ')} at ${signedAt}`]
  print(
    isJson ? `${JSON.stringify({ signers, signedAt, files: files.size, wrong })}\n` : `${said.join('\n')}\n`,
  )
  return wrong.length > 0 ? 3 : 0
}

/** Links and folders are no part of a pack. */
async function digestFiles(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter(each => each.isFile() && isPackFile(each.name)).map(each => each.name)
  const digests = names.map(async name => {
    const bytes = await readFile(join(folder, name))
    return [name, createHash('sha256').update(bytes).digest('hex')] as const
  })
  return new Map(await Promise.all(digests))
}

function readKey(file: string, pem: Uint8Array): KeyObject {
  try {
    const key = createPrivateKey(Buffer.from(pem))
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // Said below.
  }
  throw new UsageError(`${file} is no key of a pack`, 'holdfast pack init makes one.')
}

function publicHalf(name: string, privateKey: KeyObject): Promise<VerifierKey> {
  return makeVerifierKey(webCrypto, name, keyType.ed25519, publicBytes(privateKey))
}

function print(words: string): number {
  process.stdout.write(words)
  return 0
}
