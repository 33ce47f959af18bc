// SPDX-License-Identifier: Apache-2.0
/** How a name changes hands when its owner does not simply add somebody: who must say what, and when it takes effect. */
import { type PackageName, problem } from '@holdfast/core'

/** `granted` waits for the asker's word, `waiting` for its time; the others are over. */
export type TransferState = 'asked' | 'granted' | 'waiting' | 'done' | 'refused' | 'stopped'

/** The wish of somebody to have a name, and what became of it. */
export interface NameTransfer {
  /** `nt_` and random letters. */
  readonly id: string
  readonly package: PackageName
  readonly askedBy: string
  readonly askedAt: number
  readonly reason: string
  readonly state: TransferState
  /** What an owner said; empty while none did. */
  readonly answer: '' | 'yes' | 'no'
  /** Until when owners have the time to answer. */
  readonly answerBy: number
  /** Ids of the responders who granted it. */
  readonly grantedBy: readonly string[]
  /** When it takes effect; null while that is not set. */
  readonly effectAt: number | null
}

const dayMs = 24 * 3600_000
/** The times of the process, in days: the policy on naming disputes says the same. */
export const transferDays = { answer: 14, wait: 7 } as const
const maxReason = 2000

/** A wish that was just uttered. Throws `invalid-body`. */
export function beginTransfer(
  asked: Pick<NameTransfer, 'id' | 'package' | 'askedBy'>,
  reason: string,
  now: number,
): NameTransfer {
  const words = reason.replaceAll('\0', '').toWellFormed().trim().slice(0, maxReason)
  if (words === '') throw problem('invalid-body', { why: 'it says no reason' })
  const answerBy = now + transferDays.answer * dayMs
  return {
    ...asked,
    reason: words,
    askedAt: now,
    answerBy,
    state: 'asked',
    answer: '',
    grantedBy: [],
    effectAt: null,
  }
}

/** True until it is over. */
export function isOpenTransfer({ state }: NameTransfer): boolean {
  return state === 'asked' || state === 'granted' || state === 'waiting'
}

/** An owner's answer, the first or another. Throws `transfer-step`. */
export function answerTransfer(told: NameTransfer, answer: 'yes' | 'no'): NameTransfer {
  check(told.state === 'asked', told, 'it was decided already')
  return { ...told, answer }
}

/** A responder's grant: one is enough where an owner agreed or stayed silent, two where one said no. Throws `transfer-step`. */
export function grantTransfer(told: NameTransfer, by: string, now: number): NameTransfer {
  check(isOpenTransfer(told), told, 'it is over')
  check(told.answer !== '' || now >= told.answerBy, told, 'its owner still has time to answer')
  check(by !== told.askedBy, told, 'nobody grants their own wish')
  check(!told.grantedBy.includes(by), told, 'you granted it already: another responder is needed')
  const grantedBy = [...told.grantedBy, by]
  const isEnough = grantedBy.length >= (told.answer === 'no' ? 2 : 1)
  return { ...told, grantedBy, state: told.state === 'asked' && isEnough ? 'granted' : told.state }
}

/** A responder's no. Throws `transfer-step`. */
export function refuseTransfer(told: NameTransfer): NameTransfer {
  check(isOpenTransfer(told), told, 'it is over')
  return { ...told, state: 'refused' }
}

/** The asker takes it: from now on the clock runs. Throws `transfer-step`. */
export function confirmTransfer(told: NameTransfer, now: number): NameTransfer {
  check(told.state === 'granted', told, 'it is not granted')
  return { ...told, state: 'waiting', effectAt: now + transferDays.wait * dayMs }
}

/** An owner stops it, unless two responders agreed; responder and asker may always. Throws `transfer-step`. */
export function stopTransfer(told: NameTransfer, who: 'owner' | 'responder' | 'asker'): NameTransfer {
  check(isOpenTransfer(told), told, 'it is over')
  check(who !== 'owner' || told.grantedBy.length < 2, told, 'two responders agreed to it')
  return { ...told, state: 'stopped' }
}

/** Its time has come. Throws `transfer-step`. */
export function finishTransfer(told: NameTransfer, now: number): NameTransfer {
  check(told.state === 'waiting' && now >= (told.effectAt ?? now + 1), told, 'its time has not come')
  return { ...told, state: 'done' }
}

function check(holds: boolean, told: NameTransfer, why: string): void {
  if (!holds) throw problem('transfer-step', { name: told.package, why })
}
