// SPDX-License-Identifier: Apache-2.0
/** Which packages are critical: marked by a person, or among the most used. */
import { type PackageName, problem } from '@holdfast/core'
import {
  type Actor,
  authorize,
  type CriticalPackage,
  type CriticalSource,
  type Use,
} from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { addLetters, hostOf } from './letter.ts'
import { provePresence } from './presence.ts'

const dayMs = 24 * 3600_000
const windowMs = 90 * dayMs
/** A package that becomes critical by computation asks for passkeys only after this. */
export const criticalNoticeMs = 7 * dayMs

/** Marks a package as critical: its rule binds at once. Throws `package-not-found`. */
export async function markCritical(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  why: string,
): Promise<void> {
  const grant = await authorize(ports, actor, 'package:mark', name)
  await provePresence(ports, grant)
  const now = ports.clock()
  const words = why.trim().slice(0, 200) || 'marked by an operator'
  await ports.store.commit(grant, criticalEvent(name, 'add', 'marked', words), async tx => {
    const known = await tx.catalog.findPackage(name)
    if (known === undefined || known.removedAt !== null) throw problem('package-not-found', { name })
    await tx.identity.setCritical({ package: name, source: 'marked', why: words, since: now, bindsAt: now })
    await tellMaintainers(tx, ports, name, words, 'at once')
  })
}

/** Takes the mark away; what makes it critical by use stays. */
export async function unmarkCritical(ports: Ports, actor: Actor, name: PackageName): Promise<void> {
  const grant = await authorize(ports, actor, 'package:mark', name)
  await provePresence(ports, grant)
  await ports.store.commit(grant, criticalEvent(name, 'remove', 'marked', ''), tx =>
    tx.identity.removeCritical(name, 'marked'),
  )
}

/**
 * Computes anew which packages are among the top 1 % by downloads of 90 days or by dependents. One that newly is gives
 * its maintainers seven days' notice; one leaves only when it falls below the top 2 %, so that the edge does not flutter.
 */
export async function recomputeCritical(ports: Ports): Promise<void> {
  const { identity, catalog } = ports.store
  const top = Math.floor((await catalog.countPackages()) / 100)
  const since = ports.clock() - windowMs
  const lists = [
    { words: 'downloads', uses: top === 0 ? [] : await identity.listMostDownloaded(since, 2 * top) },
    { words: 'dependents', uses: top === 0 ? [] : await identity.listMostDependedOn(2 * top) },
  ]
  const known = (await identity.listCritical()).filter(each => each.source === 'computed')
  for (const entry of newEntries(lists, top, known, ports.clock())) await addComputed(ports, entry)
  const staying = new Set(lists.flatMap(list => list.uses.map(use => use.package)))
  for (const entry of known) if (!staying.has(entry.package)) await removeComputed(ports, entry.package)
}

/** Those at the top that were not critical by use before, each once. */
export function newEntries(
  lists: readonly { readonly words: string; readonly uses: readonly Use[] }[],
  top: number,
  known: readonly CriticalPackage[],
  now: number,
): readonly CriticalPackage[] {
  const entries = new Map<PackageName, CriticalPackage>()
  for (const { words, uses } of lists) {
    for (const use of uses.slice(0, top)) {
      if (entries.has(use.package) || known.some(each => each.package === use.package)) continue
      const why = `among the top 1 % by ${words}`
      const bindsAt = now + criticalNoticeMs
      entries.set(use.package, { package: use.package, source: 'computed', why, since: now, bindsAt })
    }
  }
  return [...entries.values()]
}

async function addComputed(ports: Ports, entry: CriticalPackage): Promise<void> {
  const grant = await authorize(ports, { kind: 'system', id: 'critical' }, 'package:mark', entry.package)
  const day = new Date(entry.bindsAt).toISOString().slice(0, 10)
  await ports.store.commit(grant, criticalEvent(entry.package, 'add', 'computed', entry.why), async tx => {
    await tx.identity.setCritical(entry)
    await tellMaintainers(tx, ports, entry.package, entry.why, `on ${day}`)
  })
}

async function removeComputed(ports: Ports, name: PackageName): Promise<void> {
  const grant = await authorize(ports, { kind: 'system', id: 'critical' }, 'package:mark', name)
  await ports.store.commit(grant, criticalEvent(name, 'remove', 'computed', ''), tx =>
    tx.identity.removeCritical(name, 'computed'),
  )
}

/** A maintainer without a passkey learns it before npm refuses, and where to get one. */
async function tellMaintainers(
  tx: Tx,
  ports: Ports,
  name: PackageName,
  why: string,
  from: string,
): Promise<void> {
  const { publicUrl } = ports.config
  const lines = [
    `${name} is a critical package on ${publicUrl}: ${why}.`,
    '',
    `Beginning ${from} only accounts with a passkey may change it: a code of an authenticator can be phished.`,
    `Add a passkey: ${publicUrl}/account/security`,
  ]
  const holders = await tx.identity.listHolders(name)
  const to = holders
    .filter(each => each.role !== 'reader' && each.disabledAt === null)
    .map(each => each.email)
  await addLetters(tx, to, `${name} is a critical package – ${hostOf(publicUrl)}`, lines)
}

function criticalEvent(pkg: PackageName, op: 'add' | 'remove', source: CriticalSource, why: string) {
  return { type: 'critical', pkg, detail: { op, source, why } } as const
}
