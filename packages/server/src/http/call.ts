// SPDX-License-Identifier: Apache-2.0
import type { IncomingHttpHeaders } from 'node:http'
import type { Problem } from '@holdfast/core'
import type { Actor } from '../identity/index.ts'
import type { BlobReader } from '../ports.ts'

/** One request as the edges see it. */
export interface Call {
  readonly id: string
  readonly method: string
  /** Path and query as they came, never decoded. */
  readonly url: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** Who acts; somebody whose credentials are bad is `nobody`, with `badCredentials` set. */
  readonly actor: Actor
  /** Why the credentials that came were not accepted; routes for signing in ignore it. */
  readonly badCredentials: Problem | undefined
  /** The body as it flows, inflated when it was compressed; throws `body-too-large` past `maxBytes`. */
  body(maxBytes: number): AsyncIterable<Uint8Array>
  /** The body as JSON: any value, `undefined` when it is empty. Throws `invalid-json`, `body-too-large`. */
  json(maxBytes?: number): Promise<unknown>
}

/**
 * What goes back. Bytes of a stream are read in pieces with back-pressure, and the reader is closed at the end. Of a flow
 * nobody knows yet whether it ends well: a failure breaks the connection off, which every client takes for a failure. It is
 * left early, by `return`, when the peer goes away.
 */
export interface Answer {
  readonly status: number
  /** In place of the status's own words, in printable ASCII: all that some clients print of a refusal. */
  readonly reason?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly stream?: { readonly reader: BlobReader; readonly start: number; readonly length: number }
  readonly flow?: AsyncIterable<Uint8Array>
}
