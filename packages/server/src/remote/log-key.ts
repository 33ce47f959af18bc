// SPDX-License-Identifier: Apache-2.0
/**
 * The log's Ed25519 key and the mark of what it signed, in the key folder, apart from the database and its backups:
 *
 *   log.key     the key (PKCS#8)
 *   log.mark    two places of 512 bytes, written in turn: SHA-256 of the rest, size, root. The larger one that holds counts,
 *               so that a write cut short leaves the one before
 *
 * Trusted: who reads the key can sign another log in our name, and who takes the mark back takes a guard away.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { problem } from '@holdfast/core'
import type { LogSigner } from '../ports.ts'
import { checkNotWritableByOthers, errorCode, readKeyFile, readOrMake, syncFolder } from './key-file.ts'

const slotBytes = 512
const ed25519 = 1

/** A tree as it was signed. */
type Tree = Parameters<LogSigner['sign']>[0]

/** Opens the log's key in a key folder, and makes it when it is not there yet. */
export async function openLogKey(folder: string, origin: string): Promise<LogSigner> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await checkNotWritableByOthers(folder)
  const path = join(folder, 'log.key')
  const key = readLogKey(path, await readOrMake(path, makeLogKey))
  const { id, vkey } = nameKey(origin, key)
  const mark = join(folder, 'log.mark')
  return {
    vkey,
    mark: async () => newest(await readSlots(mark)),
    async sign(tree, noteText) {
      await raise(folder, mark, tree)
      // A crash here has signed nothing: the same tree is signed next.
      const signature = Buffer.concat([id, sign(null, Buffer.from(noteText), key)])
      return `\u2014 ${origin} ${signature.toString('base64')}\n`
    },
  }
}

function makeLogKey(): Buffer {
  const { privateKey } = generateKeyPairSync('ed25519')
  return Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }))
}

function readLogKey(path: string, pem: Buffer): KeyObject {
  const key = parseOrUndefined(pem)
  if (key?.asymmetricKeyType !== 'ed25519')
    throw problem('key-damaged', { path, why: 'it holds no Ed25519 key' })
  return key
}

function parseOrUndefined(pem: Buffer): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}

/** Key id and verifier key by C2SP signed-note. */
function nameKey(origin: string, key: KeyObject): { id: Buffer; vkey: string } {
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
  const typed = Buffer.concat([Uint8Array.of(ed25519), publicKey])
  const id = createHash('sha256').update(`${origin}\n`).update(typed).digest().subarray(0, 4)
  return { id, vkey: `${origin}+${id.toString('hex')}+${typed.toString('base64')}` }
}

/** Durable when it resolves. Throws where the tree is not the marked one or a larger one. */
async function raise(folder: string, path: string, tree: Tree): Promise<void> {
  const slots = await readSlots(path)
  const last = newest(slots)
  if (last !== undefined && tree.size < last.size)
    throw problem('log-behind', { signed: last.size, found: tree.size })
  if (last?.size === tree.size) {
    if (Buffer.compare(last.root, tree.root) === 0) return
    throw problem('log-forked', { why: `another tree of ${tree.size} entries was signed before` })
  }
  const older = slots[0] === last && last !== undefined ? 1 : 0
  const file = await openOrMake(folder, path)
  try {
    await file.write(formatSlot(tree), 0, slotBytes, older * slotBytes)
    await file.datasync()
  } finally {
    await file.close()
  }
}

async function openOrMake(folder: string, path: string) {
  try {
    return await open(path, 'r+')
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
    await readOrMake(path, () => Buffer.alloc(2 * slotBytes))
    await syncFolder(folder)
    return open(path, 'r+')
  }
}

/** What stands in the two places; undefined for one that holds nothing whole. */
async function readSlots(path: string): Promise<readonly (Tree | undefined)[]> {
  const bytes = await readKeyFile(path).catch(error => {
    if (errorCode(error) !== 'ENOENT') throw error
    return undefined
  })
  if (bytes === undefined) return []
  const slots = [0, 1].map(at => parseSlot(bytes.subarray(at * slotBytes, (at + 1) * slotBytes)))
  if (slots.every(slot => slot === undefined) && bytes.some(byte => byte !== 0))
    throw problem('key-damaged', { path, why: 'neither of its two marks is whole' })
  return slots
}

function newest(slots: readonly (Tree | undefined)[]): Tree | undefined {
  return slots.filter(slot => slot !== undefined).sort((a, b) => b.size - a.size)[0]
}

function formatSlot({ size, root }: Tree): Buffer {
  const words = `${size} ${Buffer.from(root).toString('base64')}`
  return Buffer.from(`${digestOf(words)} ${words}`.padEnd(slotBytes - 1).concat('\n'))
}

function parseSlot(bytes: Buffer): Tree | undefined {
  const [digest, size = '', root = ''] = bytes.toString('latin1').trimEnd().split(' ')
  if (digest !== digestOf(`${size} ${root}`)) return undefined
  return { size: Number(size), root: new Uint8Array(Buffer.from(root, 'base64')) }
}

function digestOf(words: string): string {
  return createHash('sha256').update(words).digest('hex')
}
