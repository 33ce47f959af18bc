// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import type { Severity } from '../catalog/index.ts'
import { type Actor, authorize, may, randomId } from '../identity/index.ts'
import type { CaseKind, CaseSubject, CaseSummary, Holder, IncidentCase } from '../incident/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { noteLook, withNetwork } from './blast.ts'
import { type ClosedSubject, listClosedSubjects } from './let-go.ts'
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

/** What was found of packages that may have a case already: whoever looks at one needs all of it. */
const joining: ReadonlySet<CaseKind> = new Set([
  'hold-undecided',
  'report',
  'by-hand',
  'malware',
  'takedown',
  'upstream-fault',
])
const gravity: readonly Severity[] = ['low', 'moderate', 'high', 'critical']

/**
 * Opens a case inside a commit, or adds to the open one about its package, else to that of its kind and title. `isNews` says
 * whether it is new, or graver than it was: somebody should hear of it.
 */
export async function openCase(
  tx: Tx,
  by: string,
  at: number,
  draft: CaseDraft,
): Promise<{ readonly id: string; readonly isNews: boolean }> {
  const { kind, title, severity, subjects, words } = draft
  await tx.incident.holdCases()
  const known = (await findJoined(tx, draft)) ?? (await tx.incident.findOpenCase(kind, title))
  const isGraver = known !== undefined && (await raise(tx, known, draft))
  const id = known ?? randomId('case-')
  if (known === undefined)
    await tx.incident.addCase({ id, kind, title, severity, state: 'draft', openedBy: by, openedAt: at })
  await tx.incident.addCaseSubjects(id, subjects)
  await tx.incident.addCaseNote(id, { at, by, words })
  const versions = subjects.flatMap(each => (each.version === '' ? [] : [each.version]))
  const op = known === undefined ? 'open' : 'note'
  const detail = { op, case: id, kind, severity, title, versions, why: words }
  const [first] = subjects
  tx.record({ type: 'case', ...(first === undefined ? {} : { pkg: first.package }), detail })
  return { id, isNews: known === undefined || isGraver }
}

/** The open case about one of these packages; an upstream as a whole has one of its own. */
async function findJoined(tx: Tx, { kind, subjects }: CaseDraft): Promise<string | undefined> {
  if (!joining.has(kind) || (kind === 'upstream-fault' && subjects.some(each => each.version === '')))
    return undefined
  for (const name of new Set(subjects.map(each => each.package))) {
    const found = await tx.incident.findOpenCaseAbout(name)
    if (found !== undefined) return found
  }
  return undefined
}

/** The graver word counts; that nobody decided is nothing beside what was found, and its case becomes one of that. */
async function raise(tx: Tx, id: string, { kind, title, severity }: CaseDraft): Promise<boolean> {
  const before = await tx.incident.findCase(id)
  if (before === undefined) return false
  if (before.kind === 'hold-undecided' && kind !== before.kind) await tx.incident.renameCase(id, kind, title)
  if (gravity.indexOf(severity) <= gravity.indexOf(before.severity)) return false
  const room = await tx.incident.findRoom(id)
  return tx.incident.changeCase(id, room?.revision ?? 0, { severity, lead: room?.lead ?? '' })
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
  /** Versions it is about that people, reports or takedowns closed. */
  readonly quarantined: readonly ClosedSubject[]
}

/** A case as somebody may see it; a look at who fetched what is on record. Throws `not-found`. */
export async function readCase(ports: Ports, actor: Actor, id: string): Promise<CaseView> {
  await authorize(ports, actor, 'instance:audit', '')
  const found = await ports.store.incident.findCase(id)
  if (found === undefined) throw problem('not-found')
  const { fetches } = await ports.store.blast.sumHolders(id)
  const isShown = fetches > 0 && (await may(ports, actor, 'incident:work', ''))
  const holders = isShown ? await listFirstHolders(ports, actor, id) : []
  const quarantined = await listClosedSubjects(ports, found)
  const isCut = holders.length > holdersShown
  return { found, fetches, holders: holders.slice(0, holdersShown), isCut, quarantined }
}

async function listFirstHolders(ports: Ports, actor: Actor, id: string): Promise<readonly Holder[]> {
  await noteLook(ports, await authorize(ports, actor, 'incident:work', ''), id, 'case')
  return (await ports.store.blast.listHolders(id, undefined, holdersShown + 1)).map(withNetwork)
}
