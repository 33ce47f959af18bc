// SPDX-License-Identifier: Apache-2.0
import { parseVerifierKey } from '@holdfast/core'
import { UsageError } from '../usage-error.ts'
import type { Believed } from './checkpoint.ts'
import { nodeCrypto } from './node-crypto.ts'
import { listTrust } from './trust.ts'

/** Whose signatures count for a log: of the keys given, or of those that were pinned for its name. */
export async function findBelieved(note: string, vkeys: readonly string[]): Promise<Believed> {
  const origin = note.split('\n')[0] ?? ''
  if (vkeys.length === 0) return findPinned(origin)
  const logKeys = await Promise.all(vkeys.map(vkey => parseVerifierKey(nodeCrypto, vkey)))
  return {
    origin: logKeys[0]?.name ?? origin,
    logKeys,
    policy: { logs: [], witnesses: [], isNone: true, isMet: () => true },
  }
}

async function findPinned(origin: string): Promise<Believed> {
  const trust = (await listTrust()).find(each => each.origin === origin)
  if (trust !== undefined) return trust
  throw new UsageError(
    `nothing is pinned for the log ${origin.slice(0, 100)}`,
    'Run holdfast trust init URL --root-sha256 HEX, or name its key with --vkey.',
  )
}
