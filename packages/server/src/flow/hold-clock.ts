// SPDX-License-Identifier: Apache-2.0
/**
 * The clock of holds that nobody decides. A version stays closed however long it takes: silence is no yes. But it is not quiet about
 * it: at the target those who respond hear of it again, after a day it is a case, and its owners are told, once each.
 */
import type { PackageName } from '@holdfast/core'
import type { Screening } from '../catalog/index.ts'
import { authorize } from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { openCase } from './case.ts'
import { addLetters, hostOf, tellStaff } from './letter.ts'
import { listOwners } from './trust.ts'

const hourMs = 3600_000
/** By when somebody should have looked. */
export const holdTargetMs: number = 4 * hourMs
/** From here on it is a case of those who operate, too. */
export const holdEscalationMs: number = 24 * hourMs

const keeper = { kind: 'system', id: 'holds' } as const
const aRound = 200
const named = 20

/** How late a hold is. */
export type HoldLateness = 'in-time' | 'late' | 'escalated'

/** Of an open hold, at a time. */
export function latenessOf({ heldAt }: Pick<Screening, 'heldAt'>, now: number): HoldLateness {
  const ageMs = now - (heldAt ?? now)
  if (ageMs >= holdEscalationMs) return 'escalated'
  return ageMs >= holdTargetMs ? 'late' : 'in-time'
}

/** A round of reminders, one letter for all that are as late; safe to run again, and at the same time elsewhere. */
export async function remindOfHolds(ports: Ports): Promise<void> {
  const now = ports.clock()
  await remind(ports, now - holdEscalationMs, 2, escalate)
  await remind(ports, now - holdTargetMs, 1, tellLate)
}

async function remind(
  ports: Ports,
  heldBefore: number,
  reminders: number,
  tell: (tx: Tx, ports: Ports, holds: readonly Screening[]) => Promise<void>,
): Promise<void> {
  const due = await ports.store.screening.listOverdue(heldBefore, reminders, aRound)
  if (due.length === 0) return
  const grant = await authorize(ports, keeper, 'version:contain', '')
  await ports.store.commit(grant, [], async tx => {
    const fresh: Screening[] = []
    for (const each of due)
      if (await tx.screening.noteReminder(each.package, each.version, reminders)) fresh.push(each)
    if (fresh.length > 0) await tell(tx, ports, fresh)
  })
}

async function tellLate(tx: Tx, ports: Ports, holds: readonly Screening[]): Promise<void> {
  await tellStaff(tx, ports, `${countOf(holds)} for more than four hours`, linesOf(ports, holds))
}

async function escalate(tx: Tx, ports: Ports, holds: readonly Screening[]): Promise<void> {
  const at = ports.clock()
  for (const [name, versions] of Map.groupBy(holds, each => each.package)) {
    const numbers = versions.map(each => each.version)
    await openCase(tx, keeper.id, at, {
      kind: 'hold-undecided',
      title: titleOf(name),
      severity: 'high',
      subjects: numbers.map(version => ({ package: name, version })),
      words: `${numbers.join(', ')} waits for a responder for more than a day, and stays closed`,
    })
    await tellOwners(tx, ports, versions)
  }
  await tellStaff(tx, ports, `${countOf(holds)} for more than a day`, [
    ...linesOf(ports, holds),
    'There is a case for each package: Operate → Cases.',
  ])
}

async function tellOwners(tx: Tx, { config }: Ports, [first, ...more]: readonly Screening[]): Promise<void> {
  if (first?.origin !== 'hosted') return
  const what = [first, ...more].map(each => `${each.package}@${each.version}`).join(', ')
  const to = (await listOwners(tx, first.package)).map(each => each.email)
  await addLetters(tx, to, `${what} still waits – ${hostOf(config.publicUrl)}`, [
    `${what} is held for a look since more than a day, and stays closed until somebody decides.`,
    '',
    'Those who run this registry were told, too. You hear how it ends.',
  ])
}

/** Somebody has decided: with the last version of a package the case that nobody did is over, unless more was found by now. */
export async function endUndecided(tx: Tx, name: PackageName, by: string, at: number): Promise<void> {
  await tx.incident.holdCases()
  const id = await tx.incident.findOpenCase('hold-undecided', titleOf(name))
  if (id === undefined || (await tx.screening.list(name)).some(each => each.hold === 'open')) return
  await tx.incident.setCaseState(id, 'closed')
  await tx.incident.addCaseNote(id, { at, by, words: 'decided' })
  const about = { kind: 'hold-undecided', severity: 'high', title: titleOf(name), why: 'decided' } as const
  tx.record({ type: 'case', pkg: name, detail: { op: 'close', case: id, ...about } })
}

function titleOf(name: PackageName): string {
  return `Nobody has decided about ${name}`
}

function countOf(holds: readonly Screening[]): string {
  const [first] = holds
  if (holds.length === 1 && first !== undefined) return `${first.package}@${first.version} is held`
  return `${holds.length} versions are held`
}

function linesOf({ config }: Ports, holds: readonly Screening[]): readonly string[] {
  const { publicUrl } = config
  return [
    'Nobody has decided yet. They stay closed until somebody does:',
    '',
    ...holds
      .slice(0, named)
      .map(
        each => `${each.package}@${each.version}: ${publicUrl}/operate/holds/${each.package}/${each.version}`,
      ),
    ...(holds.length > named ? [`and ${holds.length - named} more: ${publicUrl}/operate/holds`] : []),
    '',
  ]
}
