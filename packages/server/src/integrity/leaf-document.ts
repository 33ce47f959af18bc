// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto'
import { encodeCanonical } from '@holdfast/core'

/** Text that a leaf only names by its digest. It is kept beside the log, and can be erased there. */
export interface LeafDocument {
  /** `sha256-…`, as it stands in the leaf. */
  readonly digest: string
  readonly text: string
}

/** A document of this content and 128 random bits: without it the digest says nothing, however short the content. */
export function saltDocument(content: Readonly<Record<string, unknown>>): LeafDocument {
  const salted = { ...content, salt: randomBytes(16).toString('hex') }
  const text = encodeCanonical(JSON.parse(JSON.stringify(salted)))
  return { digest: `sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}`, text }
}
