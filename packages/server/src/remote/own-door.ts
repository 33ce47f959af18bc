// SPDX-License-Identifier: Apache-2.0
import type { Config } from '../config.ts'
import type { OwnDoor } from '../ports.ts'

const withinMs = 30_000
const maxAnswerChars = 1024 * 1024
const anywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** The socket that this instance listens on, from this machine. */
export function openOwnDoor({ host, port }: Pick<Config, 'host' | 'port'>): OwnDoor {
  const address = anywhere[host] ?? host
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${port}`
  return {
    url,
    async ask({ method, path, token, body }) {
      const answer = await fetch(url + path, {
        method,
        redirect: 'manual',
        headers: {
          'user-agent': 'holdfast-drill',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(withinMs),
      })
      return { status: answer.status, body: (await answer.text()).slice(0, maxAnswerChars) }
    },
  }
}
