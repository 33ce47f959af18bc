// SPDX-License-Identifier: Apache-2.0
import { parsePackageName, parseVersion } from '@holdfast/core'
import { decideHold, holdTargetMs, latenessOf, listHolds, readRescan } from '../flow/index.ts'
import { operator } from '../identity/index.ts'
import type { Ports } from '../main.ts'
import { type Arguments, UsageError } from './usage.ts'

/** `holdfast operator hold`: versions that wait for a person's look, and the two answers. */
export async function holdAct(
  ports: Ports,
  { values }: Arguments,
  [act, spec]: readonly string[],
): Promise<string | undefined> {
  if (act === 'list') return list(ports)
  const at = spec?.lastIndexOf('@') ?? -1
  if ((act !== 'release' && act !== 'confirm') || spec === undefined || at < 1)
    throw new UsageError('holdfast operator hold list, or hold release|confirm NAME@VERSION')
  const subject = { name: parsePackageName(spec.slice(0, at)), version: parseVersion(spec.slice(at + 1)) }
  await decideHold(ports, operator, act, subject, values['words'] ?? 'decided by the operator')
  return undefined
}

async function list(ports: Ports): Promise<string> {
  const now = ports.clock()
  const due = (heldAt: number) => new Date(heldAt + holdTargetMs).toISOString()
  const { left, due: waiting } = await readRescan(ports)
  const holds = (await listHolds(ports, operator)).map(each => {
    const why = each.fault || each.findings[0]?.why || 'no finding'
    const late = latenessOf(each, now)
    return `${each.package}@${each.version}\tdue ${due(each.heldAt ?? 0)}\t${late}\t${each.score}\t${why.replace(/\p{Cc}/gu, ' ')}`
  })
  const behind = left + waiting === 0 ? [] : [`${left} to screen again by newer rules, ${waiting} at all`]
  return [...holds, ...behind].join('\n')
}
