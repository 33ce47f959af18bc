// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { problem } from '@holdfast/core'
import type { Sealer } from '../ports.ts'

/** Length of the secret a sealer is made from. */
export const SECRET_BYTES = 32

const CIPHER = 'aes-256-gcm'
const PREFIX = 'v1.'
const IV_BYTES = 12
const TAG_BYTES = 16

/** Seals with AES-256-GCM: `v1.` and base64url of initialization vector, ciphertext and tag. */
export function makeSealer(secret: Uint8Array): Sealer {
  // A key of its own for this use, so that the secret can serve others without their answers telling about this one.
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'holdfast seal v1', 32))
  return {
    seal: text => PREFIX + encrypt(key, text).toString('base64url'),
    open: sealed => {
      if (!sealed.startsWith(PREFIX)) throw problem('seal-broken')
      try {
        return decrypt(key, Buffer.from(sealed.slice(PREFIX.length), 'base64url'))
      } catch {
        throw problem('seal-broken')
      }
    },
  }
}

function encrypt(key: Buffer, text: string): Buffer {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv(CIPHER, key, iv)
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

function decrypt(key: Buffer, bytes: Buffer): string {
  const iv = bytes.subarray(0, IV_BYTES)
  const tag = bytes.subarray(-TAG_BYTES)
  // A shorter tag would be easier to forge; the length is part of the check.
  const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES })
  decipher.setAuthTag(tag)
  return decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
}
