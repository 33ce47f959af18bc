// SPDX-License-Identifier: Apache-2.0
import { isUtf8 } from 'node:buffer'
import { parseJson as parseJsonText, problem } from '@holdfast/core'

/** Reads a JSON body: UTF-8, bounded depth, no key twice, no key that reaches a prototype. Throws `invalid-json`. */
export function parseJson(input: Uint8Array | string): unknown {
  if (typeof input === 'string') return parseJsonText(input)
  // Replacement characters would make two different names equal.
  if (!isUtf8(input)) throw problem('invalid-json', { why: 'it is not UTF-8' })
  return parseJsonText(Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('utf8'))
}
