// SPDX-License-Identifier: Apache-2.0
/** What people report: nothing counts before its mailbox is proven, and all about one package is one case. */
import { createHash } from 'node:crypto'
import { type PackageName, problem, tokenPattern, type Version } from '@holdfast/core'
import type { Severity } from '../catalog/index.ts'
import {
  type Account,
  type Actor,
  actorId,
  authorize,
  type Grant,
  hashSecret,
  parseEmail,
  parseLogin,
  randomId,
  randomText,
  type Whence,
} from '../identity/index.ts'
import { isTrusted, type Report, type ReporterRecord, type ReportKind } from '../incident/index.ts'
import type { Letter, Ports, Tx } from '../ports.ts'
import { type CaseDraft, openCase, tellOfCase } from './case.ts'
import { book } from './guess.ts'
import { revokePosted } from './leak.ts'
import { hostOf, secretLetter, takeLetter } from './letter.ts'
import { answerMiss, takeTurn } from './limit.ts'
import { provePresence } from './presence.ts'
import { weighReports } from './report-weight.ts'

const linkValidMs = 24 * 3600_000
const reportsAtOnce = 20
const lettersPerMailbox = 5
const casesTold = 20
const textLength = 4000

/** What is reported, as it comes: a package, one version of it, or an account. */
export interface Reported {
  readonly package?: PackageName
  readonly version?: Version
  readonly login?: string
  readonly kind: ReportKind
  readonly words: string
  readonly evidence: string
}

/**
 * Takes a report. That of somebody signed in counts at once; everybody else names a mailbox and gets a letter with a link
 * that makes it count. Throws `invalid-body`, `invalid-email`, `invalid-login`, `email-unverified`, `rate-limited`.
 */
export async function makeReport(
  ports: Ports,
  actor: Actor,
  from: Whence,
  reported: Reported,
  email: string,
): Promise<Report> {
  const grant = await authorize(ports, actor, 'report:make', '')
  if (actor.kind === 'person' && !actor.verified) throw problem('email-unverified')
  const mailbox = actor.kind === 'nobody' ? parseEmail(email).toLowerCase() : ''
  const report = await readReport(ports, reported, from, reporterOf(actor, mailbox), mailbox)
  await takeTurn(ports, 'report', from.address, reportsAtOnce)
  if (actor.kind !== 'nobody') {
    await book(ports, [{ counter: `report ${report.reporter}`, allowed: reportsAtOnce }])
    return join(ports, grant, { ...report, state: 'waiting' }, tx => tx.reports.add(report, ''))
  }
  // Silently: a refusal would tell that others write to this mailbox.
  const isSent = await takeLetter(ports, `report ${report.reporter}`, lettersPerMailbox)
  const secret = randomText(32)
  const event = { type: 'report', detail: { op: 'ask', report: report.id, kind: report.kind } } as const
  if (isSent)
    await ports.store.commit(grant, event, async tx => {
      await tx.reports.dropWaiting(ports.clock() - linkValidMs)
      await tx.reports.add(report, hashLink(secret))
      await tx.mail.add(confirmLetter(ports, report, secret))
    })
  return report
}

/** The report behind the link of a letter. Throws `report-link-invalid`. */
export async function readReportLink(ports: Ports, secret: string, from: Whence): Promise<Report> {
  const found = await ports.store.reports.findBySecret(hashLink(secret))
  if (found !== undefined && found.madeAt > ports.clock() - linkValidMs) return found
  throw await answerMiss(ports, 'link', from.address, problem('report-link-invalid'))
}

/** Whoever reads the mailbox says that the report is theirs: from now on it counts. Throws `report-link-invalid`. */
export async function confirmReport(ports: Ports, secret: string, from: Whence): Promise<Report> {
  const found = await readReportLink(ports, secret, from)
  const grant = await authorize(ports, { kind: 'nobody', from }, 'report:make', '')
  // One person is one reporter, signed in or not.
  const account = await findProven(ports, found.mailbox)
  const reporter = account === undefined ? found.reporter : `account ${account.id}`
  return join(ports, grant, { ...found, reporter }, async () => {})
}

/** A report that counts joins the case of its subject, or opens one, and may close the version by itself. */
async function join(
  ports: Ports,
  grant: Grant,
  report: Report,
  before: (tx: Tx) => Promise<void>,
): Promise<Report> {
  const record = await ports.store.reports.record(report.reporter)
  const known = await findCase(ports.store.incident, report)
  const isTold = known === undefined && (await takeLetter(ports, 'reports to staff', casesTold))
  const at = ports.clock()
  const words = wordsOf(report, record)
  const incident = await ports.store.commit(grant, [], async tx => {
    await before(tx)
    await tx.incident.holdCases()
    const { id, isNews } = await openCase(tx, 'reports', at, draftOf(report, record, words))
    if (!(await tx.reports.count(report.id, report.reporter, id))) throw problem('report-link-invalid')
    tx.record({
      type: 'report',
      detail: { op: 'count', report: report.id, kind: report.kind, case: id, reporter: report.reporter },
    })
    if (isNews && isTold) await tellOfCase(tx, ports, titleOf(report), id, [`${titleOf(report)}: ${words}.`])
    return id
  })
  const counted = { ...report, incident, state: 'open' } as const
  // A crash here leaves a report that counts, and a person to look: the next report weighs it again.
  await weighReports(ports, counted)
  return counted
}

function draftOf(report: Report, record: ReporterRecord, words: string): CaseDraft {
  const isGrave = isTrusted(record) && report.kind === 'malware'
  return {
    kind: 'report',
    title: titleOf(report),
    severity: isGrave ? 'critical' : severities[report.kind],
    subjects: report.package === '' ? [] : [{ package: report.package, version: report.version }],
    words,
  }
}

function findCase(
  incident: Pick<Tx['incident'], 'findOpenCase' | 'findOpenCaseAbout'>,
  report: Report,
): Promise<string | undefined> {
  if (report.package !== '') return incident.findOpenCaseAbout(report.package)
  return incident.findOpenCase('report', titleOf(report))
}

const severities: Readonly<Record<ReportKind, Severity>> = {
  malware: 'high',
  'look-alike': 'moderate',
  'dependency-confusion': 'high',
  secret: 'high',
  impersonation: 'moderate',
  spam: 'low',
  other: 'low',
}

/** A stranger's words stay with the report: events are kept for good, and this is what they say. */
function wordsOf(report: Report, record: ReporterRecord): string {
  const who = record.isMarked || isTrusted(record) ? 'a trusted reporter' : 'a reporter'
  const past = `right ${record.confirmed} and wrong ${record.dismissed} times before`
  return `${describeSubject(report)} was reported (${report.kind}) by ${who}, ${past}`
}

function titleOf(report: Report): string {
  return report.package === '' ? `the account ${report.login} is reported` : `${report.package} is reported`
}

/** `left-pad@1.3.0`, `left-pad`, `the account ann`. */
export function describeSubject(report: Pick<Report, 'package' | 'version' | 'login'>): string {
  if (report.package === '') return `the account ${report.login}`
  return report.version === '' ? report.package : `${report.package}@${report.version}`
}

/** Whole tokens are ended, and stand nowhere: a report is read by several people. */
async function readReport(
  ports: Ports,
  reported: Reported,
  from: Whence,
  reporter: string,
  mailbox: string,
): Promise<Report> {
  const { package: name, version, kind } = reported
  const login = name === undefined ? parseLogin(reported.login ?? '') : ''
  const found = `${reported.words}\n${reported.evidence}`.match(new RegExp(tokenPattern, 'g')) ?? []
  if (found.length > 0) await revokePosted(ports, [...new Set(found)], from.address)
  const words = clean(reported.words)
  if (words === '') throw problem('invalid-body', { why: 'it does not say what is wrong' })
  return {
    id: randomId('rep_'),
    package: name ?? '',
    version: name === undefined ? '' : (version ?? ''),
    login,
    kind,
    words,
    evidence: clean(reported.evidence),
    reporter,
    mailbox,
    incident: '',
    state: 'waiting',
    madeAt: ports.clock(),
  }
}

function clean(text: string): string {
  const said = text.replaceAll('\0', '').toWellFormed().replace(new RegExp(tokenPattern, 'g'), '(a token)')
  return said.trim().slice(0, textLength)
}

function reporterOf(actor: Actor, mailbox: string): string {
  return actor.kind === 'nobody' ? reporterOfMailbox(mailbox) : `account ${actorId(actor)}`
}

/** `ann+anything@…` is one mailbox: nobody is two reporters by a plus sign. */
function reporterOfMailbox(mailbox: string): string {
  const plain = mailbox.toLowerCase().replace(/\+[^@]*@/, '@')
  return `mailbox ${createHash('sha256').update(plain).digest('hex')}`
}

async function findProven({ store }: Ports, mailbox: string): Promise<Account | undefined> {
  return store.identity.findAccountByEmail(mailbox)
}

/** Only names that were parsed: what strangers write goes to no mailbox that they choose. */
function confirmLetter(ports: Ports, report: Report, secret: string): Letter {
  const { publicUrl } = ports.config
  return secretLetter(report.mailbox, `Confirm your report – ${hostOf(publicUrl)}`, [
    'Hello,',
    '',
    `somebody with this address reported ${describeSubject(report)} on ${publicUrl}.`,
    'If that was you, open this link within a day: only then it counts, and you hear how it ended.',
    `${publicUrl}/report/confirm/${secret}`,
    '',
    'If it was not, there is nothing to do: it counts for nothing.',
  ])
}

function hashLink(secret: string): string {
  return hashSecret(`report ${secret}`)
}

/** Somebody who reported, for those who respond. */
export interface NamedReporter extends ReporterRecord {
  /** User name; empty for a mailbox, of which only a digest is kept. */
  readonly login: string
  readonly isTrusted: boolean
}

const reportersShown = 200

/** Reporters and what became of what they said. */
export async function listReporters(ports: Ports, actor: Actor): Promise<readonly NamedReporter[]> {
  await authorize(ports, actor, 'instance:audit', '')
  const records = await ports.store.reports.listRecords(reportersShown)
  return Promise.all(records.map(each => nameReporter(ports, each)))
}

async function nameReporter({ store }: Ports, record: ReporterRecord): Promise<NamedReporter> {
  const [kind, id = ''] = record.reporter.split(' ')
  const account = kind === 'account' ? await store.identity.findAccount(id) : undefined
  return { ...record, login: account?.login ?? '', isTrusted: isTrusted(record) }
}

/** Marks somebody as trusted, or takes that back; `who` is a user name or a mail address. Throws `not-found`. */
export async function markReporter(
  ports: Ports,
  actor: Actor,
  who: string,
  isMarked: boolean,
): Promise<void> {
  const grant = await authorize(ports, actor, 'version:contain', '')
  await provePresence(ports, grant)
  const reporter = await findReporter(ports, who)
  const event = { type: 'report', detail: { op: isMarked ? 'trust' : 'untrust', reporter } } as const
  await ports.store.commit(grant, event, tx => tx.reports.setMarked(reporter, isMarked))
}

async function findReporter(ports: Ports, who: string): Promise<string> {
  if (/^(account a_[0-9a-f]{16}|mailbox [0-9a-f]{64})$/.test(who)) return who
  const account = who.includes('@')
    ? await findProven(ports, parseEmail(who))
    : await ports.store.identity.findAccountByLogin(parseLogin(who))
  if (account !== undefined) return `account ${account.id}`
  if (who.includes('@')) return reporterOfMailbox(who)
  throw problem('not-found')
}

/** The reports of a case with what is known of those who made them, for those who respond, operate or audit. */
export async function listCaseReports(
  ports: Ports,
  actor: Actor,
  incident: string,
): Promise<readonly (Report & { readonly by: NamedReporter })[]> {
  await authorize(ports, actor, 'instance:audit', '')
  const reports = await ports.store.reports.ofCase(incident)
  return Promise.all(
    reports.map(async each => ({
      ...each,
      by: await nameReporter(ports, await ports.store.reports.record(each.reporter)),
    })),
  )
}
