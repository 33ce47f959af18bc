// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import { type Actor, authorize, may, randomId } from '../identity/index.ts'
import type { CaseSubject, CaseSummary, Holder, IncidentCase } from '../incident/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { noteLook, withNetwork } from './blast.ts'
import { tellStaffOf } from './letter.ts'

const holdersShown = 100
const casesLookedAt = 500

/** What the instance found by itself, for people to take on. */
export interface CaseDraft extends Pick<IncidentCase, 'kind' | 'title' | 'severity'> {
  /** Of one package. */
  readonly subjects: readonly CaseSubject[]
  /** What was found, in words. */
  readonly words: string
}

/** Opens a case inside a commit, or adds to the one of this kind and title that is not closed; says which it was. */
export async function openCase(
  tx: Tx,
  by: string,
  at: number,
  draft: CaseDraft,
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const { kind, title, severity, subjects, words } = draft
  await tx.incident.holdCases()
  const known = await tx.incident.findOpenCase(kind, title)
  const id = known ?? randomId('case-')
  if (known === undefined)
    await tx.incident.addCase({ id, kind, title, severity, state: 'draft', openedBy: by, openedAt: at })
  for (const subject of subjects) await tx.incident.addCaseSubject(id, subject)
  await tx.incident.addCaseNote(id, { at, by, words })
  const versions = subjects.flatMap(each => (each.version === '' ? [] : [each.version]))
  const op = known === undefined ? 'open' : 'note'
  const detail = { op, case: id, kind, severity, title, versions, why: words }
  const [first] = subjects
  tx.record({ type: 'case', ...(first === undefined ? {} : { pkg: first.package }), detail })
  return { id, isNew: known === undefined }
}

/** An open letter about a case to everybody who responds or operates. */
export async function tellOfCase(
  tx: Tx,
  ports: Pick<Ports, 'config'>,
  subject: string,
  caseId: string,
  lines: readonly string[],
): Promise<void> {
  const page = `${ports.config.publicUrl}/operate/cases/${caseId}`
  const about = ((await tx.incident.findCase(caseId))?.subjects ?? []).map(each => each.package)
  await tellStaffOf(tx, ports, about, subject, [...lines, '', `Who fetched what, and what happened: ${page}`])
}

/** When a person last closed a case of this title, 0 for never. */
export async function closedAt({ events }: Pick<Ports['store'], 'events'>, title: string): Promise<number> {
  const found = await events.search({ type: 'case' }, Number.MAX_SAFE_INTEGER, casesLookedAt)
  return found.find(({ detail }) => detail['op'] === 'close' && detail['title'] === title)?.at ?? 0
}

/** Cases for those who respond, operate or audit, newest first. */
export async function listCases(
  ports: Ports,
  actor: Actor,
  openedBefore: number,
  limit: number,
): Promise<readonly CaseSummary[]> {
  await authorize(ports, actor, 'instance:audit', '')
  return ports.store.incident.listCases(openedBefore, limit)
}

/** A case, how often what it is about was fetched, and by whom where whoever asks responds. */
export interface CaseView {
  readonly found: IncidentCase
  readonly fetches: number
  /** Empty for who does not respond: what people fetch is theirs. */
  readonly holders: readonly Holder[]
  readonly isCut: boolean
}

/** A case as somebody may see it; a look at who fetched what is on record. Throws `not-found`. */
export async function readCase(ports: Ports, actor: Actor, id: string): Promise<CaseView> {
  await authorize(ports, actor, 'instance:audit', '')
  const found = await ports.store.incident.findCase(id)
  if (found === undefined) throw problem('not-found')
  const { fetches } = await ports.store.blast.sumHolders(id)
  const isShown = fetches > 0 && (await may(ports, actor, 'incident:work', ''))
  const holders = isShown ? await listFirstHolders(ports, actor, id) : []
  return { found, fetches, holders: holders.slice(0, holdersShown), isCut: holders.length > holdersShown }
}

async function listFirstHolders(ports: Ports, actor: Actor, id: string): Promise<readonly Holder[]> {
  await noteLook(ports, await authorize(ports, actor, 'incident:work', ''), id, 'case')
  return (await ports.store.blast.listHolders(id, undefined, holdersShown + 1)).map(withNetwork)
}
