// SPDX-License-Identifier: Apache-2.0
/** What happened to a package since one of its versions came, by the chain of its entries. */
import {
  checkChain,
  type FoldedTiles,
  hashLeaf,
  isProblem,
  type Leaf,
  proveInclusions,
  type ReadTile,
  verifyInclusion,
} from '@holdfast/core'
import type { VerifiedCheckpoint } from './checkpoint.ts'
import { nodeCrypto } from './node-crypto.ts'
import type { ClaimedHistory } from './registry-log.ts'
import type { ProvenVersion, VersionReport } from './version.ts'

/** The reports of versions of one package, with what its history says of each. */
export async function checkHistory(
  versions: readonly ProvenVersion[],
  history: ClaimedHistory | undefined,
  head: VerifiedCheckpoint,
  readTile: ReadTile,
  memory?: FoldedTiles,
): Promise<readonly VersionReport[]> {
  const leaves = await readHistory(versions, history, head, readTile, memory)
  return versions.map(({ report, leaf }) => {
    if (typeof leaves === 'string') return { ...report, faults: [leaves] }
    const later = leaves.slice(leaf.link?.seq ?? 0)
    return { ...report, ...judge(report.version, later, leaves[0]?.at) }
  })
}

/** All entries of the package, or why they are not to be believed; each of these versions is among them. */
export async function readHistory(
  versions: readonly ProvenVersion[],
  history: ClaimedHistory | undefined,
  head: VerifiedCheckpoint,
  readTile: ReadTile,
  memory?: FoldedTiles,
): Promise<readonly Leaf[] | string> {
  const entries = history?.entries ?? []
  const last = entries.at(-1)
  if (last === undefined) return 'the registry does not give the history of its package'
  try {
    const leaves = await checkChain(
      nodeCrypto,
      entries.map(({ entry }) => entry),
    )
    // The chain binds every entry to the last, so that one proof is enough.
    const isWhole = versions.every(({ leaf, entry, index }) => {
      const found = entries[(leaf.link?.seq ?? 0) - 1]
      return found?.index === index && Buffer.from(entry).equals(found.entry)
    })
    if (!isWhole) return 'the history of its package does not have its entry'
    const isKnown = versions.some(({ index }) => index === last.index)
    if (isKnown || (await isIncluded(last, head, readTile, memory))) return leaves
    return 'the history of its package does not end in the log'
  } catch (error) {
    if (isProblem(error) && error.code === 'leaf-refused')
      return `the history of its package is broken: ${error.message}`
    throw error
  }
}

async function isIncluded(
  { index, entry }: { readonly index: number; readonly entry: Uint8Array },
  { size, root }: VerifiedCheckpoint,
  readTile: ReadTile,
  memory?: FoldedTiles,
): Promise<boolean> {
  if (index >= size) return false
  const [path = []] = await proveInclusions(nodeCrypto, readTile, [index], size, memory)
  return verifyInclusion(nodeCrypto, { leaf: await hashLeaf(nodeCrypto, entry), index, size, path, root })
}

type Judgement = Pick<VersionReport, 'faults' | 'notes'>

/**
 * What later entries mean for a version: closed or removed is a fault, the rest is for people to know. Who makes a name owns it by
 * the same commit: that is no change.
 */
function judge(version: string, later: readonly Leaf[], madeAt: number | undefined): Judgement {
  const own = later.filter(({ fields }) => fields['ver'] === undefined || fields['ver'] === version)
  const last = (...types: string[]) => own.findLast(({ type }) => types.includes(type))
  const closed = last('quarantine', 'hold', 'release')
  const faults = [closed, last('unpublish'), last('upstream-changed')].filter(
    leaf => leaf !== undefined && leaf.type !== 'release',
  )
  const yanked = last('yank', 'unyank')
  const deprecated = last('deprecate')
  const notes = [
    ...(yanked?.type === 'yank' ? [yanked] : []),
    ...(deprecated !== undefined && deprecated.fields['msg'] !== '' ? [deprecated] : []),
    ...later.filter(leaf => peopleTypes.has(leaf.type) && !isMaking(leaf, madeAt)),
  ]
  return { faults: faults.map(leaf => describeEvent(leaf as Leaf)), notes: notes.map(describeEvent) }
}

const peopleTypes: ReadonlySet<string> = new Set(['owner', 'trusted-publisher', 'access'])

function isMaking({ type, at, fields }: Leaf, madeAt: number | undefined): boolean {
  return type === 'owner' && fields['op'] === 'add' && at === madeAt
}

const words: Readonly<Record<string, string>> = {
  quarantine: 'quarantined',
  hold: 'held',
  unpublish: 'removed',
  'upstream-changed': 'its upstream gave other bytes',
  yank: 'yanked',
  deprecate: 'deprecated',
  owner: 'owners changed',
  'trusted-publisher': 'trusted publishers changed',
  access: 'access changed',
}

function describeEvent({ type, at, fields }: Leaf): string {
  const reason = typeof fields['reason'] === 'string' ? ` (${fields['reason']})` : ''
  return `${words[type] ?? type} on ${new Date(at).toISOString()}${reason}`
}
