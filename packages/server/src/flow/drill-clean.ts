// SPDX-License-Identifier: Apache-2.0
/** After a drill: versions, accounts, cases and measures of the sandbox end, and nothing else is touched. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { drillLogin, drillScope, isDrillName, type PackageName } from '@holdfast/core'
import { amend } from '../catalog/index.ts'
import { type Account, authorize, drillMachine, type Grant } from '../identity/index.ts'
import type { Drill } from '../incident/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { closeCase } from './case-close.ts'
import { upstreamNameOf } from './drill-upstream.ts'
import { accountEvent } from './leaf.ts'
import { endMeasures } from './measure.ts'
import { endTokensOf } from './token.ts'

const packagesPerCommit = 20
const casesLookedAt = 1000
const parts = ['victim', 'reader'] as const

/** Removes what a drill made, and says what stays. Safe to run again: what is gone already is left alone. */
export async function cleanUp(ports: Ports, drill: Drill): Promise<string> {
  const grant = await authorize(ports, drillMachine, 'drill:play', '')
  const people = await findPeople(ports, drill)
  // First: whoever is still under way is refused from here on.
  for (const each of people) await endAccount(ports, grant, each)
  const names = await listNames(ports)
  for (let from = 0; from < names.length; from += packagesPerCommit) {
    await removePackages(ports, grant, names.slice(from, from + packagesPerCommit))
    await nextTurn()
  }
  await closeUpstream(ports, grant, upstreamNameOf(drill))
  await closeCases(ports, drill)
  const about = [...people.map(each => each.id), ...(await listTokenIds(ports, people)), `${drillScope}/`]
  await endMeasures(
    ports,
    ({ subject }) => subject === `scope:${drillScope}` || about.some(each => subject.includes(each)),
  )
  return `the log keeps what it has of ${names.length} packages, whose names stay as tombstones; their bytes, the accounts and their tokens are of no use to anybody`
}

async function findPeople({ store }: Ports, { id }: Drill): Promise<readonly Account[]> {
  const found = await Promise.all(parts.map(each => store.identity.findAccountByLogin(drillLogin(id, each))))
  return found.filter(each => each !== undefined)
}

async function endAccount(ports: Ports, grant: Grant, { id, disabledAt }: Account): Promise<void> {
  if (disabledAt !== null) return
  const at = ports.clock()
  await ports.store.commit(grant, accountEvent(id, 'delete', { how: 'drill' }), async tx => {
    await tx.identity.holdAccount(id)
    await tx.identity.setDisabled(id, at)
    await endTokensOf(tx, id, at)
    await tx.identity.endPresence(id)
    await tx.habits.forgetHabits(id)
  })
}

async function listNames({ store }: Ports): Promise<readonly PackageName[]> {
  const left: PackageName[] = []
  for (const name of await store.catalog.listPackagesOfScope(drillScope))
    if (isDrillName(name) && (await store.catalog.findPackage(name))?.removedAt === null) left.push(name)
  return left
}

async function removePackages(ports: Ports, grant: Grant, names: readonly PackageName[]): Promise<void> {
  await ports.store.commit(grant, [], async tx => {
    for (const name of names) await removePackage(tx, ports, name)
  })
}

/** As its owner would take it back, also what is held: this is no evidence of anything. */
async function removePackage(tx: Tx, ports: Ports, name: PackageName): Promise<void> {
  const at = ports.clock()
  await amend(tx.catalog, name, at, async () => {
    for (const { version, status } of await tx.catalog.listKeptFacts(name)) {
      if (status === 'removed') continue
      await tx.catalog.setStatus(name, version, 'removed', 'a drill is over', at)
      await tx.screening.settle(name, version, 'released', drillMachine.id, at, 'a drill is over')
    }
    for (const tag of (await tx.catalog.listTags(name)).keys()) await tx.catalog.removeTag(name, tag)
    await tx.catalog.removePackage(name, at)
    tx.record({ type: 'unpublish', pkg: name })
  })
}

/** What came in of an upstream that is no more stays closed: else its absence would be found, as of any. */
async function closeUpstream(ports: Ports, grant: Grant, name: PackageName): Promise<void> {
  const { mirrors } = ports.store
  const measures = await mirrors.listMeasures(name)
  const isClosed = new Set(measures.filter(each => each.status === 'quarantined').map(each => each.version))
  const open = (await mirrors.listIngested(name)).filter(each => !isClosed.has(each.version))
  const reason = 'a drill is over'
  await ports.store.commit(grant, [], async tx => {
    for (const { version } of open) {
      const at = ports.clock()
      await tx.upstream.setMeasure(name, version, {
        package: name,
        version,
        status: 'quarantined',
        reason,
        at,
      })
      const about = {
        pkg: name,
        ver: version,
        fields: { reason: 'other' },
        detail: { words: reason },
      } as const
      tx.record({ type: 'quarantine', ...about })
    }
    if (open.length > 0) await tx.upstream.touchMirror(name)
  })
}

async function closeCases(ports: Ports, drill: Drill): Promise<void> {
  for (const { id } of await ports.store.incident.listOpenCases(casesLookedAt)) {
    const found = await ports.store.incident.findCase(id)
    const isOfDrill = found?.subjects.length !== 0 && found?.subjects.every(each => isDrillName(each.package))
    if (isOfDrill) await closeCase(ports, drillMachine, id, `the drill ${drill.id} is over`)
  }
}

async function listTokenIds({ store }: Ports, people: readonly Account[]): Promise<readonly string[]> {
  const all = await Promise.all(people.map(each => store.identity.listTokens(each.id)))
  return all.flat().map(each => each.id)
}
