// SPDX-License-Identifier: Apache-2.0
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'

/** An answer as it came, its body not decoded. */
export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 })

/** One request with exactly these headers and this path: nothing is normalised, followed or inflated. */
export function request(
  url: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: Uint8Array | string,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { agent, method, path, headers }, answer => {
      const pieces: Buffer[] = []
      answer.on('data', (piece: Buffer) => pieces.push(piece))
      answer.on('error', reject)
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(pieces) }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
