// SPDX-License-Identifier: Apache-2.0
import { Agent, request } from 'node:http'

/** A whole answer. */
export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 })

/** Asks once and reads everything; nothing is decompressed, so lengths are those of the wire. */
export function get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  return send('GET', url, headers)
}

/** Sends one request over kept connections and reads the whole answer. */
export function send(
  method: string,
  url: string,
  headers: Record<string, string>,
  body?: Buffer,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body ? { 'content-length': String(body.length) } : {}
    const asked = request(url, { agent, method, headers: { ...headers, ...length } }, response => {
      const parts: Buffer[] = []
      response.on('data', part => parts.push(part))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
      )
    })
    // A kept connection that the server closed meanwhile is no failure: ask again on another.
    asked.on('error', error =>
      asked.reusedSocket ? send(method, url, headers, body).then(resolve, reject) : reject(error),
    )
    asked.end(body)
  })
}

/** Reads an answer without keeping it and returns how many bytes there were. */
export function drain(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent }, response => {
      let length = 0
      response.on('data', part => {
        length += part.length
      })
      response.on('error', reject)
      response.on('end', () => resolve(length))
    })
    asked.on('error', reject)
    asked.end()
  })
}
