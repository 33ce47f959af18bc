// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import type { PageContext } from './context.ts'

const maxFormBytes = 64 * 1024

/** The fields of a posted form. */
export interface Form {
  /** The field's text without surrounding space, empty when it is missing. */
  text(name: string): string
  /** The field as it was typed, for passwords. */
  secret(name: string): string
  /** Words and lines of a field, empty ones left out. */
  words(name: string): string[]
  /** All values of a field that may come several times. */
  all(name: string): string[]
  has(name: string): boolean
  /** The names of all fields. */
  names(): string[]
}

/** Reads a form of bounded size. Throws `invalid-body`, `body-too-large`. */
export async function readForm(c: PageContext): Promise<Form> {
  const { call } = c.env
  if (!/^application\/x-www-form-urlencoded\b/i.test(call.headers['content-type'] ?? '')) {
    throw problem('invalid-body', { why: 'it is not a form' })
  }
  const pieces: Uint8Array[] = []
  for await (const piece of call.body(maxFormBytes)) pieces.push(piece)
  const fields = new URLSearchParams(Buffer.concat(pieces).toString('utf8'))
  const secret = (name: string) => fields.get(name) ?? ''
  return {
    secret,
    text: name => secret(name).trim(),
    words: name =>
      secret(name)
        .split(/[\s,]+/)
        .filter(word => word !== ''),
    all: name => fields.getAll(name),
    has: name => fields.has(name),
    names: () => [...fields.keys()],
  }
}
