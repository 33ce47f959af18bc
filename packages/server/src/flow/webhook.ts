// SPDX-License-Identifier: Apache-2.0
/** Alerts where people talk to each other: at least once, in order, each webhook for itself. */
import { createHmac } from 'node:crypto'
import { isProblem } from '@holdfast/core'
import type { Webhook } from '../config.ts'
import type { StoredEvent } from '../integrity/index.ts'
import type { Ports } from '../ports.ts'
import { type Alert, toAlert } from './alert.ts'
import { postMessage, signMessage } from './webhook-message.ts'
import { formatAlerts } from './webhook-shape.ts'

/** What a webhook could not take for so long is on the pages; as an alarm it would mislead. */
const staleMs = 3 * 24 * 3600_000

/**
 * Tells a webhook what it wants to hear of these events, in one message; what happened before it was configured, or
 * too long ago, is passed over. Throws `remote-failed` when it did not take the message: the same comes again then.
 */
export async function tellWebhook(
  ports: Ports,
  webhook: Webhook,
  events: readonly StoredEvent[],
): Promise<void> {
  const { webhooks } = ports.store
  const now = ports.clock()
  const begunAt = await webhooks.begin(webhook.id, now)
  const alerts = events
    .filter(event => event.at >= Math.max(begunAt, now - staleMs))
    .flatMap(event => toAlert(event) ?? [])
    .filter(alert => webhook.on.includes(alert.kind))
  if (alerts.length === 0) return
  try {
    await send(ports, webhook, alerts)
  } catch (error) {
    const why = isProblem(error) ? error.message : 'the request could not be made'
    await webhooks.noteFailed(webhook.id, now, why)
    throw error
  }
  await webhooks.noteDelivered(webhook.id, now)
}

async function send(ports: Ports, { url, as, secret }: Webhook, alerts: readonly Alert[]): Promise<void> {
  const { publicUrl } = ports.config
  const body = formatAlerts(as, alerts, publicUrl)
  await postMessage(
    ports,
    url,
    body,
    secret === undefined ? {} : signatures(secret, alerts, body, ports.clock()),
  )
}

/** Our own form, from before there was a standard, and that of Standard Webhooks. */
function signatures(
  secret: string,
  alerts: readonly Alert[],
  body: string,
  now: number,
): Readonly<Record<string, string>> {
  const id = alerts[0]?.id ?? ''
  return { 'x-holdfast-signature': signBody(secret, body, now), ...signMessage(secret, id, now, body) }
}

/** `t=<milliseconds>,v1=<HMAC-SHA-256 of "<t>.<body>" in hexadecimal>`: the time is signed, so that nobody sends it again later. */
function signBody(secret: string, body: string, now: number): string {
  return `t=${now},v1=${createHmac('sha256', secret).update(`${now}.${body}`).digest('hex')}`
}
