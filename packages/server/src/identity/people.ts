// SPDX-License-Identifier: Apache-2.0
/** People at work: who may do what to a package, who is at risk, who leaves. */
import type { PackageName } from '@holdfast/core'
import type { PackageRole } from '../catalog/index.ts'
import type { InstanceRole, TfaMode } from './actor.ts'
import type { OrgMember, Token } from './port.ts'

/** Whether somebody who can act owns an organisation with these members. */
export function hasOwner(members: readonly OrgMember[]): boolean {
  return members.some(member => member.role === 'owner' && member.isActive)
}

/** Somebody with a role on a package, and how they came to it. */
export interface Holder {
  readonly accountId: string
  readonly login: string
  readonly email: string
  readonly role: PackageRole
  /** Empty for a role of one's own, else `acme` or `acme:team`. */
  readonly through: string
  readonly tfa: TfaMode
  readonly hasPasskey: boolean
  readonly disabledAt: number | null
}

/** An owner, and when they were last seen. */
export interface SeenOwner extends Holder {
  /** The last use of a session or token, or when the account was made. */
  readonly lastSeenAt: number
}

/** A package and its owner in their own name. */
export interface OwnerFacts extends SeenOwner {
  readonly package: PackageName
}

export interface PeopleReads {
  /** Accounts that are not switched off and have a role on the instance, with their confirmed addresses. */
  listStaff(): Promise<readonly { readonly email: string; readonly roles: readonly InstanceRole[] }[]>
  /** Everybody with a role, once for each way to it. */
  listHolders(name: PackageName): Promise<readonly Holder[]>
  /** Roles of one's own, without teams and organisations. */
  listOwnRoles(accountId: string): Promise<ReadonlyMap<PackageName, PackageRole>>
  /** Owners in their own name of these packages. */
  listOwnerFacts(names: readonly PackageName[]): Promise<readonly OwnerFacts[]>
  /** Who owns the packages in the scopes of these organisations through them. */
  listOrgOwnerFacts(orgs: readonly string[]): Promise<readonly SeenOwner[]>
  /** Trusted publishers that an account added, on whatever package. */
  listPublisherIdsBy(accountId: string): Promise<readonly string[]>
  /** Tokens of an account that skip the second factor and are good at `now`. */
  listSkippingTokens(accountIds: readonly string[], now: number): Promise<readonly Token[]>
}

export interface PeopleWrites {
  /** Makes others who change who runs this instance wait for the commit. */
  holdInstance(): Promise<void>
  setRoles(accountId: string, roles: readonly InstanceRole[]): Promise<void>
  setDisabled(accountId: string, at: number | null): Promise<void>
  /** Ends every session of an account and every wish that waits for it. */
  endPresence(accountId: string): Promise<void>
}
