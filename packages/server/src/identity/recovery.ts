// SPDX-License-Identifier: Apache-2.0
/** Recoveries: ways back into an account whose owner lost what they sign in with. */

/** Who opened the way: a mailbox of the account, two of the staff, or the machine's owner. */
export type RecoveryWay = 'mail' | 'staff' | 'operator'

/** One recovery, from its beginning to its end. */
export interface Recovery {
  readonly id: string
  readonly accountId: string
  readonly way: RecoveryWay
  /** `proposed` waits for a second member of the staff; `waiting` may be finished from `readyAt` on. */
  readonly state: 'proposed' | 'waiting' | 'done' | 'cancelled'
  /** The mailbox that was proven, or the new one that the staff will write to. */
  readonly email: string
  /** Whether the second factor goes: it was not shown, so it counts as lost. */
  readonly dropsFactors: boolean
  /** Who proposed it, or empty. */
  readonly openedBy: string
  readonly beganAt: number
  readonly readyAt: number
  readonly expiresAt: number
}

export interface RecoveryReads {
  /** By the secret that finishes it. */
  findRecovery(hash: string): Promise<Recovery | undefined>
  /** By the secret that cancels it. */
  findRecoveryToCancel(hash: string): Promise<Recovery | undefined>
  getRecovery(id: string): Promise<Recovery | undefined>
  /** Neither finished nor cancelled, of one account or of all, oldest first. */
  listOpenRecoveries(now: number, accountId?: string): Promise<readonly Recovery[]>
}

export interface RecoveryWrites {
  addRecovery(cancelHash: string, recovery: Recovery): Promise<void>
  /** The secret that finishes it; an earlier one is void. */
  setRecoverySecret(id: string, hash: string): Promise<void>
  /** When it can be finished, and until when. */
  setRecoveryTimes(id: string, readyAt: number, expiresAt: number): Promise<void>
  /** False when the recovery is no longer in `from`: of two at once one moves it. */
  moveRecovery(id: string, from: Recovery['state'], to: Recovery['state']): Promise<boolean>
}
