// SPDX-License-Identifier: Apache-2.0
import { parseIntegrity } from './digest.ts'
import { parseDistTag } from './dist-tag.ts'
import { parseNamePattern } from './name-pattern.ts'
import { isPackageName } from './package-name.ts'
import { parseVersion } from './version.ts'

/** What one field of a leaf may hold. */
export interface FieldKind {
  /** For people who read leaves. */
  readonly words: string
  fits(value: unknown): boolean
}

/** Fields by name; one whose name ends in `?` may be absent. Others than these may not be there. */
export type LeafFields = Readonly<Record<string, FieldKind>>

/** Text that one of these readers takes, or a pattern matches. */
function text(words: string, pattern: RegExp): FieldKind {
  return { words, fits: value => typeof value === 'string' && pattern.test(value) }
}

function parsed(words: string, parse: (value: unknown) => unknown): FieldKind {
  return {
    words,
    fits(value) {
      try {
        parse(value)
        return true
      } catch {
        return false
      }
    },
  }
}

/** One of a few codes. */
export function oneOf(...codes: readonly string[]): FieldKind {
  return {
    words: codes.map(code => `\`${code}\``).join(', '),
    fits: value => typeof value === 'string' && codes.includes(value),
  }
}

/** Nothing, as empty text, where this kind would say something. */
export function orEmpty(kind: FieldKind, meaning: string): FieldKind {
  return { words: `${kind.words}; \`""\`: ${meaning}`, fits: value => value === '' || kind.fits(value) }
}

/** An object of these fields. */
export function recordOf(words: string, fields: LeafFields): FieldKind {
  return { words, fits: value => isObject(value) && findFieldFault(fields, value) === undefined }
}

/** One to `most` of a kind. */
export function listOf(kind: FieldKind, most: number): FieldKind {
  return {
    words: `list of ${kind.words}`,
    fits: value => Array.isArray(value) && value.length > 0 && value.length <= most && value.every(kind.fits),
  }
}

/** A whole number from 0. */
export const count: FieldKind = {
  words: 'number',
  fits: value => Number.isSafeInteger(value) && (value as number) >= 0,
}
/** Milliseconds since the epoch. */
export const time: FieldKind = { ...count, words: 'milliseconds since the epoch' }
/** The name of a package. */
export const packageName: FieldKind = { words: 'package name', fits: isPackageName }
/** A version, as it is published. */
export const version = parsed('version', parseVersion)
/** A tag. */
export const distTag = parsed('tag', parseDistTag)
/** A pattern of names. */
export const namePattern = parsed('name pattern', parseNamePattern)
/** A random id that names nobody by itself. */
export const opaqueId = text('opaque id', /^[a-z]{1,4}_[0-9a-f]{4,64}$/)
/** A SHA-256, base64, of a document that is kept elsewhere. */
export const documentDigest = text('`sha256-…`', /^sha256-[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/)
/** A SHA-256 in hexadecimal. */
export const hexDigest = text('SHA-256 in hexadecimal', /^[0-9a-f]{64}$/)
/** The one SHA-512 of a tarball, as lock files hold it. */
export const integrity: FieldKind = {
  words: '`sha512-…`',
  fits: value =>
    typeof value === 'string' && /^sha512-[\w+/=]+$/.test(value) && parseIntegrity(value) !== undefined,
}
/** An organisation's scope. */
export const scope = text('scope', /^@[A-Za-z0-9!~*'()][\w.!~*'()-]{0,213}$/)
/** A name that the configuration gives: of an upstream. */
export const configuredName = text('name from the configuration', /^[\w.-]{1,64}$/)
/** An identifier of something outside: an advisory, a key. */
export const outsideId = text('id', /^[\w:+/=.-]{1,128}$/)
/** The type of an attestation: an address. */
export const predicateType = text('predicate type', /^https?:\/\/[!-~]{1,248}$/)

/** Why these values are not exactly these fields; undefined when they are. */
export function findFieldFault(
  fields: LeafFields,
  values: Readonly<Record<string, unknown>>,
): string | undefined {
  const known = new Map(Object.entries(fields).map(([name, kind]) => [name.replace('?', ''), kind]))
  const stray = Object.keys(values).find(name => !known.has(name))
  if (stray !== undefined) return `it has a field ${stray.slice(0, 40)} that its type lacks`
  for (const [name, kind] of known) {
    if (!Object.hasOwn(values, name)) {
      if (!Object.hasOwn(fields, `${name}?`)) return `it lacks ${name}`
    } else if (!kind.fits(values[name])) return `its ${name} is no ${kind.words}`
  }
  return undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
