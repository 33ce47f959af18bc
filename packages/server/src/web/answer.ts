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

/** A file of lines, sent as they come: nothing is gathered. */
export function sendLines(lines: AsyncIterable<Uint8Array>, name: string, form: 'csv' | 'json'): Response {
  const headers = {
    'content-type': form === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson',
    'cache-control': 'no-store',
    'content-disposition': `attachment; filename="${name}.${form}"`,
    'x-content-type-options': 'nosniff',
  }
  return new Response(ReadableStream.from(lines) as BodyInit, { headers })
}
