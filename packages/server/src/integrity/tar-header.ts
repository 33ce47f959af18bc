// SPDX-License-Identifier: Apache-2.0
/**
 * One 512-byte tar header, read so strictly that no client's parser can read it differently. What npm (node-tar),
 * pnpm, yarn, bun (libarchive) and GNU tar disagree on is refused, since a difference hides files from inspection.
 */
import { isUtf8 } from 'node:buffer'
import { refuseTarball } from './tar-fault.ts'

export const blockBytes = 512

export type TarHeaderType = 'file' | 'directory' | 'local-pax' | 'global-pax' | 'long-path'

/** What a header says, before pax records and long paths are applied. */
export interface TarHeader {
  readonly type: TarHeaderType
  readonly path: string
  /** Long paths are cut anywhere, also inside a character; such a path only counts as the remains of a longer one. */
  readonly isPathUtf8: boolean
  readonly sizeBytes: number
  readonly mode: number
}

const types: Readonly<Record<string, TarHeaderType>> = {
  '0': 'file',
  '\0': 'file',
  '5': 'directory',
  x: 'local-pax',
  g: 'global-pax',
  L: 'long-path',
}

/** Whether all bytes are zero; a block of them ends the archive. */
export function isZero(bytes: Buffer, start = 0, end = bytes.length): boolean {
  for (let at = start; at < end; at++) if (bytes[at] !== 0) return false
  return true
}

/** Reads one header block or throws `bad-tarball`. */
export function decodeHeader(block: Buffer): TarHeader {
  // pnpm takes any header that begins with a zero byte for the end of the archive, node-tar skips the header alone.
  if (block[0] === 0) throw refuseTarball('bad-header', 'an entry has no name')
  checkSum(block)
  const type = decodeType(block)
  // node-tar skips a header that has a link target and is no link, and reads the body as headers.
  if (!isZero(block, 157, 257)) throw refuseTarball('link', 'a file has the target of a link')
  checkIgnoredNumbers(block)
  return {
    type,
    ...decodePath(block),
    sizeBytes: decodeOctal(block.toString('latin1', 124, 136), 'size'),
    mode: decodeOctal(block.toString('latin1', 100, 108), 'mode') & 0o7777,
  }
}

function checkSum(block: Buffer): void {
  let sum = 8 * 0x20
  for (let at = 0; at < 148; at++) sum += block[at] ?? 0
  for (let at = 156; at < blockBytes; at++) sum += block[at] ?? 0
  const field = block.toString('latin1', 148, 156)
  // Without an end inside the field node-tar reads on into the type.
  const match = /^ *([0-7]+)[ \0]+$/.exec(field)
  if (match === null || Number.parseInt(match[1] ?? '', 8) !== sum) {
    throw refuseTarball('bad-header', 'the checksum of an entry is wrong')
  }
}

function decodeType(block: Buffer): TarHeaderType {
  const code = String.fromCharCode(block[156] ?? 0)
  const type = Object.hasOwn(types, code) ? types[code] : undefined
  if (type !== undefined) return type
  if (code === '1' || code === '2' || code === 'K') {
    throw refuseTarball('link', `it holds a link (${quotePath(block)})`)
  }
  if (code === '3' || code === '4' || code === '6') {
    throw refuseTarball('special-file', `it holds a device or pipe (${quotePath(block)})`)
  }
  throw refuseTarball('unknown-type', `it holds an entry of an unknown kind (${quotePath(block)})`)
}

function quotePath(block: Buffer): string {
  return block.toString('latin1', 0, 100).replace(/\0.*/s, '')
}

// node-tar drops a header whose owner, time or device number does not fit, and reads the body as headers.
function checkIgnoredNumbers(block: Buffer): void {
  for (const [start, length] of hasStarTimes(block) ? starNumbers : plainNumbers) {
    const first = block[start] ?? 0
    if (first >= 0x80) checkIgnoredNumber(first, block.subarray(start + 1, start + length))
  }
}

const plainNumbers = [
  [108, 8],
  [116, 8],
  [136, 12],
  [329, 8],
  [337, 8],
] as const
const starNumbers = [...plainNumbers, [476, 12], [488, 12]] as const

function checkIgnoredNumber(first: number, rest: Buffer): void {
  const filler = first === 0x80 ? 0 : 0xff
  const isSmall = rest.subarray(0, -6).every(byte => byte === filler)
  if ((first !== 0x80 && first !== 0xff) || !isSmall) {
    throw refuseTarball('bad-header', 'a number in an entry is out of range')
  }
}

function decodeOctal(field: string, name: string): number {
  const match = /^ *([0-7]*)[ \0]*$/.exec(field)
  // Signs, other bases and junk after the digits are read differently by each parser.
  if (match === null) throw refuseTarball('bad-header', `the ${name} of an entry is not a plain octal number`)
  return match[1] ? Number.parseInt(match[1], 8) : 0
}

function decodePath(block: Buffer): Pick<TarHeader, 'path' | 'isPathUtf8'> {
  const name = cutAtZero(block.subarray(0, 100))
  const prefix = takePrefix(block)
  return {
    path: prefix.length === 0 ? name.toString('utf8') : `${prefix.toString('utf8')}/${name.toString('utf8')}`,
    isPathUtf8: isUtf8(name) && isUtf8(prefix),
  }
}

function takePrefix(block: Buffer): Buffer {
  if (isUstar(block)) return cutAtZero(block.subarray(345, hasStarTimes(block) ? 475 : 500))
  // Some parsers use the prefix whatever the format says, some do not.
  if (!isZero(block, 345, 500)) throw refuseTarball('bad-header', 'an entry has a stray prefix')
  return empty
}

const empty = Buffer.alloc(0)

function isUstar(block: Buffer): boolean {
  return block.toString('latin1', 257, 265) === 'ustar\x0000'
}

// The star variant keeps times where long prefixes end; node-tar tells them apart by this byte.
function hasStarTimes(block: Buffer): boolean {
  return isUstar(block) && block[475] === 0
}

/** What comes before the first zero byte, when nothing but zeros follows. */
export function cutAtZero(field: Buffer): Buffer {
  const end = field.indexOf(0)
  if (end < 0) return field
  // What follows the zero byte is read by some parsers (node-tar, when a line break is in it).
  if (!isZero(field, end)) throw refuseTarball('bad-path', 'a path has bytes behind its end')
  return field.subarray(0, end)
}

/** Text of a path. Two different byte strings that are not UTF-8 would become one name. */
export function decodePathBytes(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw refuseTarball('bad-path', 'a path is not UTF-8')
  return bytes.toString('utf8')
}
