// SPDX-License-Identifier: Apache-2.0
import type { NamePattern } from '@holdfast/core'

export type InstanceRole = 'operator' | 'responder' | 'auditor'

/** What a token may at most do, whoever holds it. Empty lists mean no limit of that kind only where said. */
export interface TokenLimits {
  /** `stage-only` reads, and stages versions that somebody else approves. */
  readonly permission: 'read-only' | 'stage-only' | 'read-write'
  /** Names it may touch; undefined means all the account may. */
  readonly packages?: readonly NamePattern[]
  /** Organisations it may manage; undefined means all the account may, an empty list none. */
  readonly orgs?: readonly string[]
  /** Networks it works from, in CIDR form; undefined means any. */
  readonly cidr?: readonly string[]
  /** A machine's: the organisations whose restricted packages it reads. */
  readonly readsOrgs?: readonly string[]
  /** Skips the second factor on writes. */
  readonly bypassTfa: boolean
  /** Made by somebody who proved a second factor, or by the operator; what a password alone made is asked for one. */
  readonly withFactor?: boolean
  /** Skips it by the word of the machine's owner, not of its account. */
  readonly byOperator?: boolean
}

/** A token somebody came in with. */
export interface TokenCredential {
  readonly kind: 'token'
  readonly id: string
  readonly limits: TokenLimits
  readonly expiresAt: number | null
}

/** How a person came in. */
export type Credential =
  | {
      readonly kind: 'session'
      readonly id: string
      readonly freshUntil: number
      /** Its last proof was a passkey; what does not say so was not. */
      readonly byPasskey?: boolean
    }
  | TokenCredential
  | { readonly kind: 'password' }

/** Where a request came from, and the second factor it carried. */
export interface Whence {
  readonly address: string
  readonly client: string
  /** What `npm-otp` said: digits, a recovery code, or a web approval's token. */
  readonly otp?: string
  /** The client can open a page and poll (`npm-auth-type: web`). */
  readonly web: boolean
}

/** Who acts. */
export type Actor =
  | { readonly kind: 'nobody'; readonly from: Whence }
  | {
      readonly kind: 'person'
      readonly id: string
      readonly login: string
      readonly roles: readonly InstanceRole[]
      /** The mail address was proven; without it nothing can be done for others. */
      readonly verified: boolean
      readonly tfa: TfaMode
      /** The account has a second factor that cannot be phished. */
      readonly hasPasskey: boolean
      /** Others have seen the password: it must be changed before anything else. */
      readonly mustChangePassword?: true
      readonly credential: Credential
      readonly from: Whence
    }
  /** A CI job, by the token it got for its identity; named after the publisher that let it in. */
  | {
      readonly kind: 'job'
      readonly id: string
      readonly credential: TokenCredential
      readonly from: Whence
    }
  /** A machine that belongs to an organisation, by a token that its owners made. */
  | {
      readonly kind: 'robot'
      readonly id: string
      readonly name: string
      readonly credential: TokenCredential
      readonly from: Whence
    }
  /** The machine's owner, with the data folder at hand. */
  | { readonly kind: 'operator' }
  | { readonly kind: 'system'; readonly id: string }

/** Which acts of an account ask for a second factor. */
export type TfaMode = 'none' | 'auth-only' | 'auth-and-writes'

/** Somebody without credentials, from nowhere in particular. */
export const nobody: Actor = { kind: 'nobody', from: { address: '', client: '', web: false } }
/** The machine's owner at the command line. */
export const operator: Actor = { kind: 'operator' }

/** Whether a machine acts with its own token: it reads and publishes within its limits, and nothing else. */
export function isMachine(actor: Pick<Actor, 'kind'>): actor is Machine {
  return actor.kind === 'job' || actor.kind === 'robot'
}

/** A CI job or a robot. */
export type Machine = Extract<Actor, { kind: 'job' | 'robot' }>

/** What of an actor says who it is. */
type Named =
  | { readonly kind: 'nobody' | 'operator' }
  | { readonly kind: 'person' | 'job' | 'robot' | 'system'; readonly id: string }

/** The opaque id that an event or a line of the log names. */
export function actorId(actor: Named): string {
  switch (actor.kind) {
    case 'person':
    case 'job':
    case 'robot':
    case 'system':
      return actor.id
    case 'operator':
      return 'operator'
    case 'nobody':
      return ''
  }
}
