// SPDX-License-Identifier: Apache-2.0
import { ReadableStream } from 'node:stream/web'
import { formatSessionCookie } from '../http/index.ts'
import type { PageContext } from './context.ts'
import { pageHeaders } from './header.ts'

/** Sends the browser on with a GET, only to paths of this site; with a session's secret it is signed in, with an empty one signed out. */
export function leadTo(c: PageContext, path: string, secret?: string): Response {
  const { config } = c.env.ports
  const headers = { ...pageHeaders(config), location: path }
  return new Response(null, {
    status: 303,
    headers:
      secret === undefined ? headers : { ...headers, 'set-cookie': formatSessionCookie(config, secret) },
  })
}

const lineTypes = {
  csv: 'text/csv; charset=utf-8',
  json: 'application/x-ndjson',
  jsonl: 'application/jsonl; charset=utf-8',
} as const

const sentAsRead = new WeakSet<Response>()

/** Whether its body is sent piece by piece, as the client takes it. */
export function isSentAsRead(response: Response): boolean {
  return sentAsRead.has(response)
}

/** A file of lines, sent as they come: nothing is gathered. */
export function sendLines(
  lines: AsyncIterable<Uint8Array>,
  name: string,
  form: keyof typeof lineTypes,
): Response {
  const headers = {
    'content-type': lineTypes[form],
    'cache-control': 'no-store',
    'content-disposition': `attachment; filename="${name}.${form}"`,
    'x-content-type-options': 'nosniff',
  }
  const response = new Response(ReadableStream.from(lines) as BodyInit, { headers })
  sentAsRead.add(response)
  return response
}
