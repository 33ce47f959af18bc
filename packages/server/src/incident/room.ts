// SPDX-License-Identifier: Apache-2.0
/** What people do about a case: who has which part, what is to be done, what is known of the attacker. */

/** Parts that people have in an incident beside its lead. */
export type IncidentRole = (typeof incidentRoles)[number]
/** All of them. */
export const incidentRoles = ['investigator', 'communications', 'scribe'] as const

export interface IncidentTask {
  /** 1, 2, 3 … in the order they were added. */
  readonly ordinal: number
  readonly words: string
  /** Of the playbook it came from; empty for one that somebody wrote. */
  readonly playbook: string
  /** Id of the account that did it; empty while nobody has. */
  readonly doneBy: string
  readonly doneAt: number | null
}

/** What an attacker is known by. */
export type IndicatorKind = (typeof indicatorKinds)[number]
/** All kinds. */
export const indicatorKinds = ['domain', 'address', 'url', 'hash', 'file', 'mail', 'other'] as const

export interface Indicator {
  readonly kind: IndicatorKind
  readonly value: string
  readonly by: string
  readonly at: number
}

export interface IncidentRoom {
  /** Id of the account that leads; empty until somebody takes it on. */
  readonly lead: string
  readonly takenAt: number | null
  /** Counts changes of lead and severity: whoever changes them says which they saw. */
  readonly revision: number
  readonly roles: readonly { readonly role: IncidentRole; readonly person: string }[]
  readonly tasks: readonly IncidentTask[]
  readonly indicators: readonly Indicator[]
}
