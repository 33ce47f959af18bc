// SPDX-License-Identifier: Apache-2.0
/** How fast a case is to be seen to. */
import type { Severity } from '../catalog/index.ts'
import type { CaseSummary } from './case.ts'

const hourMs = 3600_000

/** By when somebody takes a case on, and by when it is over, from its opening. */
export const caseTargets: Readonly<Record<Severity, { readonly takeMs: number; readonly closeMs: number }>> =
  {
    critical: { takeMs: hourMs, closeMs: 24 * hourMs },
    high: { takeMs: 4 * hourMs, closeMs: 72 * hourMs },
    moderate: { takeMs: 24 * hourMs, closeMs: 7 * 24 * hourMs },
    low: { takeMs: 72 * hourMs, closeMs: 30 * 24 * hourMs },
  }

/** What is due next; undefined for a closed case. */
export interface CaseClock {
  readonly step: 'take' | 'close'
  readonly dueAt: number
  readonly isLate: boolean
}

/** What of a case is due next, and whether it is late. */
export function clockOf(
  found: Pick<CaseSummary, 'state' | 'severity' | 'openedAt'>,
  now: number,
): CaseClock | undefined {
  if (found.state === 'closed') return undefined
  const { takeMs, closeMs } = caseTargets[found.severity]
  const step = found.state === 'draft' ? 'take' : 'close'
  const dueAt = found.openedAt + (step === 'take' ? takeMs : closeMs)
  return { step, dueAt, isLate: now > dueAt }
}
