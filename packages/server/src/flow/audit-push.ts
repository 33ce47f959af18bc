// SPDX-License-Identifier: Apache-2.0
import { type AuditLine, formatJsonLine, type StoredEvent, toAuditLine } from '../integrity/index.ts'
import type { Ports, SinkLine } from '../ports.ts'
import { loginsOf } from './audit.ts'

/** A collector that answers has an event within seconds: one that waits for longer does not. */
export const auditPushLateMs = 60_000

/** How far the company's own watch has been told. */
export interface AuditPushState {
  /** Events that it has not taken yet. */
  readonly waiting: number
  /** When the oldest of them happened, if that is so long ago that something is wrong. */
  readonly lateSince: number | undefined
}

/** Whether the push keeps up; undefined where none is configured. */
export async function readAuditPush({
  config,
  store,
  clock,
}: Pick<Ports, 'config' | 'store' | 'clock'>): Promise<AuditPushState | undefined> {
  if (config.auditPush === undefined) return undefined
  const position = await store.leases.position('audit-push')
  const [next] = await store.events.read(position, 1)
  if (next === undefined) return { waiting: 0, lateSince: undefined }
  const lateSince = clock() - next.at > auditPushLateMs ? next.at : undefined
  return { waiting: (await store.events.head()) - position, lateSince }
}

/** Sends events to the company's own watch; each carries its id, since a crash sends a batch twice. */
export async function pushAudit(ports: Ports, events: readonly StoredEvent[]): Promise<void> {
  if (ports.auditSink === undefined) return
  const logins = await loginsOf(ports, events)
  await ports.auditSink.send(events.map(event => toSinkLine(toAuditLine(event, logins))))
}

function toSinkLine(line: AuditLine): SinkLine {
  const { public: _, detail: __, ...short } = line
  return {
    time: line.time,
    type: line.type,
    isWarning: line.type === 'denied' || line.type === 'sign-in-failed',
    json: formatJsonLine(line).trimEnd(),
    short: JSON.stringify({ ...short, cut: true }),
  }
}
