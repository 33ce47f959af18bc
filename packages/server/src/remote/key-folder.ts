// SPDX-License-Identifier: Apache-2.0
/**
 * The keys of an instance in a folder of their own, trusted: who reads it can sign in our name and open what we sealed.
 *
 *   npm.pem                             the ECDSA P-256 key that signs versions (PKCS#8)
 *   npm-<any>.retired-<ISO time>.pem    keys that signed before; public or private, used only to check signatures
 *   secret.key                          32 bytes that seal secrets in the database
 *   log.key, log.mark                   the log's own, see `log-key.ts`
 *
 * Several processes may open a new folder at once: each key is made aside and linked to its name, which one of them
 * wins, and all read the winner's.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import { mkdir, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { problem } from '@holdfast/core'
import type { PublicKey, Sealer, Signer } from '../ports.ts'
import { checkNotWritableByOthers, linkNew, readKeyFile, readOrMake, syncFolder } from './key-file.ts'
import { formatPublicKey } from './npm-key.ts'
import { makeSealer, SECRET_BYTES } from './sealer.ts'

const RETIRED = /^npm-.+\.retired-(.+)\.pem$/

/** Opens a key folder, and makes the keys that are not there yet. */
export async function openKeyFolder(folder: string): Promise<Signer & Sealer> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await checkNotWritableByOthers(folder)
  const secret = await readOrMake(join(folder, 'secret.key'), () => randomBytes(SECRET_BYTES))
  checkSecret(join(folder, 'secret.key'), secret)
  await readOrMake(join(folder, 'npm.pem'), makeKey)
  let ring = await readRing(folder)
  return {
    get keyId() {
      return ring.current.keyid
    },
    get publicKeys() {
      return [...ring.retired, ring.current]
    },
    sign: text => sign('sha256', Buffer.from(text), { key: ring.key, dsaEncoding: 'der' }).toString('base64'),
    signAll: texts => Promise.all(texts.map(text => signAside(ring.key, text))),
    async reload() {
      ring = await readRing(folder)
    },
    async rotate(expiresAt) {
      await replaceKey(folder, ring, expiresAt)
      ring = await readRing(folder)
    },
    ...makeSealer(secret),
  }
}

interface Ring {
  readonly key: KeyObject
  readonly current: PublicKey
  readonly retired: readonly PublicKey[]
}

async function readRing(folder: string): Promise<Ring> {
  const path = join(folder, 'npm.pem')
  const key = readKey(path, await readKeyFile(path), createPrivateKey)
  const current = formatPublicKey(createPublicKey(key), null)
  const retired = (await listRetired(folder)).filter(({ keyid }) => keyid !== current.keyid)
  return { key, current, retired }
}

/** Only the public half of the former key stays: nothing is signed with it any more. */
async function replaceKey(folder: string, { key, current }: Ring, expiresAt: number): Promise<void> {
  const name = `npm-${Buffer.from(current.keyid).toString('hex').slice(-16)}`
  const retired = join(folder, `${name}.retired-${new Date(expiresAt).toISOString()}.pem`)
  await linkNew(retired, Buffer.from(createPublicKey(key).export({ type: 'spki', format: 'pem' })))
  // A crash here leaves the former one in use: what retires it counts once another has its place.
  const fresh = join(folder, `npm.pem.${process.pid}.next`)
  await linkNew(fresh, makeKey())
  await rename(fresh, join(folder, 'npm.pem'))
  await syncFolder(folder)
}

function signAside(key: KeyObject, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    sign('sha256', Buffer.from(text), { key, dsaEncoding: 'der' }, (error, signature) => {
      if (error === null) resolve(signature.toString('base64'))
      else reject(error)
    })
  })
}

function makeKey(): Buffer {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }))
}

/** Retired keys, the one that ended first in front; of one that is there twice the earlier end counts. */
async function listRetired(folder: string): Promise<readonly PublicKey[]> {
  const found: PublicKey[] = []
  for (const name of await readdir(folder)) {
    const expires = RETIRED.exec(name)?.[1]
    if (expires === undefined) continue
    const path = join(folder, name)
    if (Number.isNaN(Date.parse(expires)))
      throw problem('key-damaged', { path, why: 'its name holds no ISO time' })
    const key = readKey(path, await readKeyFile(path), createPublicKey)
    found.push(formatPublicKey(key, new Date(expires).toISOString()))
  }
  found.sort((a, b) => (String(a.expires) < String(b.expires) ? -1 : 1))
  return found.filter(({ keyid }, at) => found.findIndex(each => each.keyid === keyid) === at)
}

function readKey(path: string, bytes: Buffer, parse: (pem: Buffer) => KeyObject): KeyObject {
  const key = parseOrUndefined(bytes, parse)
  if (key?.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw problem('key-damaged', { path, why: 'it holds no ECDSA P-256 key' })
  }
  return key
}

function parseOrUndefined(bytes: Buffer, parse: (pem: Buffer) => KeyObject): KeyObject | undefined {
  try {
    return parse(bytes)
  } catch {
    return undefined
  }
}

function checkSecret(path: string, secret: Buffer): void {
  if (secret.length === SECRET_BYTES) return
  throw problem('key-damaged', { path, why: `it has ${secret.length} bytes and not ${SECRET_BYTES}` })
}
