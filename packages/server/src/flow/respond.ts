// SPDX-License-Identifier: Apache-2.0
import {
  type DistTag,
  type PackageName,
  problem,
  type ReasonCode,
  type Status,
  type Version,
} from '@holdfast/core'
import { amend } from '../catalog/index.ts'
import { type Actor, authorize, type Grant, type Operation } from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { readAbout, settleHold } from './hold-end.ts'
import { provePresence } from './presence.ts'
import { findKept } from './view.ts'

/** A change of a version's status that a person decides, and how it is undone. */
export type Measure = 'quarantine' | 'release' | 'yank' | 'unyank'

const measures: Record<Measure, { operation: Operation; from: readonly Status[]; to: Status }> = {
  quarantine: {
    operation: 'version:contain',
    from: ['pending', 'live', 'yanked', 'held'],
    to: 'quarantined',
  },
  release: { operation: 'version:contain', from: ['quarantined', 'held'], to: 'live' },
  yank: { operation: 'package:yank', from: ['live'], to: 'yanked' },
  unyank: { operation: 'package:yank', from: ['yanked'], to: 'live' },
}

/**
 * Takes a measure on one version: effective at once on every path, with its reason, actor and event, and reversible.
 * `words` are shown to people, `code` stands in the log. What people closed by a measure opens with that one's end: a release only
 * ends its hold. Throws `version-not-found`, `wrong-status`, `measure-needs-second`.
 */
export async function takeMeasure(
  ports: Ports,
  actor: Actor,
  measure: Measure,
  subject: { readonly name: PackageName; readonly version: Version },
  reason: { readonly code: ReasonCode; readonly words: string },
): Promise<void> {
  const { operation } = measures[measure]
  const grant = await authorize(ports, actor, operation, operation === 'package:yank' ? subject.name : '')
  await provePresence(ports, grant)
  await takeGranted(ports, grant, measure, subject, reason)
}

/** As `takeMeasure`, for whoever was found to be there and may. */
export async function takeGranted(
  ports: Ports,
  grant: Grant,
  measure: Measure,
  subject: { readonly name: PackageName; readonly version: Version },
  reason: { readonly code: ReasonCode; readonly words: string },
): Promise<void> {
  const { operation, from, to } = measures[measure]
  const { name, version } = subject
  const { actor } = grant
  const words = to === 'live' ? '' : reason.words || reason.code
  const event = {
    type: measure,
    pkg: name,
    ver: version,
    fields: { reason: reason.code },
    detail: { words: reason.words },
  } as const
  const settle = async (tx: Tx) => {
    if (measure === 'quarantine' || measure === 'release')
      await settleHold(tx, ports, actor, subject, measure, reason.words)
  }
  const isHosted = (await ports.store.catalog.findPackage(name)) !== undefined
  if (!isHosted && operation === 'version:contain') {
    await checkMirrored(ports, measure, subject)
    const status = to === 'live' ? 'live' : 'quarantined'
    const made = { package: name, version, status, reason: words, at: ports.clock() } as const
    return ports.store.commit(grant, [], async tx => {
      await tx.upstream.touchMirror(name)
      if (measure === 'release' && (await isClosedByPeople(tx, subject))) return settle(tx)
      tx.record(event)
      await tx.upstream.setMeasure(name, version, made)
      await settle(tx)
    })
  }
  const about = measure === 'release' ? await readAbout(ports, name, version) : undefined
  await ports.store.commit(grant, [], async tx => {
    if ((await tx.catalog.findPackage(name)) === undefined)
      throw problem('version-not-found', { name, version })
    await amend(tx.catalog, name, ports.clock(), async () => {
      const found = await tx.catalog.findVersion(name, version)
      if (found === undefined) throw problem('version-not-found', { name, version })
      if (!from.includes(found.status) && !(await isConfirmed(tx, measure, found.status, subject)))
        throw problem('wrong-status', { name, version, status: found.status, measure })
      if (measure === 'release' && (await isClosedByPeople(tx, subject))) return settle(tx)
      tx.record(event)
      await tx.catalog.setStatus(name, version, to, words, ports.clock())
      if (about !== undefined && (await tx.catalog.listTags(name)).get('latest' as DistTag) === version)
        await tx.catalog.describe(name, about)
      await settle(tx)
    })
  })
}

/** An upstream's version is measured too; what upstreams say of it meanwhile is looked at where it is shown. */
async function checkMirrored(
  ports: Ports,
  measure: Measure,
  { name, version }: { readonly name: PackageName; readonly version: Version },
): Promise<void> {
  const found = (await findKept(ports, name))?.kept.find(each => each.version === version)
  if (found === undefined) throw problem('version-not-found', { name, version })
  const { from } = measures[measure]
  const subject = { name, version }
  if (!from.includes(found.status) && !(await isConfirmed(ports.store, measure, found.status, subject)))
    throw problem('wrong-status', { name, version, status: found.status, measure })
}

/** Whether a measure that holds closes it; throws `measure-needs-second` unless there is a hold of it to end besides. */
async function isClosedByPeople(
  tx: Tx,
  { name, version }: { readonly name: PackageName; readonly version: Version },
): Promise<boolean> {
  const closing = (await tx.measures.listClosing(name)).get(version)
  if (closing === undefined) return false
  if ((await tx.screening.find(name, version))?.hold === 'open') return true
  throw problem('measure-needs-second', { why: `${closing} closes it, and opens it when that ends` })
}

/** Whether a hold is confirmed of what a measure over many versions has closed already: it stays closed when that ends. */
async function isConfirmed(
  { screening }: Pick<Ports['store'], 'screening'>,
  measure: Measure,
  status: Status,
  { name, version }: { readonly name: PackageName; readonly version: Version },
): Promise<boolean> {
  if (measure !== 'quarantine' || status !== 'quarantined') return false
  return (await screening.find(name, version))?.hold === 'open'
}
