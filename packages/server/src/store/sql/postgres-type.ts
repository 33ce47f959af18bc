// SPDX-License-Identifier: Apache-2.0
import type { CustomTypesConfig } from 'pg'

type Parse = (text: string) => unknown

const BOOL = 16
const BYTEA = 17
const INT8 = 20
const INT2 = 21
const INT4 = 23
const FLOAT4 = 700
const FLOAT8 = 701
const NUMERIC = 1700

const parsers: ReadonlyMap<number, Parse> = new Map<number, Parse>([
  [BOOL, text => (text === 't' ? 1 : 0)],
  [BYTEA, parseBytes],
  [INT8, parseNumber],
  [INT2, parseNumber],
  [INT4, parseNumber],
  [FLOAT4, parseNumber],
  [FLOAT8, parseNumber],
  [NUMERIC, parseNumber], // what sum() over integers answers with
])

/** Turns what PostgreSQL sends into what SQLite would have given; types the schema does not use stay text. */
export const typeParsers: CustomTypesConfig = {
  getTypeParser: ((oid: number) => parsers.get(oid) ?? String) as CustomTypesConfig['getTypeParser'],
}

function parseNumber(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) {
    throw new RangeError(`Value is too large to be represented as a JavaScript number: ${text}`)
  }
  return number
}

function parseBytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.slice(2), 'hex')) // after `\x`
}
