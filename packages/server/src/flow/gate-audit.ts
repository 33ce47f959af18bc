// SPDX-License-Identifier: Apache-2.0
import type { GateRows } from '@holdfast/core'
import { type Actor, authorize } from '../identity/index.ts'
import type { Ports } from '../ports.ts'

/**
 * What the tables say of who may publish and of what is served, and the documents that leaves about them name: for whoever
 * may read every entry, to be compared with what follows from the entries.
 */
export async function readGate(
  ports: Ports,
  actor: Actor,
): Promise<{ readonly rows: GateRows; readonly documents: readonly string[] }> {
  await authorize(ports, actor, 'log:read', '')
  const rows = await ports.store.gate.list(ports.clock())
  return { rows, documents: await ports.store.gate.listDocuments() }
}
