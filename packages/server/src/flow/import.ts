// SPDX-License-Identifier: Apache-2.0
/**
 * Many versions at once. Each passes what a publish passes; what differs is the commit: a few hundred versions, each
 * with its own event, share one transaction. Whoever is killed in the middle starts again: what is here is skipped.
 */
import {
  confusableKey,
  type DistTag,
  isProblem,
  newestVersion,
  type PackageName,
  type Problem,
  type Version,
} from '@holdfast/core'
import { type Access, settle } from '../catalog/index.ts'
import { type Actor, authorize, type Grant } from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { type AlreadyHere, type Arrival, type Checked, checkArrival, isSame } from './arrival.ts'
import { aboutPackage } from './manifest.ts'
import { publishEvent, recordVersion } from './publish.ts'

/** What an import is told beside the versions. */
export interface ImportWishes {
  /** Access of packages that are new here. */
  readonly access: Access
  /** Account that becomes owner of what is imported. */
  readonly ownerId?: string
}

/** What became of one arrival. */
export type ImportOutcome =
  | {
      readonly kind: 'imported'
      readonly source: string
      readonly name: PackageName
      readonly version: Version
      readonly sizeBytes: number
      /** A package here whose name a person could mistake for this one. */
      readonly looksLike?: PackageName
    }
  | {
      readonly kind: 'skipped'
      readonly source: string
      readonly name: PackageName
      readonly version: Version
    }
  | { readonly kind: 'refused'; readonly source: string; readonly problem: Problem }

const batchVersions = 200
const batchBytes = 128 * 1024 * 1024
/** Several are read and inspected side by side: gunzip and disk run in threads of their own. */
const checkedAhead = 12
const keptAtOnce = 16
const maxAttempts = 5

/**
 * Lets versions in, as the operator, and tells what became of each. Everything told as imported is durable and visible.
 * Throws what is not the fault of one version (a full disk, a lost database); the same import may be started again.
 */
export async function* importVersions(
  ports: Ports,
  actor: Actor,
  arrivals: AsyncIterable<Arrival>,
  wishes: ImportWishes,
): AsyncGenerator<ImportOutcome> {
  const grant = await authorize(ports, actor, 'instance:operate', '')
  let batch: Checked[] = []
  let bytes = 0
  const checked = mapAhead(arrivals, checkedAhead, arrival =>
    checkOrRefuse(ports, actor, arrival, wishes.access),
  )
  try {
    for await (const each of checked) {
      if ('kind' in each) {
        yield each
        continue
      }
      batch.push(each)
      bytes += each.bytes.sizeBytes
      if (batch.length < batchVersions && bytes < batchBytes) continue
      yield* letIn(ports, grant, batch, wishes)
      batch = []
      bytes = 0
    }
    yield* letIn(ports, grant, batch, wishes)
  } finally {
    for (const { upload } of batch) await upload.tarball.discard()
  }
}

async function checkOrRefuse(
  ports: Ports,
  actor: Actor,
  arrival: Arrival,
  access: Access,
): Promise<Checked | ImportOutcome> {
  try {
    const checked = await checkArrival(ports, actor, arrival, access)
    return 'upload' in checked ? checked : skipped(checked)
  } catch (error) {
    return refused(arrival, error)
  }
}

/** Keeps the bytes of a batch and commits it; whoever published one of its versions meanwhile has won that one. */
async function letIn(
  ports: Ports,
  grant: Grant,
  batch: readonly Checked[],
  wishes: ImportWishes,
  attempt = 1,
): Promise<ImportOutcome[]> {
  const { fresh, outcomes } = await sift(ports, batch)
  for await (const _ of mapAhead(fresh, keptAtOnce, each => each.upload.tarball.keep()));
  // A crash here leaves bytes under their digests that no version names: the scrubber's to remove, or the next run's to name.
  try {
    if (fresh.length > 0) outcomes.push(...(await commit(ports, grant, fresh, wishes)))
    return outcomes
  } catch (error) {
    const lostRace =
      isProblem(error) && (error.code === 'version-exists' || error.code === 'revision-conflict')
    if (!lostRace || attempt === maxAttempts) throw error
    return letIn(ports, grant, batch, wishes, attempt + 1)
  }
}

/** Those of a batch that are not here yet, each name and version once. */
async function sift(
  ports: Ports,
  batch: readonly Checked[],
): Promise<{ fresh: Checked[]; outcomes: ImportOutcome[] }> {
  const fresh = new Map<string, Checked>()
  const outcomes: ImportOutcome[] = []
  for (const each of batch) {
    const { name, version } = each.upload
    const spec = `${name}@${version}`
    const twin = fresh.get(spec)
    try {
      const found = await ports.store.catalog.findVersion(name, version)
      if (isSame(found, each.bytes.digest) || twin?.bytes.digest === each.bytes.digest) {
        outcomes.push(skipped({ arrival: each.arrival, here: { name, version } }))
      } else if (twin === undefined) {
        fresh.set(spec, each)
        continue
      } else outcomes.push(refused(each.arrival, versionExists(name, version)))
    } catch (error) {
      outcomes.push(refused(each.arrival, error))
    }
    await each.upload.tarball.discard()
  }
  return { fresh: [...fresh.values()], outcomes }
}
