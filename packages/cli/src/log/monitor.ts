// SPDX-License-Identifier: Apache-2.0
/** Follows a log entry by entry and tells what happened to watched packages, and to the registry itself. */
import {
  type ChainEnd,
  decodeBase64,
  emptyFrontier,
  encodeBase64,
  extendChain,
  extendFrontier,
  type Frontier,
  findLeafFault,
  hashLeaf,
  isProblem,
  type Leaf,
  matchesName,
  type NamePattern,
  readLeaf,
  rootOf,
} from '@holdfast/core'
import { type Believed, type VerifiedCheckpoint, verifyCheckpoint } from './checkpoint.ts'
import { Misbehaviour } from './misbehaviour.ts'
import { nodeCrypto } from './node-crypto.ts'
import { type LogSource, readBundle, readCheckpointNote, tileReader } from './source.ts'
import { compareWithState, readState, writeState } from './state.ts'
import { findAlarms, newMemory, type PackageMemory, remember } from './watch-rule.ts'

/** One entry that somebody wants to hear of. */
export interface Finding {
  readonly index: number
  /** A lie of the log, something a person should look at, or an event like others. */
  readonly level: 'lie' | 'alarm' | 'event'
  readonly type: string
  readonly pkg?: string
  readonly ver?: string
  /** Milliseconds since the epoch. */
  readonly at?: number
  readonly why: readonly string[]
}

/** Where a monitor stands, and what it remembers of watched packages. */
interface Position {
  /** What is remembered is of these names: others are learnt from the beginning. */
  readonly patterns: readonly NamePattern[]
  readonly tree: Frontier
  readonly ends: Readonly<Record<string, ChainEnd>>
  readonly memories: Readonly<Record<string, PackageMemory>>
  /** The newest cosignature of the silence that was told last. */
  readonly silentSince?: number | undefined
}

// An idle log is cosigned anew every ten minutes.
const frozenAfterMs = 30 * 60_000
const ending = '.monitor.json'
// These change what everybody may do, whatever is watched.
const registryTypes: ReadonlySet<string> = new Set([
  'policy',
  'key',
  'trust-root',
  'grant',
  'hosted-names',
  'operator',
])

/**
 * Reads what is new since the last round, gives it to `act`, and only then moves on: what was not acted on comes again. The
 * first round learns what happened so far, and tells lies alone. Throws `Misbehaviour` where the log forks.
 */
export async function followLog(
  source: LogSource,
  believed: Believed,
  patterns: readonly NamePattern[],
  act: (findings: readonly Finding[]) => Promise<void>,
): Promise<readonly Finding[]> {
  const checkpoint = await verifyCheckpoint(believed, await readCheckpointNote(source))
  await compareWithState(believed, checkpoint, tileReader(source), true)
  const before = await loadPosition(believed.origin, patterns)
  if (checkpoint.size < before.tree.size) return []
  const { position, findings } = await readOn(source, before, checkpoint.size, believed.origin, patterns)
  if (Buffer.compare(await rootOf(nodeCrypto, position.tree), checkpoint.root) !== 0)
    throw new Misbehaviour(
      'the entries of the log do not have the root that was signed',
      'Run holdfast log audit.',
    )
  const isFirst = before.tree.size === 0
  const silence = findSilence(checkpoint, before.silentSince, Date.now())
  const told = [...findings.filter(({ level }) => !isFirst || level === 'lie'), ...silence]
  if (told.length > 0) await act(told)
  const silentSince = silence.length > 0 ? checkpoint.cosignedAt : before.silentSince
  await writeState(believed.origin, ending, formatPosition({ ...position, silentSince }))
  return told
}

/** A log that is quiet is cosigned again and again; one that stands still is not. Without witnesses nobody can tell. */
export function findSilence(
  { size, cosignedAt }: Pick<VerifiedCheckpoint, 'size' | 'cosignedAt'>,
  told: number | undefined,
  now: number,
): readonly Finding[] {
  if (cosignedAt === undefined || cosignedAt === told) return []
  const minutes = Math.floor((now - cosignedAt) / 60_000)
  if (minutes * 60_000 < frozenAfterMs) return []
  const why = `no witness signed anything newer for ${minutes} minutes: the log stands still, or what is newer is kept from you`
  return [{ index: size, level: 'alarm', type: 'checkpoint', at: cosignedAt, why: [why] }]
}

async function readOn(
  source: LogSource,
  before: Position,
  size: number,
  origin: string,
  patterns: readonly NamePattern[],
): Promise<{ readonly position: Position; readonly findings: readonly Finding[] }> {
  let { tree } = before
  const ends = new Map(Object.entries(before.ends))
  const memories = new Map(Object.entries(before.memories))
  const findings: Finding[] = []
  while (tree.size < size) {
    const index = Math.floor(tree.size / 256)
    const width = Math.min(256, size - index * 256)
    const entries = (await readBundle(source, { kind: 'entries', index, width })).slice(tree.size % 256)
    for (const [at, entry] of entries.entries()) {
      findings.push(...(await judgeEntry(entry, tree.size + at, { origin, patterns, ends, memories })))
    }
    tree = await extendFrontier(
      nodeCrypto,
      tree,
      await Promise.all(entries.map(entry => hashLeaf(nodeCrypto, entry))),
    )
  }
  const position = { patterns, tree, ends: Object.fromEntries(ends), memories: Object.fromEntries(memories) }
  return { position, findings }
}

interface Watch {
  readonly origin: string
  readonly patterns: readonly NamePattern[]
  readonly ends: Map<string, ChainEnd>
  readonly memories: Map<string, PackageMemory>
}

async function judgeEntry(entry: Uint8Array, index: number, watch: Watch): Promise<readonly Finding[]> {
  try {
    const leaf = readLeaf(entry)
    const fault = leaf.log === watch.origin ? findLeafFault(leaf.fields) : 'it is of another log'
    if (fault !== undefined) return [toFinding(index, 'lie', leaf, [fault])]
    if (leaf.link === undefined)
      return registryTypes.has(leaf.type) ? [toFinding(index, 'event', leaf, [])] : []
    const name = leaf.link.pkg
    if (!watch.patterns.some(pattern => matchesName(pattern, name))) return []
    watch.ends.set(name, await extendChain(nodeCrypto, watch.ends.get(name), entry, leaf.link))
    const memory = watch.memories.get(name) ?? newMemory
    watch.memories.set(name, remember(memory, leaf))
    const alarms = findAlarms(memory, leaf)
    return [toFinding(index, alarms.length > 0 ? 'alarm' : 'event', leaf, alarms)]
  } catch (error) {
    if (isProblem(error)) return [{ index, level: 'lie', type: '', why: [error.message] }]
    throw error
  }
}

function toFinding(index: number, level: Finding['level'], leaf: Leaf, why: readonly string[]): Finding {
  const { type, at, link, fields } = leaf
  const ver = typeof fields['ver'] === 'string' ? { ver: fields['ver'] } : {}
  return { index, level, type, ...(link === undefined ? {} : { pkg: link.pkg }), ...ver, at, why }
}

async function loadPosition(origin: string, patterns: readonly NamePattern[]): Promise<Position> {
  const text = await readState(origin, ending)
  const { size, hashes, ends, memories, silentSince, patterns: known } = JSON.parse(text ?? '{}')
  if (JSON.stringify(known) !== JSON.stringify(patterns))
    return { patterns, tree: emptyFrontier, ends: {}, memories: {} }
  const tree = { size, hashes: hashes.map((hash: string) => decodeBase64(hash)) }
  return { patterns, tree, ends, memories, silentSince }
}

function formatPosition({ patterns, tree, ends, memories, silentSince }: Position): string {
  const { size, hashes } = tree
  return `${JSON.stringify({ patterns, size, hashes: hashes.map(encodeBase64), ends, memories, silentSince })}\n`
}
