// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

let known: ReadonlySet<string> | undefined

const lookAlikes: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
}

/**
 * Whether guessing programs try this password early: it is on the list of common ones, or it is one or two of them with
 * something simple around, as in `Sunshine2024!!` or `dragon-monkey`. Needs no network.
 */
export function isCommonPassword(password: string): boolean {
  const lower = password.toLowerCase()
  if (list().has(lower)) return true
  const bare = strip(lower)
  const plain = strip(foldLookAlikes(bare))
  return [bare, plain].some(isMadeOfCommon)
}

/** `p@ssw0rd` → `password`: the letters that people hide behind signs, in lower case. */
export function foldLookAlikes(text: string): string {
  return text.replace(/[013457@$!]/g, each => lookAlikes[each] ?? each)
}

/** What stands around the letters is what people add when a form asks for more. */
function strip(text: string): string {
  return text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '')
}

function isMadeOfCommon(text: string): boolean {
  const words = list()
  if (text.length < 4) return false
  const joined = text.replace(/[\s._-]/g, '')
  if (words.has(joined)) return true
  for (let at = 4; at <= joined.length - 4; at++)
    if (words.has(joined.slice(0, at)) && words.has(joined.slice(at))) return true
  return false
}

/** Read when the first password is looked at: most starts need none. */
function list(): ReadonlySet<string> {
  known ??= new Set(
    readFileSync(join(import.meta.dirname, 'common-password.txt'), 'utf8')
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('#')),
  )
  return known
}
