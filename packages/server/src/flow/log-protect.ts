// SPDX-License-Identifier: Apache-2.0
/** What protected people before an older database was restored protects them again, as far as the log says what it was. */
import { isProblem, type PackageName, problem, type ReasonCode, type Version } from '@holdfast/core'
import { authorize, type InstanceRole, operator } from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { disableUser } from './leaver.ts'
import type { RecoveredEntry } from './log-recover.ts'
import { contain } from './measure.ts'
import { takeMeasure } from './respond.ts'
import { setInstanceRoles, setPackageRole } from './role.ts'
import { endToken } from './token.ts'

/** One line each: what is in force again, and what a person must look at. */
export interface Protected {
  readonly done: readonly string[]
  readonly left: readonly string[]
}

/** What a leaf holds that was proven to be in the log; which of it is there, its type says. */
interface RecoveredLeaf {
  readonly type: string
  readonly op: string
  readonly pkg?: PackageName
  readonly ver?: Version
  readonly scope?: string
  readonly team?: string
  readonly reason: ReasonCode
  readonly subject: string | { readonly kind: string; readonly id: string }
  readonly role: string
}

/** Takes again every protective act of the lost events that none of them undid: a restored database must bring nothing bad back. */
export async function protectAgain(ports: Ports, recovered: readonly RecoveredEntry[]): Promise<Protected> {
  const done: string[] = []
  const left: string[] = []
  for (const leaf of lastOfEach(recovered)) {
    const act = acts[`${leaf.type} ${leaf.op ?? ''}`.trim()]
    if (act === undefined) continue
    try {
      const what = await act(ports, leaf)
      if (what !== undefined) done.push(what)
    } catch (error) {
      if (!isProblem(error)) throw error
      // It is closed already, more tightly or alike.
      if (error.code !== 'wrong-status') left.push(`${describe(leaf)}: ${error.message}`)
    }
  }
  return { done, left }
}

/** Of acts that undo one another the last counts. */
function lastOfEach(recovered: readonly RecoveredEntry[]): readonly RecoveredLeaf[] {
  const last = new Map<string, RecoveredLeaf>()
  const frozen = new Map<string, number>()
  for (const { leaf } of recovered) {
    const read = leaf as object as RecoveredLeaf
    const key = keyOf(read)
    // Whoever lost the second factor is disabled all the same.
    if (read.type === 'account' && !switches.has(read.op)) continue
    const deep = (frozen.get(key) ?? 0) + (read.op === 'freeze' ? 1 : -1)
    if (read.type === 'freeze') frozen.set(key, Math.max(0, deep))
    // Another freeze holds it still.
    if (read.op === 'thaw' && deep > 0) continue
    last.delete(key)
    last.set(key, read)
  }
  return [...last.values()]
}

function keyOf(leaf: RecoveredLeaf): string {
  const { type, pkg, ver, scope, team, subject } = leaf
  return JSON.stringify([groups[type] ?? type, pkg, ver, scope, team, subject, grantOf(leaf)])
}

const groups: Readonly<Record<string, string>> = {
  hold: 'closed',
  quarantine: 'closed',
  release: 'closed',
  unyank: 'yank',
}
const switches: ReadonlySet<string> = new Set(['disable', 'enable', 'delete'])

/** Roles on the instance are held beside one another, those on a package in place of one another. */
function grantOf({ type, role }: RecoveredLeaf): string {
  return type === 'grant' ? role : ''
}

/** Says what is in force again; undefined where there was nothing to do. */
type Act = (ports: Ports, leaf: RecoveredLeaf) => Promise<string | undefined>

const words = 'as before the database was restored'

const closeAgain: Act = async (ports, leaf) => {
  await takeMeasure(ports, operator, 'quarantine', versionOf(leaf), { code: leaf.reason ?? 'other', words })
  return `${specOf(leaf)} is quarantined again`
}

const lookAtIt: Act = async () => {
  throw problem('measure-invalid', { why: 'the log does not say enough to do it again' })
}

const disableAgain: Act = async (ports, { subject }) => {
  const account = await ports.store.identity.findAccount(String(subject))
  if (account === undefined || account.disabledAt !== null) return undefined
  await disableUser(ports, operator, account.login)
  return `${account.login} is switched off again`
}

const acts: Readonly<Record<string, Act>> = {
  hold: closeAgain,
  quarantine: closeAgain,
  // Bytes that were to be gone are out of reach until a person removes them again.
  unpublish: closeAgain,
  yank: async (ports, leaf) => {
    await takeMeasure(ports, operator, 'yank', versionOf(leaf), { code: leaf.reason, words })
    return `${specOf(leaf)} is yanked again`
  },
  'freeze freeze': async (ports, { pkg, reason }) => {
    if (pkg === undefined) throw problem('measure-invalid', { why: 'the log does not say what was frozen' })
    const what = { kind: 'freeze', subject: `package:${pkg}` } as const
    await contain(ports, operator, { what, reason, words, incident: '', confirm: '' })
    return `${pkg} is frozen again, for four hours unless somebody confirms it`
  },
  'token-revoke': async (ports, { subject, reason }) => {
    const grant = await authorize(ports, operator, 'instance:operate', '')
    const why = reason === 'leaked' ? 'leaked' : 'request'
    const end = { isEnded: false }
    await ports.store.commit(grant, [], async tx => {
      end.isEnded = await endToken(tx, { id: String(subject) }, why, ports.clock())
    })
    return end.isEnded ? `token ${String(subject)} is revoked again` : undefined
  },
  'account disable': disableAgain,
  'account delete': disableAgain,
  'grant remove': async (ports, { subject, role }) => {
    const account = await findSubject(ports, subject)
    if (account === undefined || !account.roles.includes(role as InstanceRole)) return undefined
    await setInstanceRoles(
      ports,
      operator,
      account.login,
      account.roles.filter(each => each !== role),
    )
    return `${account.login} is no longer ${role}`
  },
  'owner remove': async (ports, { pkg, subject }) => {
    const account = await findSubject(ports, subject)
    if (account === undefined || pkg === undefined) throw problem('user-not-found', { user: idOf(subject) })
    if (!(await ports.store.identity.listOwnRoles(account.id)).has(pkg)) return undefined
    await setPackageRole(ports, operator, pkg, account.login, undefined)
    return `${account.login} has no role on ${pkg} any more`
  },
  'trusted-publisher remove': lookAtIt,
  'org remove': lookAtIt,
  'org robot-remove': lookAtIt,
  'org reader-remove': lookAtIt,
  'team remove': lookAtIt,
  'team drop': lookAtIt,
  'advisory publish': lookAtIt,
  'waiver end': lookAtIt,
  'key distrust': lookAtIt,
}

function versionOf({ pkg, ver }: RecoveredLeaf): { readonly name: PackageName; readonly version: Version } {
  if (pkg !== undefined && ver !== undefined) return { name: pkg, version: ver }
  throw problem('measure-invalid', { why: 'it was about all versions that were there' })
}

function findSubject({ store }: Ports, subject: RecoveredLeaf['subject']) {
  return store.identity.findAccount(idOf(subject))
}

function idOf(subject: RecoveredLeaf['subject']): string {
  return typeof subject === 'string' ? subject : subject.id
}

function specOf({ pkg, ver }: RecoveredLeaf): string {
  return `${pkg}@${ver}`
}

function describe({ type, op, pkg, ver, subject }: RecoveredLeaf): string {
  const about = pkg === undefined ? '' : ` of ${pkg}${ver === undefined ? '' : `@${ver}`}`
  const who = subject === undefined ? '' : ` (${idOf(subject)})`
  return `${type}${op === undefined ? '' : ` ${op}`}${about}${who}`
}
