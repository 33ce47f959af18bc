// SPDX-License-Identifier: Apache-2.0
import { type Argon2Parameters, randomBytes, timingSafeEqual } from 'node:crypto'
import { extname } from 'node:path'
import { problem } from '@holdfast/core'
import { Thread } from '../thread.ts'
import { foldLookAlikes } from './common-password.ts'

// OWASP's first choice for argon2id: 19 MiB, two passes, one lane.
const cost = { memory: 19_456, passes: 2, parallelism: 1 } as const
const saltBytes = 16
const hashBytes = 32
const minLength = 12
const maxLength = 256
const form = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/
const threadUrl = new URL(`./password-thread${extname(import.meta.filename)}`, import.meta.url)
/** One at a time: a storm of guesses must hold nobody up. */
const hasher = new Thread<Argon2Parameters, Uint8Array>(threadUrl, { maxOldGenerationSizeMb: 32 })

/** The password as a PHC string of argon2id, computed in a thread. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes)
  const hash = await hasher.run({ message: password, nonce: salt, tagLength: hashBytes, ...cost })
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${unpadded(salt)}$${unpadded(hash)}`
}

/** Whether the password is the one behind the PHC string; without one it costs the same and is false. */
export async function isPassword(password: string, phc: string | null): Promise<boolean> {
  // Longer ones were never accepted; hashing them would be work for an attacker's asking.
  const tried = password.length > maxLength ? '' : password
  const [, memory, passes, parallelism, salt = '', hash = ''] =
    form.exec(phc ?? '') ?? form.exec(nobodys) ?? []
  const wanted = Buffer.from(hash, 'base64')
  const found = await hasher.run({
    message: tried,
    nonce: Buffer.from(salt, 'base64'),
    tagLength: wanted.length,
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
  })
  return timingSafeEqual(found, wanted) && phc !== null && tried !== ''
}

/** Throws `weak-password` for a new password that is short, uniform, or says who its owner is. */
export function checkNewPassword(password: string, about: readonly string[]): void {
  const why = findWeakness(password, about)
  if (why !== undefined) throw problem('weak-password', { why })
}

function findWeakness(password: string, about: readonly string[]): string | undefined {
  if (password.length < minLength) return `it is shorter than ${minLength} characters`
  if (password.length > maxLength) return `it is longer than ${maxLength} characters`
  if (new Set(password).size < 5) return 'it repeats the same few characters'
  const lower = password.toLowerCase()
  const parts = about.map(each => each.toLowerCase()).filter(each => each.length >= 4)
  if (parts.some(each => lower.includes(each))) return 'it contains your user name or address'
  if (isRun(lower)) return 'it is a run of neighbouring characters'
  return isCommon(lower) ? 'it is made of the commonest passwords' : undefined
}

/** `123456789012`, `abcdefghijkl`: each character follows the one before. */
function isRun(text: string): boolean {
  const steps = [...text].slice(1).map((each, index) => each.charCodeAt(0) - text.charCodeAt(index))
  return steps.filter(step => step === 1 || step === -9).length > text.length * 0.7
}

// The beginnings of every list of leaked passwords, longest first, so that none hides in another.
const commonest = [
  'administrator',
  'qwertyuiop',
  'asdfghjkl',
  'baseball',
  'changeme',
  'football',
  'holdfast',
  'iloveyou',
  'password',
  'passwort',
  'princess',
  'registry',
  'sunshine',
  'superman',
  'default',
  'letmein',
  'trustno',
  'welcome',
  'zxcvbnm',
  'batman',
  'dragon',
  'master',
  'monkey',
  'qwertz',
  'qwerty',
  'secret',
  'shadow',
  'admin',
  'hello',
  'login',
  'abcd',
  'asdf',
  'pass',
  'abc',
  'npm',
] as const

/** `P@ssw0rd123456`, `qwertyqwerty12`: little is left besides what every list of guesses begins with. */
function isCommon(lower: string): boolean {
  const plain = foldLookAlikes(lower)
  const restOf = (text: string) =>
    commonest.reduce((rest, word) => rest.replaceAll(word, ''), text).replace(/[^\p{L}]/gu, '')
  return restOf(lower).length < 4 || restOf(plain.replace(/(?<=\D)[oieast]+$/, '')).length < 4
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}

// Checked for accounts that do not exist, so that an answer's time does not tell who has one.
const nobodys = `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${unpadded(Buffer.alloc(saltBytes))}$${unpadded(Buffer.alloc(hashBytes))}`
