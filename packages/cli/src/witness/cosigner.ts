// SPDX-License-Identifier: Apache-2.0
/**
 * The key of a witness in its folder:
 *
 *   witness.pem    Ed25519, PKCS#8, for its owner alone; it cosigns checkpoints and nothing else
 *   witness.vkey   its public half with the witness's name, for whoever trusts this witness
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  cosignedMessage,
  formatVerifierKey,
  keyType,
  makeVerifierKey,
  type NoteSignature,
  parseVerifierKey,
  type VerifierKey,
  webCrypto,
} from '@holdfast/core'
import { UsageError } from '../usage-error.ts'
import { writeNew } from './durable.ts'

/** Signs what a log signed, with the time. The key itself never leaves it. */
export interface Cosigner {
  readonly key: VerifierKey
  cosign(noteText: string, seconds: number): NoteSignature
}

/** Makes the key of a new witness; one that is there is never replaced. */
export async function makeCosigner(folder: string, name: string): Promise<Cosigner> {
  if (!/^[^\s+]{1,200}$/u.test(name))
    throw new UsageError(
      `A witness is not called '${name}'`,
      'Take a name without spaces and +, such as witness.example/w1.',
    )
  const vkeyPath = join(folder, 'witness.vkey')
  if (existsSync(vkeyPath))
    throw new UsageError(`There is a witness in ${folder} already`, 'holdfast witness vkey prints its key.')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { privateKey } = generateKeyPairSync('ed25519')
  const pem = Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }))
  // One that is there is of an `init` that broke off before anybody knew it.
  await writeNew(join(folder, 'witness.pem'), pem)
  const key = await makeVerifierKey(webCrypto, name, keyType.cosignature, publicBytes(await readPem(folder)))
  await writeNew(vkeyPath, Buffer.from(`${formatVerifierKey(key)}\n`))
  return openCosigner(folder)
}

/** Opens the key that is there. */
export async function openCosigner(folder: string): Promise<Cosigner> {
  const privateKey = await readPem(folder)
  const told = await readFile(join(folder, 'witness.vkey'), 'utf8').catch(() => {
    throw noWitness(folder)
  })
  const key = await parseVerifierKey(webCrypto, told.trim())
  if (!Buffer.from(key.publicKey).equals(publicBytes(privateKey)) || key.type !== keyType.cosignature)
    throw new UsageError(
      'witness.pem and witness.vkey do not belong together',
      'Put both back from one backup.',
    )
  return { key, cosign: (noteText, seconds) => cosign(privateKey, key, noteText, seconds) }
}

async function readPem(folder: string): Promise<KeyObject> {
  const path = join(folder, 'witness.pem')
  const pem = await readFile(path).catch(() => {
    throw noWitness(folder)
  })
  if (((await stat(path)).mode & 0o077) !== 0)
    throw new UsageError(
      `Other accounts of this machine can read ${path}`,
      `Run chmod 600 ${path}, or make a new witness if somebody may have read it.`,
    )
  return createPrivateKey(pem)
}

function noWitness(folder: string): UsageError {
  return new UsageError(
    `There is no witness in ${folder}`,
    'holdfast witness init --name NAME --data DIR makes one.',
  )
}

function cosign(privateKey: KeyObject, key: VerifierKey, noteText: string, seconds: number): NoteSignature {
  const time = Buffer.alloc(8)
  time.writeBigUInt64BE(BigInt(seconds))
  const signature = sign(null, cosignedMessage(seconds, noteText), privateKey)
  return { name: key.name, id: key.id, bytes: Buffer.concat([time, signature]) }
}

/** The public half of an Ed25519 key: the last 32 bytes of its DER form. */
export function publicBytes(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(-32)
}
