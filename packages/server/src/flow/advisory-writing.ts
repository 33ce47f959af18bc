// SPDX-License-Identifier: Apache-2.0
/** Advisories that are written here: by people who respond, and by what they confirmed. */
import { createHash } from 'node:crypto'
import { type PackageName, problem, type Version } from '@holdfast/core'
import type { OsvRecord, ReadRecord } from '../catalog/index.ts'
import { type Actor, authorize, randomText } from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import {
  type AdvisoryDraft,
  type AdvisoryTimes,
  formatOsv,
  parseAdvisoryDraft,
  readOsv,
} from '../vulnerability/index.ts'
import { provePresence } from './presence.ts'

/** What brings the records of this place, beside the names of feeds. */
export const ownFeed = 'this registry'
const shown = 500
const wordsLength = 4000

type Op = 'publish' | 'update' | 'withdraw'
type Known = Pick<Ports, 'clock' | 'store'>

/** Ids of what is written here begin with this: `x_` is what the schema keeps for private records. */
function ownPrefix({ store }: Pick<Ports, 'store'>): string {
  return `x_${store.instance.id}-`
}

/** Whether a record is one of this place: no feed may speak under its id. */
export function isOwnId(ports: Pick<Ports, 'store'>, id: string): boolean {
  return id.startsWith(ownPrefix(ports))
}

/** Publishes what somebody wrote, an OSV document without id and times; gives its id. Throws `advisory-invalid`. */
export async function publishAdvisory(ports: Ports, actor: Actor, document: unknown): Promise<string> {
  const id = `${ownPrefix(ports)}${randomText(12).toLowerCase()}`
  await write(ports, actor, 'publish', id, () => parseAdvisoryDraft(document))
  return id
}

/** Says something else under the same id. Throws `advisory-invalid`, `not-found`, `advisory-withdrawn`. */
export function updateAdvisory(ports: Ports, actor: Actor, id: string, document: unknown): Promise<void> {
  return write(ports, actor, 'update', id, () => parseAdvisoryDraft(document))
}

/** Takes one back: it stays readable, and counts no longer. Throws `not-found`, `advisory-withdrawn`. */
export function withdrawAdvisory(ports: Ports, actor: Actor, id: string, words = ''): Promise<void> {
  return write(ports, actor, 'withdraw', id, before =>
    withWords(draftOf(before), `Withdrawn: ${words}`, words),
  )
}

/** What is written here, the newest first, for those who respond, operate or audit. */
export async function listOwnAdvisories(ports: Ports, actor: Actor): Promise<readonly OsvRecord[]> {
  await authorize(ports, actor, 'instance:audit', '')
  const found = await ports.store.advisories.listByPrefix(ownPrefix(ports), shown)
  return found.toSorted((a, b) => b.modifiedAt - a.modifiedAt)
}

async function write(
  ports: Ports,
  actor: Actor,
  op: Op,
  id: string,
  say: (before: OsvRecord) => AdvisoryDraft,
): Promise<void> {
  const grant = await authorize(ports, actor, 'advisory:write', '')
  await provePresence(ports, grant)
  await ports.store.commit(grant, [], async tx => {
    const before = await findOwn(tx, ports, id)
    if (op !== 'publish' && before === undefined) throw problem('not-found')
    if (before !== undefined && before.withdrawnAt !== null) throw problem('advisory-withdrawn', { id })
    const none: OsvRecord = { id, text: '', feed: ownFeed, modifiedAt: 0, withdrawnAt: null }
    await keep(tx, ports, op, id, say(before ?? none), before)
  })
}

async function findOwn(tx: Tx, ports: Known, id: string): Promise<OsvRecord | undefined> {
  if (!isOwnId(ports, id)) return undefined
  return (await tx.advisories.listRecords([id]))[0]
}

/** Which versions were found to be malware; all of the package where none is named. */
export interface MalwareFound {
  readonly name: PackageName
  readonly versions: readonly Version[]
  /** What whoever confirmed it said; everybody reads it. */
  readonly words: string
}

/**
 * Says inside a commit that versions are malware, as a hold or a case confirmed it: in the one advisory that a package has for
 * that, which grows. Safe to say again. Gives its id.
 */
export async function adviseMalware(tx: Tx, ports: Known, found: MalwareFound): Promise<string> {
  const { name, words } = found
  const id = malwareId(ports, name)
  const record = await findOwn(tx, ports, id)
  const before = record?.withdrawnAt === null ? record : undefined
  const known = before === undefined ? undefined : draftOf(before)
  const [about] = known?.affected ?? []
  const isWhole = found.versions.length === 0 || (about !== undefined && about.versions.length === 0)
  const versions = isWhole ? [] : [...new Set([...(about?.versions ?? []), ...found.versions])]
  if (about !== undefined && versions.length === about.versions.length) return id
  const draft: AdvisoryDraft = {
    title: `Malware in ${name}`,
    details: known?.details ?? '',
    isMalware: true,
    severity: 'critical',
    vectors: [],
    cwe: [],
    aliases: [],
    references: [],
    affected: [{ name, versions, spans: [] }],
  }
  const said = withWords(draft, `${found.versions.join(', ') || 'All versions'}: ${words}`, words)
  await keep(tx, ports, record === undefined ? 'publish' : 'update', id, said, record)
  return id
}

/** Takes that back inside a commit, for versions that were let go; the last one withdraws the advisory. */
export async function clearMalware(
  tx: Tx,
  ports: Known,
  { name, versions, words }: MalwareFound,
): Promise<void> {
  const id = malwareId(ports, name)
  const record = await findOwn(tx, ports, id)
  if (record === undefined || record.withdrawnAt !== null) return
  const draft = draftOf(record)
  const [about] = draft.affected
  const left = about?.versions.filter(each => !versions.includes(each)) ?? []
  if (about === undefined || (versions.length > 0 && left.length === about.versions.length)) return
  const said = withWords(draft, `${versions.join(', ') || 'All versions'} let go: ${words}`, words)
  if (versions.length === 0 || left.length === 0) return keep(tx, ports, 'withdraw', id, said, record)
  await keep(tx, ports, 'update', id, { ...said, affected: [{ ...about, versions: left }] }, record)
}

function malwareId(ports: Known, name: PackageName): string {
  const digest = createHash('sha256').update(`malware ${name}`).digest('hex')
  return `${ownPrefix(ports)}m${digest.slice(0, 12)}`
}

function withWords(draft: AdvisoryDraft, line: string, words: string): AdvisoryDraft {
  if (words === '') return draft
  const details = [draft.details, line].filter(Boolean).join('\n\n').slice(-wordsLength)
  return { ...draft, details }
}

function draftOf({ text }: OsvRecord): AdvisoryDraft {
  return parseAdvisoryDraft(JSON.parse(text))
}

/** The same rows that a feed fills, and an entry of the log; whatever it is or was about is looked at anew. */
async function keep(
  tx: Tx,
  { clock }: Pick<Ports, 'clock'>,
  op: Op,
  id: string,
  draft: AdvisoryDraft,
  before: OsvRecord | undefined,
): Promise<void> {
  const at = clock()
  const text = formatOsv(id, draft, timesOf(op, before, at))
  const read = readOwn(text)
  const old = before === undefined ? [] : readOwn(before.text).advisories
  await tx.advisories.setRecords([read])
  const packages = new Set([...read.advisories, ...old].map(each => each.package))
  tx.record(writtenEvent(op, [...packages], id, text))
}

function timesOf(op: Op, before: OsvRecord | undefined, at: number): AdvisoryTimes {
  const publishedAt = before === undefined ? at : readOwn(before.text).advisories[0]?.publishedAt
  // Whoever follows takes the later of two.
  const modifiedAt = Math.max(at, (before?.modifiedAt ?? 0) + 1)
  return { publishedAt: publishedAt ?? at, modifiedAt, withdrawnAt: op === 'withdraw' ? modifiedAt : null }
}

function readOwn(text: string): ReadRecord {
  const reading = readOsv(JSON.parse(text))
  if (reading.kind === 'faulty') throw problem('advisory-invalid', { why: reading.why })
  const { id, modifiedAt, withdrawnAt, advisories } = reading
  if (advisories.length === 0) throw problem('advisory-invalid', { why: 'it is about no version' })
  return { record: { id, text, feed: ownFeed, modifiedAt, withdrawnAt }, advisories }
}

function writtenEvent(op: Op, packages: readonly PackageName[], advisory: string, text: string): NewEvent {
  const doc = `sha256-${createHash('sha256').update(text).digest('base64')}`
  return { type: 'advisory', fields: { op, advisory, doc }, detail: { packages } }
}
