// SPDX-License-Identifier: Apache-2.0
import { excerpt, problem } from './problem.ts'

/** The SHA-512 of bytes, as 128 lower-case hexadecimal characters. */
export type Digest = string & { readonly brand: 'Digest' }

/** Turns hostile input into a digest, or throws `invalid-digest`. */
export function parseDigest(input: unknown): Digest {
  // Digests become file names in the blob store: nothing but these characters may pass.
  if (typeof input !== 'string' || !/^[0-9a-f]{128}$/.test(input)) {
    throw problem('invalid-digest', { digest: excerpt(input) })
  }
  return input as Digest
}

/** The digest as Subresource Integrity text, as packuments and lock files hold it. */
export function formatIntegrity(digest: Digest): string {
  const bytes = digest.replace(/../g, pair => String.fromCharCode(Number.parseInt(pair, 16)))
  return `sha512-${btoa(bytes)}`
}

/** The first SHA-512 in an integrity text, which may list several algorithms; undefined when it holds none. */
export function parseIntegrity(text: string): Digest | undefined {
  for (const entry of text.split(/\s+/)) {
    // The last letter carries two bits: with stray ones behind them, equal digests would have texts that differ.
    const base64 = /^sha512-([A-Za-z0-9+/]{85}[AQgw]==)(?:\?[!-~]*)?$/.exec(entry)?.[1]
    if (base64 !== undefined) return decodeBase64(base64)
  }
  return undefined
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function decodeBase64(base64: string): Digest {
  const bytes = atob(base64)
  let hex = ''
  for (let at = 0; at < bytes.length; at++) hex += hexOfByte[bytes.charCodeAt(at)]
  return hex as Digest
}

/** Whether text is a SHA-1 as old clients pin it: 40 lower-case hexadecimal characters. */
export function isShasum(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text)
}
