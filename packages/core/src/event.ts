// SPDX-License-Identifier: Apache-2.0
import {
  configuredName,
  count,
  distTag,
  documentDigest,
  findFieldFault,
  hexDigest,
  integrity,
  type LeafFields,
  listOf,
  namePattern,
  oneOf,
  opaqueId,
  orEmpty,
  outsideId,
  packageName,
  predicateType,
  recordOf,
  scope,
  time,
  version,
} from './leaf-field.ts'

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

/** Who an event is for: the public transparency log, or the private record of this instance. */
export type EventAudience = 'log' | 'record'

/** For whom an event is; of one for the log everything that its leaf says beside what all leaves say. */
export type EventRow =
  | { readonly audience: 'log'; readonly fields: LeafFields }
  | { readonly audience: 'record' }

function forLog(fields: LeafFields): EventRow {
  return { audience: 'log', fields }
}

const forRecord: EventRow = { audience: 'record' }

const pkg = packageName
const ver = version
const reason = { ...oneOf(...reasonCodes), words: 'reason code' }
const dist = recordOf('`integrity`, `size`, `manifest`', { integrity, size: count, manifest: documentDigest })
const upstreamDist = recordOf('`integrity`, `size`', { integrity, size: count })
const attestation = recordOf('`type`, `sha256`', { type: predicateType, sha256: hexDigest })
const subject = recordOf('`kind` and `id`', { kind: oneOf('user', 'team', 'robot', 'oidc'), id: opaqueId })
const ofVersion = { pkg, ver, reason }
const ofVersions = { pkg, 'ver?': ver, reason }

/** The type of everything that can happen. */
export type EventType =
  | 'publish'
  | 'unpublish'
  | 'yank'
  | 'unyank'
  | 'deprecate'
  | 'dist-tag'
  | 'stage'
  | 'approve'
  | 'ingest'
  | 'upstream-changed'
  | 'hold'
  | 'quarantine'
  | 'release'
  | 'freeze'
  | 'waiver'
  | 'owner'
  | 'access'
  | 'trusted-publisher'
  | 'org'
  | 'team'
  | 'grant'
  | 'account'
  | 'token-revoke'
  | 'operator'
  | 'hosted-names'
  | 'policy'
  | 'advisory'
  | 'key'
  | 'trust-root'
  | 'account-change'
  | 'account-create'
  | 'announcement'
  | 'approval'
  | 'assessment'
  | 'blast'
  | 'case'
  | 'checkpoint'
  | 'critical'
  | 'denied'
  | 'download-flush'
  | 'drill'
  | 'invite'
  | 'measure'
  | 'project'
  | 'policy-page'
  | 'review'
  | 'report'
  | 'screening'
  | 'session-create'
  | 'session-end'
  | 'sign-in-failed'
  | 'star'
  | 'token-create'
  | 'transfer'
  | 'upstream-fault'
  | 'waiver-ask'
  | 'watch'

/**
 * For whom each event is, and of those for the log the fields of their leaves (docs/log-leaves.md says what they mean).
 * People's names and addresses, and free text, never enter the log, since it cannot forget.
 */
export const eventTable: Readonly<Record<EventType, EventRow>> = {
  publish: forLog({ pkg, ver, dist, 'attest?': listOf(attestation, 16) }),
  unpublish: forLog({ pkg, 'ver?': ver }),
  yank: forLog(ofVersion),
  unyank: forLog(ofVersion),
  deprecate: forLog({ pkg, ver, msg: orEmpty(documentDigest, 'no longer') }),
  'dist-tag': forLog({ pkg, tag: distTag, ver: orEmpty(ver, 'removed') }),
  stage: forLog({ pkg, ver, op: oneOf('add', 'reject', 'expire'), 'dist?': dist }),
  approve: forLog({ pkg, ver }),
  ingest: forLog({
    pkg,
    ver,
    upstream: configuredName,
    dist: upstreamDist,
    signature: oneOf('verified', 'unverified', 'broken', 'missing', 'no-keys'),
  }),
  'upstream-changed': forLog({ pkg, ver, upstream: configuredName, first: integrity, 'now?': integrity }),
  hold: forLog(ofVersion),
  quarantine: forLog(ofVersions),
  release: forLog(ofVersions),
  freeze: forLog({ 'pkg?': pkg, op: oneOf('freeze', 'thaw'), reason }),
  waiver: forLog({ pkg, ver, op: oneOf('grant', 'end'), waiver: opaqueId, until: time }),
  owner: forLog({
    pkg,
    op: oneOf('add', 'remove', 'role'),
    subject,
    role: oneOf('owner', 'maintainer', 'triager', 'reader', 'read-only', 'read-write'),
  }),
  access: forLog({
    pkg,
    access: oneOf('public', 'restricted'),
    tfa: oneOf('none', 'unless-bypassed', 'always'),
    'approvals?': count,
  }),
  'trusted-publisher': forLog({
    'pkg?': pkg,
    op: oneOf('add', 'change', 'remove'),
    config: documentDigest,
  }),
  org: forLog({
    scope,
    op: oneOf(
      'create',
      'member',
      'remove',
      'robot-add',
      'robot-remove',
      'robot-token',
      'reader-add',
      'reader-remove',
    ),
    subject,
    'role?': oneOf('owner', 'admin', 'developer'),
    'config?': documentDigest,
  }),
  team: forLog({
    scope,
    team: opaqueId,
    op: oneOf('create', 'remove', 'add', 'drop'),
    'subject?': subject,
  }),
  grant: forLog({ op: oneOf('add', 'remove'), subject, role: oneOf('operator', 'responder', 'auditor') }),
  account: forLog({
    op: oneOf('mfa-reset', 'recover', 'disable', 'enable', 'delete'),
    subject: opaqueId,
  }),
  'token-revoke': forLog({ subject: opaqueId, reason }),
  operator: forLog({
    'pkg?': pkg,
    op: oneOf('token', 'recovery', 'import', 'erase'),
    'subject?': subject,
    'config?': documentDigest,
  }),
  'hosted-names': forLog({ op: oneOf('add', 'remove'), pattern: namePattern }),
  policy: forLog({
    'pkg?': pkg,
    op: oneOf('set', 'keep', 'renew', 'raise', 'lower', 'hold', 'source-add', 'source-remove'),
    'config?': documentDigest,
  }),
  advisory: forLog({
    op: oneOf('publish', 'update', 'withdraw', 'load'),
    'advisory?': outsideId,
    'count?': count,
    doc: documentDigest,
  }),
  key: forLog({
    op: oneOf('add', 'retire', 'distrust'),
    use: oneOf('npm', 'log', 'tuf'),
    keyid: outsideId,
    'since?': time,
  }),
  'trust-root': forLog({
    role: oneOf('root', 'targets', 'snapshot', 'timestamp'),
    version: count,
    sha256: hexDigest,
  }),
  'account-change': forRecord,
  'account-create': forRecord,
  announcement: forRecord,
  approval: forRecord,
  assessment: forRecord,
  blast: forRecord,
  case: forRecord,
  checkpoint: forRecord,
  critical: forRecord,
  denied: forRecord,
  'download-flush': forRecord,
  drill: forRecord,
  invite: forRecord,
  measure: forRecord,
  project: forRecord,
  'policy-page': forRecord,
  review: forRecord,
  report: forRecord,
  screening: forRecord,
  'session-create': forRecord,
  'session-end': forRecord,
  'sign-in-failed': forRecord,
  star: forRecord,
  'token-create': forRecord,
  transfer: forRecord,
  'upstream-fault': forRecord,
  'waiver-ask': forRecord,
  watch: forRecord,
}

const commonFields = new Set(['v', 'log', 'id', 'at', 'type', 'actor', 'seq', 'prev'])

/** Why a leaf is not what the table says of its type; what all leaves have in common is not looked at. */
export function findLeafFault(leaf: Readonly<Record<string, unknown>>): string | undefined {
  const { type } = leaf
  const isKnown = typeof type === 'string' && Object.hasOwn(eventTable, type)
  const row = isKnown ? eventTable[type as EventType] : undefined
  if (row?.audience !== 'log') return 'its type is not known'
  const own = Object.entries(leaf).filter(([name]) => !commonFields.has(name))
  return findFieldFault(row.fields, Object.fromEntries(own))
}
