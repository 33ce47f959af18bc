// SPDX-License-Identifier: Apache-2.0
/** Whether everything that lock files name is what the registry's log says, and nothing bad became of it. */
import type { FoldedTiles, LockEntry, NamePattern, PackageName, ReadTile } from '@holdfast/core'
import type { Registry } from '../registry.ts'
import { type VerifiedCheckpoint, verifyCheckpoint } from './checkpoint.ts'
import { checkHistory } from './history.ts'
import { type ClaimedHistory, type ClaimedProof, fetchHistories, fetchProofs } from './registry-log.ts'
import { openLog, readCheckpointNote, tileReader } from './source.ts'
import { checkOneStory, compareWithState } from './state.ts'
import { checkTarballs } from './tarball.ts'
import type { Trust } from './trust.ts'
import { checkVersion, demandProvenance, type ProvenVersion, type VersionReport } from './version.ts'

/** What is asked for beyond the log: bytes that are fetched, and provenance of names under these patterns. */
export interface VerifyWish {
  readonly isByBytes: boolean
  readonly provenanceOf: readonly NamePattern[]
}

export interface Verification {
  readonly checkpoint: VerifiedCheckpoint
  readonly versions: readonly VersionReport[]
}

/**
 * Verifies locked versions against a registry's log: their proofs, what happened to them since, and that the log still tells
 * the one story this machine has seen; where wished also that the registry gives the bytes that its log names, and provenance. Throws `Misbehaviour` when it does not.
 */
export async function verifyLocked(
  trust: Trust,
  registry: Registry,
  locked: readonly LockEntry[],
  { isByBytes, provenanceOf }: VerifyWish,
): Promise<Verification> {
  const source = openLog(registry)
  const [note, proofs] = await Promise.all([readCheckpointNote(source), fetchProofs(registry, locked)])
  const histories = await fetchHistories(registry, namesOf(locked, proofs))
  const signed = await verifyAll(trust, [
    note,
    ...[...proofs.values(), ...histories.values()].map(each => each.checkpoint),
  ])
  const checkpoint = largestOf([...signed.values()])
  const readTile = tileReader(source)
  const ground = { url: registry.url, signed, checkpoint, readTile }
  const proven = await checkAll(locked, proofs, histories, ground)
  const held = isByBytes ? await checkTarballs(registry, proven) : proven
  const versions = demandProvenance(provenanceOf, held)
  await checkAnswers(signed, checkpoint, readTile)
  const isFine = versions.every(({ faults }) => faults.length === 0)
  await compareWithState(trust, checkpoint, readTile, isFine)
  return { checkpoint, versions }
}

interface Ground {
  readonly url: string
  readonly signed: ReadonlyMap<string, VerifiedCheckpoint>
  readonly checkpoint: VerifiedCheckpoint
  readonly readTile: ReadTile
}

async function checkAll(
  locked: readonly LockEntry[],
  proofs: ReadonlyMap<string, ClaimedProof>,
  histories: ReadonlyMap<string, ClaimedHistory>,
  { url, signed, checkpoint, readTile }: Ground,
): Promise<readonly VersionReport[]> {
  const reports: VersionReport[] = []
  const proven = new Map<string, ProvenVersion[]>()
  for (const each of locked) {
    const proof = proofs.get(`${each.name}@${each.version}`)
    const under = proof && signed.get(proof.checkpoint)
    const found = proof && under ? await checkVersion(each, proof, under) : unseen(each, url)
    if ('report' in found) proven.set(each.name, [...(proven.get(each.name) ?? []), found])
    else reports.push(found)
  }
  const memory: FoldedTiles = new Map()
  for (const [name, versions] of proven)
    reports.push(...(await checkHistory(versions, histories.get(name), checkpoint, readTile, memory)))
  return reports
}

function unseen({ name, version, resolved }: LockEntry, url: string): VersionReport {
  const host = resolved !== undefined && URL.canParse(resolved) ? new URL(resolved).host : new URL(url).host
  if (host !== new URL(url).host) return { name, version, kind: 'elsewhere', faults: [], notes: [] }
  return { name, version, kind: 'unseen', faults: ['it is not in the log of this registry'], notes: [] }
}

function namesOf(
  locked: readonly LockEntry[],
  proofs: ReadonlyMap<string, ClaimedProof>,
): readonly PackageName[] {
  const found = locked.filter(({ name, version }) => proofs.has(`${name}@${version}`))
  return [...new Set(found.map(({ name }) => name))]
}

/** Each checkpoint that stood in an answer, verified once. */
async function verifyAll(
  trust: Trust,
  notes: readonly string[],
): Promise<ReadonlyMap<string, VerifiedCheckpoint>> {
  const signed = new Map<string, VerifiedCheckpoint>()
  for (const note of new Set(notes)) signed.set(note, await verifyCheckpoint(trust, note))
  return signed
}

function largestOf(checkpoints: readonly VerifiedCheckpoint[]): VerifiedCheckpoint {
  return checkpoints.reduce((largest, each) => (each.size > largest.size ? each : largest))
}

// The log may grow between two answers, but it may not change.
async function checkAnswers(
  signed: ReadonlyMap<string, VerifiedCheckpoint>,
  checkpoint: VerifiedCheckpoint,
  readTile: ReadTile,
): Promise<void> {
  for (const each of signed.values()) await checkOneStory(each, checkpoint, readTile)
}
