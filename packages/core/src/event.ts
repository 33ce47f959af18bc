// SPDX-License-Identifier: Apache-2.0

/** Who an event is for: the public transparency log, or the private record of this instance. */
export type EventAudience = 'log' | 'record'

interface EventRow {
  readonly audience: EventAudience
}

const forLog: EventRow = { audience: 'log' }
const forRecord: EventRow = { audience: 'record' }

/** The type of everything that can happen. Types for the log are the leaf types of the log's format. */
export type EventType =
  | 'publish'
  | 'unpublish'
  | 'yank'
  | 'unyank'
  | 'deprecate'
  | 'ingest'
  | 'dist-tag'
  | 'owner'
  | 'trusted-publisher'
  | 'policy'
  | 'advisory'
  | 'quarantine'
  | 'release'
  | 'token-revoke'
  | 'account'
  | 'key'
  | 'trust-root'
  | 'access'
  | 'account-change'
  | 'account-create'
  | 'case'
  | 'critical'
  | 'denied'
  | 'download-flush'
  | 'grant'
  | 'hold'
  | 'hosted-names'
  | 'invite'
  | 'operator'
  | 'org'
  | 'session-create'
  | 'session-end'
  | 'sign-in-failed'
  | 'stage'
  | 'star'
  | 'team'
  | 'token-create'
  | 'upstream-fault'
  | 'waiver'

/** For whom each event is. People's addresses never enter the log, since it cannot forget. */
export const eventTable: Readonly<Record<EventType, EventRow>> = {
  publish: forLog,
  unpublish: forLog,
  yank: forLog,
  unyank: forLog,
  deprecate: forLog,
  ingest: forLog,
  'dist-tag': forLog,
  owner: forLog,
  'trusted-publisher': forLog,
  policy: forLog,
  advisory: forLog,
  quarantine: forLog,
  release: forLog,
  'token-revoke': forLog,
  account: forLog,
  key: forLog,
  'trust-root': forLog,
  access: forRecord,
  'account-change': forRecord,
  'account-create': forRecord,
  case: forRecord,
  critical: forRecord,
  denied: forRecord,
  'download-flush': forRecord,
  grant: forRecord,
  hold: forRecord,
  'hosted-names': forRecord,
  invite: forRecord,
  operator: forRecord,
  org: forRecord,
  'session-create': forRecord,
  'session-end': forRecord,
  'sign-in-failed': forRecord,
  stage: forRecord,
  star: forRecord,
  team: forRecord,
  'token-create': forRecord,
  'upstream-fault': forRecord,
  waiver: forRecord,
}

/** Every reason that may stand in a log leaf: codes, not prose. */
export const reasonCodes = [
  'security',
  'malware',
  'broken',
  'legal',
  'leaked',
  'policy',
  'request',
  'other',
] as const

/** Why a version was yanked, quarantined or released, or a token revoked. */
export type ReasonCode = (typeof reasonCodes)[number]
