// SPDX-License-Identifier: Apache-2.0
/** Pax records (POSIX.1-2001): `<length> <key>=<value>\n`, read so that no client's parser can see other records. */

import { refuseTarball } from './tar-fault.ts'
import { decodePathBytes } from './tar-header.ts'

/** The records that matter to extraction. */
export interface PaxRecords {
  readonly path?: string
  readonly sizeBytes?: number
}

// node-tar obeys `type` and `mode`; sparse formats put bytes elsewhere; links are refused anyway.
const forbidden = /^(?:type|mode|linkpath|hdrcharset|GNU\.sparse\..*|SCHILY\.realsize|SUN\.holesdata)$/

/** Reads the body of a pax header, or throws `bad-tarball`. Records that no extractor obeys are passed over. */
export function parsePax(body: Buffer): PaxRecords {
  const records = new Map<string, Buffer>()
  let at = 0
  while (at < body.length) {
    const space = body.indexOf(0x20, at)
    const length = parseLength(body.toString('latin1', at, space < 0 ? at : space))
    const record = body.subarray(space + 1, at + length - 1)
    if (at + length > body.length || length <= space + 1 - at || body[at + length - 1] !== 0x0a)
      throw refuseRecord()
    addRecord(records, record)
    at += length
  }
  return pickRecords(records)
}

function parseLength(digits: string): number {
  if (!/^[1-9][0-9]{0,6}$/.test(digits)) throw refuseRecord()
  return Number(digits)
}

function addRecord(records: Map<string, Buffer>, record: Buffer): void {
  const equals = record.indexOf(0x3d)
  if (equals <= 0) throw refuseRecord()
  const key = record.toString('latin1', 0, equals)
  const value = record.subarray(equals + 1)
  if (forbidden.test(key)) throw refuseTarball('bad-pax', `a pax header sets '${key}'`)
  // node-tar splits at line breaks and would take the second line of a value for a record of its own.
  if (value.includes(0x0a)) throw refuseTarball('bad-pax', `the pax record '${key}' has a line break`)
  if (records.has(key)) throw refuseTarball('bad-pax', `a pax header sets '${key}' twice`)
  records.set(key, value)
}

function pickRecords(records: ReadonlyMap<string, Buffer>): PaxRecords {
  const path = records.get('path')
  const size = records.get('size')
  return {
    ...(path && { path: decodePathBytes(path) }),
    ...(size && { sizeBytes: parseSize(size.toString('latin1')) }),
  }
}

function parseSize(text: string): number {
  if (!/^(?:0|[1-9][0-9]{0,14})$/.test(text))
    throw refuseTarball('bad-pax', 'the size in a pax header is not a number')
  return Number(text)
}

function refuseRecord() {
  return refuseTarball('bad-pax', 'a pax header is malformed')
}
