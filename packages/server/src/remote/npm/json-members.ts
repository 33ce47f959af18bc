// SPDX-License-Identifier: Apache-2.0
/** A large JSON document read member by member from its bytes, so that no more than one member at a time becomes objects. */

const [tab, newline, carriageReturn, space] = [0x09, 0x0a, 0x0d, 0x20]
const [quote, comma, colon, backslash] = [0x22, 0x2c, 0x3a, 0x5c]
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d]

/** The bytes are not JSON, as far as was looked. */
export class NotJson extends Error {}

/**
 * Calls `take` for each member of the object that begins at `from`, with its key and the index of its value, repeated keys
 * too; `take` answers with the index after the value, which `endOfValue` finds. Gives the index after the object. Only what
 * lies between members is looked at: a value is JSON once `JSON.parse` took it. Throws `NotJson`, also for what was cut off.
 */
export function eachMember(bytes: Buffer, from: number, take: (key: string, from: number) => number): number {
  let at = skip(bytes, skipSpace(bytes, from), openObject)
  if (bytes[at] === closeObject) return at + 1
  for (;;) {
    const end = endOfString(bytes, at)
    const key = readKey(bytes.toString('utf8', at, end))
    const value = skip(bytes, skipSpace(bytes, end), colon)
    at = skipSpace(bytes, take(key, value))
    if (bytes[at] === closeObject) return at + 1
    at = skip(bytes, at, comma)
  }
}

/** Index of the first byte from here on that is no space. */
export function skipSpace(bytes: Buffer, from: number): number {
  let at = from
  for (; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte !== space && byte !== newline && byte !== carriageReturn && byte !== tab) break
  }
  return at
}

/** Index after the value that begins here; costs no stack, however deep it is nested. */
export function endOfValue(bytes: Buffer, start: number): number {
  const first = bytes[start]
  if (first === quote) return endOfString(bytes, start)
  if (first === openObject || first === openList) return endOfContainer(bytes, start)
  let at = start
  for (; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === comma || byte === closeObject || byte === closeList || byte === undefined || byte <= space)
      break
  }
  if (at === start) throw new NotJson()
  return at
}

/** Index of what comes after this byte and the space behind it. */
function skip(bytes: Buffer, at: number, expected: number): number {
  if (bytes[at] !== expected) throw new NotJson()
  return skipSpace(bytes, at + 1)
}

function endOfString(bytes: Buffer, start: number): number {
  if (bytes[start] !== quote) throw new NotJson()
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) return at + 1
    if (byte === backslash) at++
  }
  throw new NotJson()
}

function endOfContainer(bytes: Buffer, start: number): number {
  let depth = 0
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) at = endOfString(bytes, at) - 1
    else if (byte === openObject || byte === openList) depth++
    else if ((byte === closeObject || byte === closeList) && --depth === 0) return at + 1
  }
  throw new NotJson()
}

function readKey(text: string): string {
  try {
    return String(JSON.parse(text))
  } catch {
    throw new NotJson()
  }
}
