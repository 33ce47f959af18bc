// SPDX-License-Identifier: Apache-2.0
/** The newest checkpoint of each log that this machine has verified: what makes a second story noticeable. */
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { encodeBase64, proveConsistency, type ReadTile, verifyConsistency } from '@holdfast/core'
import { UsageError } from '../usage-error.ts'
import { type Believed, readVerified, type VerifiedCheckpoint } from './checkpoint.ts'
import { Misbehaviour } from './misbehaviour.ts'
import { nodeCrypto } from './node-crypto.ts'

const lockWaitMs = 15_000
// Nobody holds the lock that long; a killed process leaves it behind.
const lockLifeMs = 120_000

function stateFile(origin: string, ending: string): string {
  const folder = process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state')
  return join(folder, 'holdfast', 'log', `${encodeURIComponent(origin)}${ending}`)
}

/** What a command keeps about a log between runs, as text; undefined before the first. */
export async function readState(origin: string, ending: string): Promise<string | undefined> {
  return readFile(stateFile(origin, ending), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

/** Keeps a command's text about a log: durable when it resolves, and never half there. */
export async function writeState(origin: string, ending: string, text: string): Promise<void> {
  const file = stateFile(origin, ending)
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 })
  const aside = `${file}.${process.pid}.new`
  const handle = await open(aside, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(aside, file)
}

/**
 * Compares a checkpoint with the newest one that was verified before, and keeps the larger when `isKept`. Throws
 * `Misbehaviour` where neither extends the other: both are then in a file, and the one from before stays.
 */
export async function compareWithState(
  believed: Believed,
  now: VerifiedCheckpoint,
  readTile: ReadTile,
  isKept: boolean,
): Promise<void> {
  await withLock(believed.origin, async () => {
    const before = await loadCheckpoint(believed)
    if (before !== undefined) await checkOneStory(before, now, readTile)
    if (isKept && now.size >= (before?.size ?? 0)) await writeState(believed.origin, '.checkpoint', now.note)
  })
}

/**
 * The newest checkpoint that was verified before. Its signatures were checked then; the keys that made them may have been
 * retired since, and what is pinned now must continue the same story all the same.
 */
async function loadCheckpoint({ origin }: Believed): Promise<VerifiedCheckpoint | undefined> {
  const note = await readState(origin, '.checkpoint')
  return note === undefined ? undefined : readVerified(origin, note)
}

/** Throws `Misbehaviour` unless the smaller of two signed trees is the beginning of the larger, and keeps both as evidence. */
export async function checkOneStory(
  before: VerifiedCheckpoint,
  now: VerifiedCheckpoint,
  readTile: ReadTile,
): Promise<void> {
  const [from, to] = before.size <= now.size ? [before, now] : [now, before]
  const path = await proveConsistency(nodeCrypto, readTile, from.size, to.size).catch(error => {
    if (error instanceof UsageError) throw error
    return undefined
  })
  const claim = { fromSize: from.size, fromRoot: from.root, toSize: to.size, toRoot: to.root }
  if (path !== undefined && (await verifyConsistency(nodeCrypto, { ...claim, path }))) return
  const file = await saveSplitView(before, now, path)
  throw new Misbehaviour(
    `SPLIT VIEW: ${now.origin} signed a tree of ${from.size} entries and one of ${to.size} that does not begin with it`,
    `Both signed checkpoints are in ${file}; show them to others who use this registry, and install nothing until it is explained.`,
  )
}

async function saveSplitView(
  before: VerifiedCheckpoint,
  now: VerifiedCheckpoint,
  path: readonly Uint8Array[] | undefined,
): Promise<string> {
  const ending = `.split-view-${new Date().toISOString().replace(/[:.]/g, '-')}.json`
  const evidence = { before: before.note, now: now.note, proof: path?.map(encodeBase64) ?? null }
  await writeState(now.origin, ending, `${JSON.stringify(evidence, undefined, 2)}\n`)
  return stateFile(now.origin, ending)
}

async function withLock(origin: string, act: () => Promise<void>): Promise<void> {
  const lock = stateFile(origin, '.lock')
  await mkdir(join(lock, '..'), { recursive: true, mode: 0o700 })
  for (const until = Date.now() + lockWaitMs; !(await takeLock(lock)); await delay(50)) {
    if (Date.now() > until)
      throw new UsageError(
        'another holdfast compares this log at the moment',
        `Wait for it, or remove ${lock}.`,
      )
  }
  try {
    await act()
  } finally {
    await rm(lock, { force: true })
  }
}

async function takeLock(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const held = await stat(lock).catch(() => undefined)
    if (held !== undefined && Date.now() - held.mtimeMs > lockLifeMs) await rm(lock, { force: true })
    return false
  }
}
