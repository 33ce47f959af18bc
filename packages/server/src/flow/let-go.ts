// SPDX-License-Identifier: Apache-2.0
/** What reports, takedowns or a person's look at a hold closed, and no measure does, is let go by two people. */
import { type PackageName, problem, type Version } from '@holdfast/core'
import { type Actor, actorId, authorize } from '../identity/index.ts'
import type { CaseSubject, IncidentCase } from '../incident/index.ts'
import type { StoredEvent } from '../integrity/index.ts'
import type { Ports } from '../ports.ts'
import { provePresence } from './presence.ts'
import { takeGranted } from './respond.ts'

/** A version of a case that is quarantined. */
export interface ClosedSubject extends CaseSubject {
  readonly version: Version
  /** User name of who asks that it be let go; empty while nobody does. */
  readonly askedBy: string
  /** A measure closes it, and its end opens it. */
  readonly isOfMeasure: boolean
}

/** What a case is about and is quarantined now. */
export async function listClosedSubjects(
  { store }: Ports,
  { subjects }: IncidentCase,
): Promise<readonly ClosedSubject[]> {
  const found: ClosedSubject[] = []
  for (const [name, named] of Map.groupBy(subjects, each => each.package)) {
    const decided = [
      ...(await store.catalog.listKeptFacts(name)),
      ...(await store.mirrors.listMeasures(name)),
    ]
    const closed = new Set(decided.flatMap(each => (each.status === 'quarantined' ? [each.version] : [])))
    if (closed.size === 0) continue
    const closing = await store.measures.listClosing(name)
    const events = await store.events.ofPackage(name)
    for (const { version } of named) {
      if (version === '' || !closed.has(version)) continue
      const asker = findAsker(events, version)
      const askedBy = asker === '' ? '' : ((await store.identity.findAccount(asker))?.login ?? asker)
      found.push({ package: name, version, askedBy, isOfMeasure: closing.has(version) })
    }
  }
  return found
}

/**
 * Lets a version of a case go where somebody else asked for it; else asks. Throws `not-found` where the case has none such,
 * `measure-needs-second`.
 */
export async function letGo(
  ports: Ports,
  actor: Actor,
  id: string,
  subject: { readonly name: PackageName; readonly version: Version },
): Promise<'asked' | 'released'> {
  await provePresence(ports, await authorize(ports, actor, 'measure:take', ''))
  return letGoProven(ports, actor, id, subject, '')
}

/** As `letGo`, of somebody who was found to be there; with words for whoever agrees. */
export async function letGoProven(
  ports: Ports,
  actor: Actor,
  id: string,
  { name, version }: { readonly name: PackageName; readonly version: Version },
  words: string,
): Promise<'asked' | 'released'> {
  const grant = await authorize(ports, actor, 'measure:take', '')
  const found = await ports.store.incident.findCase(id)
  const closed = (found === undefined ? [] : await listClosedSubjects(ports, found)).find(
    each => each.package === name && each.version === version,
  )
  if (found === undefined || closed === undefined) throw problem('not-found')
  const by = actorId(actor)
  const asker = findAsker(await ports.store.events.ofPackage(name), version)
  if (asker === by) throw problem('measure-needs-second', { why: 'you asked for it already' })
  if (asker !== '' || closed.isOfMeasure) {
    await takeGranted(ports, grant, 'release', { name, version }, { code: 'other', words: `case ${id}` })
    return 'released'
  }
  const why = `asks that ${name}@${version} be let go: somebody else has to agree${words && `. ${words}`}`
  const { kind, severity, title } = found
  const detail = { op: 'work', case: id, kind, severity, title, why, release: version }
  await ports.store.commit(grant, { type: 'case', pkg: name, detail }, async tx => {
    await tx.incident.addCaseNote(id, { at: ports.clock(), by, words: why })
  })
  return 'asked'
}

/** Who asked since it was last closed; empty for nobody. */
function findAsker(events: readonly StoredEvent[], version: Version): string {
  const last = events.findLast(
    ({ type, ver, detail }) =>
      (ver === version && (type === 'quarantine' || type === 'release')) ||
      (type === 'case' && detail['release'] === version),
  )
  return last?.type === 'case' ? last.actorId : ''
}
