// SPDX-License-Identifier: Apache-2.0
/** Whether the tables that decide who may publish, and what is served, are what a registry's log says. */
import { createHash } from 'node:crypto'
import { compareGate, type GateDocument, type GateRows, type Leaf, replayGate } from '@holdfast/core'
import { type Answer, explainRefusal, fetchBounded, type Registry } from '../registry.ts'
import { Misbehaviour } from './misbehaviour.ts'

const maxGateBytes = 512 * 1024 * 1024

/** What was found when the gate was compared with the log. */
export interface GateState {
  /** How many rows were looked at. */
  readonly rows: number
  /** One line each. */
  readonly differences: readonly string[]
  /** What rows begin with whose leaves name a document that was erased: nothing is known of them. */
  readonly unread: readonly string[]
}

/** Compares the gate with what follows from leaves. Undefined where the registry does not show it to this reader. */
export async function compareGateRows(
  registry: Registry,
  leaves: readonly Leaf[],
): Promise<GateState | undefined> {
  const answer = await fetchBounded(registry, 'GET', 'log/gate', maxGateBytes)
  if (answer.status === 401 || answer.status === 403) return undefined
  if (!answer.isOk) throw explainRefusal(registry, answer)
  const { rows, documents } = readShown(answer)
  const told = replayGate(leaves, documents, Date.now())
  const differences = compareGate(told, rows)
  return { rows: rows.size, differences, unread: [...told.unread.keys()].map(about => about.trim()) }
}

/** A text counts as the document of the digest that it has, whatever the registry says of it. */
function readShown({ body }: Answer): {
  readonly rows: GateRows
  readonly documents: ReadonlyMap<string, GateDocument>
} {
  try {
    const { rows, documents } = JSON.parse(Buffer.from(body).toString('utf8'))
    return {
      rows: new Map(rows.map(([about, value]: unknown[]) => [String(about), String(value)])),
      documents: new Map(
        documents.map((text: unknown) => [digestOf(String(text)), readDocument(String(text))]),
      ),
    }
  } catch {
    throw new Misbehaviour('what the registry shows of its gate cannot be read', 'Tell its operator.')
  }
}

/** What is no document says nothing: whoever made the log may have named anything. */
function readDocument(text: string): GateDocument {
  const value: unknown = JSON.parse(text)
  return typeof value === 'object' && value !== null ? (value as GateDocument) : {}
}

function digestOf(text: string): string {
  return `sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}`
}
