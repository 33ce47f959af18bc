// SPDX-License-Identifier: Apache-2.0
import { type AuditLine, formatJsonLine, type StoredEvent, toAuditLine } from '../integrity/index.ts'
import type { Ports, SinkLine } from '../ports.ts'
import { loginsOf } from './audit.ts'

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
