// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto'
import { problem } from '@holdfast/core'
import type { Ports } from '../ports.ts'

const secretPrefix = 'whsec_'
/** Who answers more slowly, or more, gets the message again later. */
const bounds = { deadlineMs: 5000, maxBytes: 16 * 1024 }

/** The headers of Standard Webhooks: id, time and HMAC-SHA-256 over `id.time.body`; the id is the same each time it is sent. */
export function signMessage(
  secret: string,
  id: string,
  now: number,
  body: string,
): Readonly<Record<string, string>> {
  const seconds = Math.floor(now / 1000)
  const key = secret.startsWith(secretPrefix)
    ? Buffer.from(secret.slice(secretPrefix.length), 'base64')
    : Buffer.from(secret)
  const mac = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${mac}` }
}

/** A secret in the form of Standard Webhooks. */
export function formatSecret(bytes: Uint8Array): string {
  return secretPrefix + Buffer.from(bytes).toString('base64')
}

/** Sends JSON to an address. Throws `remote-private`, or `remote-failed` when it did not take the message. */
export async function postMessage(
  { outbound }: Pick<Ports, 'outbound'>,
  url: string,
  body: string,
  signed: Readonly<Record<string, string>>,
): Promise<void> {
  const headers = { 'content-type': 'application/json', ...signed }
  const { status } = await outbound.ask({ url, method: 'POST', headers, body, ...bounds })
  if (status < 200 || status > 299)
    throw problem('remote-failed', { host: new URL(url).host, why: `it answered ${status}` })
}
