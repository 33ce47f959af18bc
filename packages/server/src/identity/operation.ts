// SPDX-License-Identifier: Apache-2.0
import type { PackageRole } from '../catalog/index.ts'
import type { InstanceRole } from './actor.ts'
import type { OrgRole } from './port.ts'

/** Whom an operation asks for. `signed-in` is any verified account; `machine` a CI job; `self` the account it is about; `instance` takes any one of its roles; `anyone` needs no account. */
export type Needs =
  | { readonly on: 'package'; readonly role: PackageRole }
  | { readonly on: 'name' }
  | { readonly on: 'org'; readonly role: OrgRole }
  | { readonly on: 'instance'; readonly roles: readonly InstanceRole[] }
  | { readonly on: 'self' }
  | { readonly on: 'machine' }
  | { readonly on: 'signed-in' }
  | { readonly on: 'anyone' }

export interface Rule {
  readonly needs: Needs
  /** The least a token must allow: `read`, `stage` versions, `write` to packages, `manage` people and organisations, or `never`. */
  readonly token: 'read' | 'stage' | 'write' | 'manage' | 'never'
  /** Asks for a second factor where the account or the package wants one on writes. */
  readonly presence: boolean
  /** Only a touch of a passkey proves presence: no code, and no token that skips the second factor. */
  readonly passkey?: true
  /** What a CI job may do of it with its token; nothing when not said. */
  readonly machine?: 'read' | 'stage' | 'publish'
}

/** Who may do what: the whole table. `authorize` is the only reader. */
export const operations = {
  'package:read': {
    needs: { on: 'package', role: 'reader' },
    token: 'read',
    presence: false,
    machine: 'read',
  },
  'package:create': { needs: { on: 'name' }, token: 'write', presence: true, machine: 'publish' },
  // A trusted publisher for a name that is not there yet.
  'name:trust': { needs: { on: 'name' }, token: 'manage', presence: true },
  'package:publish': {
    needs: { on: 'package', role: 'maintainer' },
    token: 'write',
    presence: true,
    machine: 'publish',
  },
  // Presence is proved by whoever approves: jobs stage.
  'package:stage': {
    needs: { on: 'package', role: 'maintainer' },
    token: 'stage',
    presence: false,
    machine: 'stage',
  },
  // Whoever may publish may look at what waits, with a token that may stage at least.
  'package:review': { needs: { on: 'package', role: 'maintainer' }, token: 'stage', presence: false },
  'package:approve': {
    needs: { on: 'package', role: 'maintainer' },
    token: 'write',
    presence: true,
    passkey: true,
  },
  'package:reject': { needs: { on: 'package', role: 'maintainer' }, token: 'write', presence: true },
  'package:tag': { needs: { on: 'package', role: 'maintainer' }, token: 'write', presence: true },
  'package:deprecate': { needs: { on: 'package', role: 'triager' }, token: 'write', presence: true },
  'package:yank': { needs: { on: 'package', role: 'owner' }, token: 'write', presence: true },
  'package:unpublish': { needs: { on: 'package', role: 'owner' }, token: 'write', presence: true },
  'package:own': { needs: { on: 'package', role: 'owner' }, token: 'manage', presence: true },
  'package:access': { needs: { on: 'package', role: 'owner' }, token: 'manage', presence: true },
  'package:trust': { needs: { on: 'package', role: 'owner' }, token: 'manage', presence: true },
  'package:star': { needs: { on: 'package', role: 'reader' }, token: 'read', presence: false },
  // What somebody wants to hear of; the right to read is asked each time that something is told.
  'account:watch': { needs: { on: 'self' }, token: 'read', presence: false },
  // Nobody's but the machine's own: bytes come in because somebody may read them.
  'package:ingest': { needs: { on: 'instance', roles: [] }, token: 'never', presence: false },
  // The sequencer's: what a checkpoint covers becomes visible.
  'log:publish': { needs: { on: 'instance', roles: [] }, token: 'never', presence: false },
  'version:contain': { needs: { on: 'instance', roles: ['responder'] }, token: 'never', presence: true },
  // Closing takes one responder and opening again two; whoever maintains a package may close it for writes.
  'measure:take': { needs: { on: 'instance', roles: ['responder'] }, token: 'manage', presence: true },
  'measure:lapse': { needs: { on: 'instance', roles: [] }, token: 'never', presence: false },
  'package:freeze': { needs: { on: 'package', role: 'maintainer' }, token: 'write', presence: true },
  // What is known to be bad, in this registry's own words.
  'advisory:write': { needs: { on: 'instance', roles: ['responder'] }, token: 'manage', presence: true },
  // A rehearsal touches nothing outside its sandbox, and everybody who responds hears of it.
  'drill:run': {
    needs: { on: 'instance', roles: ['operator', 'responder'] },
    token: 'manage',
    presence: true,
  },
  // What the instance does in one, and afterwards to clean up.
  'drill:play': { needs: { on: 'instance', roles: [] }, token: 'never', presence: false },
  // Nothing comes of it before the mailbox is proven.
  'report:make': { needs: { on: 'anyone' }, token: 'read', presence: false },
  'incident:read': {
    needs: { on: 'instance', roles: ['auditor', 'operator', 'responder'] },
    token: 'read',
    presence: false,
  },
  // Lines, tasks and roles of an incident: nothing that closes or opens a version.
  'incident:work': { needs: { on: 'instance', roles: ['responder'] }, token: 'manage', presence: false },
  'incident:close': { needs: { on: 'instance', roles: ['responder'] }, token: 'manage', presence: true },
  'package:mark': {
    needs: { on: 'instance', roles: ['operator', 'responder'] },
    token: 'never',
    presence: true,
  },
  // Each package is asked about as whoever asks.
  'policy:preview': { needs: { on: 'signed-in' }, token: 'read', presence: false },
  'policy:keep': {
    needs: { on: 'instance', roles: ['operator', 'responder'] },
    token: 'manage',
    presence: true,
  },
  'waiver:ask': { needs: { on: 'signed-in' }, token: 'read', presence: false },
  'waiver:decide': { needs: { on: 'instance', roles: ['responder'] }, token: 'never', presence: true },
  'policy:read': {
    needs: { on: 'instance', roles: ['auditor', 'operator', 'responder'] },
    token: 'never',
    presence: false,
  },
  // What is submitted decides of what its owner is told: a token that only reads must not take that away.
  'project:submit': { needs: { on: 'self' }, token: 'write', presence: false },
  'project:read': { needs: { on: 'self' }, token: 'read', presence: false },
  'project:tell': { needs: { on: 'instance', roles: [] }, token: 'never', presence: false },
  'org:submit': { needs: { on: 'org', role: 'developer' }, token: 'write', presence: false },
  'org:create': { needs: { on: 'signed-in' }, token: 'never', presence: true },
  'org:read': { needs: { on: 'org', role: 'developer' }, token: 'read', presence: false },
  'org:manage': { needs: { on: 'org', role: 'admin' }, token: 'manage', presence: true },
  'org:own': { needs: { on: 'org', role: 'owner' }, token: 'manage', presence: true },
  'account:create': { needs: { on: 'anyone' }, token: 'read', presence: false },
  // Its token is the proof, checked before: who has none gets none.
  'job:enter': { needs: { on: 'machine' }, token: 'never', presence: false },
  'session:create': { needs: { on: 'self' }, token: 'never', presence: false },
  'account:read': { needs: { on: 'self' }, token: 'read', presence: false },
  'account:password': { needs: { on: 'self' }, token: 'manage', presence: true },
  'account:change': { needs: { on: 'self' }, token: 'manage', presence: true },
  'account:recover': { needs: { on: 'anyone' }, token: 'read', presence: false },
  'account:assist': {
    needs: { on: 'instance', roles: ['operator', 'responder'] },
    token: 'never',
    presence: true,
  },
  'account:delete': { needs: { on: 'self' }, token: 'never', presence: true },
  // Without a proven address one must still be able to correct a mistyped one.
  'account:address': { needs: { on: 'self' }, token: 'never', presence: true },
  'account:sign-out': { needs: { on: 'self' }, token: 'read', presence: false },
  'token:create': { needs: { on: 'self' }, token: 'manage', presence: true },
  'token:revoke': { needs: { on: 'self' }, token: 'read', presence: false },
  'instance:operate': { needs: { on: 'instance', roles: ['operator'] }, token: 'never', presence: true },
  'transfer:ask': { needs: { on: 'signed-in' }, token: 'manage', presence: false },
  'transfer:decide': { needs: { on: 'instance', roles: ['responder'] }, token: 'never', presence: true },
  // What everybody is told while something goes on.
  'status:announce': {
    needs: { on: 'instance', roles: ['operator', 'responder'] },
    token: 'never',
    presence: true,
  },
  // Every entry of the log, whatever package it names.
  'log:read': {
    needs: { on: 'instance', roles: ['auditor', 'operator', 'responder'] },
    token: 'read',
    presence: false,
  },
  'instance:audit': {
    needs: { on: 'instance', roles: ['auditor', 'operator', 'responder'] },
    token: 'never',
    presence: false,
  },
} as const satisfies Record<string, Rule>

export type Operation = keyof typeof operations
