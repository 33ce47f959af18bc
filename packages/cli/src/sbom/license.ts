// SPDX-License-Identifier: Apache-2.0
import { spdxIds } from './spdx-id.ts'

/** What a package says of its licence: an expression of the SPDX list, or words of its own. */
export type License =
  | { readonly kind: 'expression'; readonly text: string }
  | { readonly kind: 'words'; readonly text: string }

const maxLength = 200

/** Reads `license` of a manifest, also in the forms of old ones; undefined where it says nothing. */
export function readLicense(told: unknown): License | undefined {
  const text = Array.isArray(told) ? told.map(wordOf).filter(Boolean).join(' OR ') : wordOf(told)
  if (text === undefined || text === '') return undefined
  const short = text
    .trim()
    .replace(/\p{Cc}/gu, ' ')
    .slice(0, maxLength)
  return { kind: isExpression(short) ? 'expression' : 'words', text: short }
}

function wordOf(told: unknown): string | undefined {
  if (typeof told === 'string') return told
  const type = typeof told === 'object' && told !== null && 'type' in told ? told.type : undefined
  return typeof type === 'string' ? type : undefined
}

/** `(MIT OR Apache-2.0) AND GPL-2.0-only WITH Classpath-exception-2.0`: names of the list in turn with operators, brackets in pairs. */
function isExpression(text: string): boolean {
  const tokens = text.match(/[()]|[^\s()]+/g) ?? []
  let open = 0
  let isNameNext = true
  for (const token of tokens) {
    if (token === '(' && isNameNext) open += 1
    else if (token === ')' && !isNameNext && open > 0) open -= 1
    else if (isNameNext && isName(token)) isNameNext = false
    else if (!isNameNext && /^(AND|OR|WITH)$/.test(token)) isNameNext = true
    else return false
  }
  return open === 0 && !isNameNext
}

function isName(token: string): boolean {
  return (
    spdxIds.has(token) || spdxIds.has(token.replace(/\+$/, '')) || /^LicenseRef-[A-Za-z0-9.-]+$/.test(token)
  )
}
