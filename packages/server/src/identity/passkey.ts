// SPDX-License-Identifier: Apache-2.0
/** What passkeys ask of the store, and how an account with one counts. */
import type { TfaMode } from './actor.ts'

/** A WebAuthn credential of an account. */
export interface Passkey {
  /** The credential's id, base64url. */
  readonly id: string
  readonly accountId: string
  /** What its owner calls it. */
  readonly name: string
  /** The host name it was made for, and works at alone (WebAuthn's RP ID). */
  readonly rpId: string
  /** COSE public key, base64url. */
  readonly publicKey: string
  /** The authenticator's signature counter at its last use; 0 where it keeps none. */
  readonly counter: number
  /** How the browser reaches the authenticator: `internal`, `usb`, `hybrid`, … */
  readonly transports: readonly string[]
  /** Copied to its owner's other devices, so that losing one device does not lose it. */
  readonly backedUp: boolean
  readonly createdAt: number
  readonly lastUsedAt: number | null
}

export interface PasskeyReads {
  findPasskey(id: string): Promise<Passkey | undefined>
  /** Oldest first. */
  listPasskeys(accountId: string): Promise<readonly Passkey[]>
  /** Recovery codes that were not used yet. */
  countRecoveryCodes(accountId: string): Promise<number>
}

export interface PasskeyWrites {
  /** Makes others who change how this account signs in wait for the commit. */
  holdAccount(accountId: string): Promise<void>
  /** Throws `passkey-refused` when some account has it already. */
  addPasskey(passkey: Passkey): Promise<void>
  renamePasskey(id: string, name: string): Promise<void>
  /** Call after `holdAccount`: of two at once, the account knows what is left. */
  removePasskey(passkey: Pick<Passkey, 'id' | 'accountId'>): Promise<void>
}

/** Bookkeeping of uses. */
export interface PasskeyUpkeep {
  /**
   * Takes what the authenticator says of itself now; false unless its counter is higher than the last, or both are 0: a
   * copy, or a replay.
   */
  usePasskey(id: string, now: Pick<Passkey, 'counter' | 'backedUp'>, at: number): Promise<boolean>
  /** False when this challenge was used before; it is remembered until it would have ended anyway. */
  useChallenge(hash: string, expiresAt: number, now: number): Promise<boolean>
}

/** For which acts an account is asked for a second factor: a passkey is one, whatever else is enrolled. */
export function tfaModeOf(who: { readonly tfa: TfaMode; readonly hasPasskey: boolean }): TfaMode {
  return who.tfa === 'none' && who.hasPasskey ? 'auth-and-writes' : who.tfa
}
