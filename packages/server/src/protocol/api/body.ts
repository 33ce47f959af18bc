// SPDX-License-Identifier: Apache-2.0
/** What every route of the API takes and gives: JSON of a known shape. */
import { problem } from '@holdfast/core'
import * as v from 'valibot'
import { type Answer, type Call, parseJson } from '../../http/index.ts'

/** The body of a request as it came. Throws `body-too-large` beyond `maxBytes`. */
export async function readBytes(call: Call, maxBytes: number): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of call.body(maxBytes)) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** The body of a request as JSON of a shape. Throws `invalid-json`, or `invalid-body` with what does not fit first. */
export async function readBody<S extends v.GenericSchema>(
  call: Call,
  maxBytes: number,
  shape: S,
): Promise<v.InferOutput<S>> {
  return parseShape(shape, parseJson(await readBytes(call, maxBytes)))
}

/** What was said, in a shape. Throws `invalid-body`. */
export function parseShape<S extends v.GenericSchema>(shape: S, told: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(shape, told)
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  throw problem('invalid-body', { why: `${v.getDotPath(issue) ?? 'the body'}: ${issue.message}` })
}

/** An answer that nobody keeps. */
export function json(status: number, body: unknown): Answer {
  const headers = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }
  return { status, headers, body: JSON.stringify(body) }
}
