// SPDX-License-Identifier: Apache-2.0
/**
 * The log's Ed25519 key and the mark of what it signed, in the key folder, apart from the database and its backups:
 *
 *   log.key                             the key that signs (PKCS#8)
 *   log-<id>.retired-<ISO time>.pem     keys that signed before it, and until that time sign beside it
 *   log.mark    two places of 512 bytes, written in turn: SHA-256 of the rest, size, root. The larger one that holds counts,
 *               so that a write cut short leaves the one before
 *   log.mark.lock  an empty SQLite file, locked by whoever raises the mark
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
import { mkdir, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { problem } from '@holdfast/core'
import type { Clock, LogKey, LogSigner } from '../ports.ts'
import { checkNotWritableByOthers, linkNew, readKeyFile, readOrMake, syncFolder } from './key-file.ts'
import { openMark } from './log-mark.ts'

const ed25519 = 1
const retiredName = /^log-[0-9a-f]{8}\.retired-(.+)\.pem$/

/** A key with the name under which its signatures stand. */
interface NamedKey extends LogKey {
  readonly key: KeyObject
}

/** Opens the log's keys in a key folder, and makes the first when there is none. */
export async function openLogKey(
  folder: string,
  origin: string,
  clock: Clock = Date.now,
): Promise<LogSigner> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await checkNotWritableByOthers(folder)
  await readOrMake(join(folder, 'log.key'), makeLogKey)
  const mark = openMark(join(folder, 'log.mark'))
  let ring = await readRing(folder, origin)
  return {
    get vkey() {
      return ring.at(-1)?.vkey ?? ''
    },
    get keys() {
      return ring.map(({ vkey, id, signsUntil }) => ({ vkey, id, signsUntil }))
    },
    mark: () => mark.read(),
    async sign(tree, noteText) {
      await mark.raise(tree)
      // A crash here has signed nothing: the same tree is signed next.
      const signing = ring.filter(({ signsUntil }) => signsUntil === null || signsUntil > clock())
      return signing.map(each => formatLine(origin, each, noteText)).join('')
    },
    async reload() {
      ring = await readRing(folder, origin)
    },
    async rotate(until) {
      await replaceKey(folder, ring.at(-1)?.id ?? '', until)
      ring = await readRing(folder, origin)
    },
  }
}

/** Former keys in the order in which they end, then the one in use. */
async function readRing(folder: string, origin: string): Promise<readonly NamedKey[]> {
  const current = nameKey(origin, await readLogKey(join(folder, 'log.key')), null)
  const former: NamedKey[] = []
  for (const name of await readdir(folder)) {
    const time = retiredName.exec(name)?.[1]
    if (time === undefined) continue
    const path = join(folder, name)
    const signsUntil = Date.parse(time)
    if (Number.isNaN(signsUntil)) throw problem('key-damaged', { path, why: 'its name holds no ISO time' })
    former.push(nameKey(origin, await readLogKey(path), signsUntil))
  }
  former.sort((a, b) => Number(a.signsUntil) - Number(b.signsUntil))
  return [...former.filter(({ id }) => id !== current.id), current]
}

/** The whole former key stays: it signs on for a while. */
async function replaceKey(folder: string, id: string, until: number): Promise<void> {
  const path = join(folder, 'log.key')
  const retired = join(folder, `log-${id}.retired-${new Date(until).toISOString()}.pem`)
  await linkNew(retired, await readKeyFile(path))
  // A crash here leaves the former one in use: what retires it counts once another has its place.
  const fresh = `${path}.${process.pid}.next`
  await linkNew(fresh, makeLogKey())
  await rename(fresh, path)
  await syncFolder(folder)
}

function formatLine(origin: string, { key, id }: NamedKey, noteText: string): string {
  const signature = Buffer.concat([Buffer.from(id, 'hex'), sign(null, Buffer.from(noteText), key)])
  return `\u2014 ${origin} ${signature.toString('base64')}\n`
}

function makeLogKey(): Buffer {
  const { privateKey } = generateKeyPairSync('ed25519')
  return Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }))
}

async function readLogKey(path: string): Promise<KeyObject> {
  const key = parseOrUndefined(await readKeyFile(path))
  if (key?.asymmetricKeyType === 'ed25519') return key
  throw problem('key-damaged', { path, why: 'it holds no Ed25519 key' })
}

function parseOrUndefined(pem: Buffer): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}

/** Key id and verifier key by C2SP signed-note. */
function nameKey(origin: string, key: KeyObject, signsUntil: number | null): NamedKey {
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
  const typed = Buffer.concat([Uint8Array.of(ed25519), publicKey])
  const id = createHash('sha256').update(`${origin}\n`).update(typed).digest().toString('hex', 0, 4)
  return { key, id, vkey: `${origin}+${id}+${typed.toString('base64')}`, signsUntil }
}
