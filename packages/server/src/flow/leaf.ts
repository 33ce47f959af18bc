// SPDX-License-Identifier: Apache-2.0
/** Leaves about people and machines that several flows write: who has which right, by ids that name nobody. */
import type { PackageName } from '@holdfast/core'
import type { PackageRole } from '../catalog/index.ts'
import type { InstanceRole, OrgRole, TeamGrant } from '../identity/index.ts'
import type { LeafDocument, NewEvent } from '../integrity/index.ts'

/** Somebody or something with rights. */
export interface Subject {
  readonly kind: 'user' | 'team' | 'robot' | 'oidc'
  readonly id: string
}

type Detail = Readonly<Record<string, unknown>>

/** A right on one package begins, ends (`remove` says which it was) or becomes another. */
export function ownerEvent(
  pkg: PackageName,
  op: 'add' | 'remove' | 'role',
  subject: Subject,
  role: PackageRole | TeamGrant['permission'],
  detail: Detail = {},
): NewEvent {
  return { type: 'owner', pkg, fields: { op, subject: { ...subject }, role }, detail }
}

/** The subject that an account is. */
export function userOf(id: string): Subject {
  return { kind: 'user', id }
}

/** What happens in an organisation. */
export type OrgAct =
  | { readonly op: 'create' | 'member'; readonly subject: Subject; readonly role: OrgRole }
  | { readonly op: 'remove' | 'robot-add' | 'robot-remove'; readonly subject: Subject }
  | {
      readonly op: 'robot-token' | 'reader-add' | 'reader-remove'
      readonly subject: Subject
      readonly document: LeafDocument
    }

/** Who belongs to an organisation changes, and so who has rights on the packages of its scope. */
export function orgEvent(org: string, act: OrgAct, detail: Detail = {}): NewEvent {
  const { op, subject } = act
  const role = 'role' in act ? { role: act.role } : {}
  const config = 'document' in act ? { config: act.document.digest } : {}
  return {
    type: 'org',
    fields: { scope: `@${org}`, op, subject: { ...subject }, ...role, ...config },
    detail: { org, op, ...role, ...detail },
    ...('document' in act ? { document: act.document } : {}),
  }
}

/** The roles on the whole instance that somebody gets and loses, a leaf each. */
export function roleEvents(
  accountId: string,
  before: readonly InstanceRole[],
  now: readonly InstanceRole[],
): NewEvent[] {
  const event = (op: 'add' | 'remove', role: InstanceRole): NewEvent => ({
    type: 'grant',
    fields: { op, subject: { ...userOf(accountId) }, role },
    detail: { account: accountId, op, role },
  })
  return [
    ...now.filter(role => !before.includes(role)).map(role => event('add', role)),
    ...before.filter(role => !now.includes(role)).map(role => event('remove', role)),
  ]
}

/** What happened to a whole account that others should see in what it may do. */
export function accountEvent(
  accountId: string,
  op: 'mfa-reset' | 'recover' | 'disable' | 'enable' | 'delete',
  detail: Detail = {},
): NewEvent {
  return {
    type: 'account',
    fields: { op, subject: accountId },
    detail: { account: accountId, op, ...detail },
  }
}

/** What the machine's owner did in somebody else's name. */
export function operatorEvent(op: 'token' | 'recovery', subject: Subject, detail: Detail = {}): NewEvent {
  return { type: 'operator', fields: { op, subject: { ...subject } }, detail: { op, ...detail } }
}
