// SPDX-License-Identifier: Apache-2.0
/** What identity asks of the store: accounts and how they prove themselves, organisations, teams. */
import type { PackageName } from '@holdfast/core'
import type { PackageRole } from '../catalog/index.ts'
import type { InstanceRole, TfaMode, TokenLimits } from './actor.ts'
import type { AddressReads, AddressWrites } from './address.ts'
import type { CriticalReads, CriticalWrites } from './critical-package.ts'
import type { MachineReads, MachineWrites } from './machine.ts'
import type { MailDomainReads, MailDomainWrites } from './mail-domain.ts'
import type { PasskeyReads, PasskeyUpkeep, PasskeyWrites } from './passkey.ts'
import type { PeopleReads, PeopleWrites } from './people.ts'
import type { RecoveryReads, RecoveryWrites } from './recovery.ts'
import type { ThrottleUpkeep } from './throttle.ts'
import type { TokenOrigin } from './token-life.ts'
import type { TokenNoticeReads, TokenNoticeWrites } from './token-notice.ts'

export interface Account {
  readonly id: string
  readonly login: string
  readonly email: string
  readonly emailVerifiedAt: number | null
  /** PHC string of argon2id, or null when the account has no password. */
  readonly passwordHash: string | null
  /** Since when it is known that others have seen this password: until it is changed nothing else can be done. */
  readonly passwordLeakedAt: number | null
  readonly roles: readonly InstanceRole[]
  readonly tfa: TfaMode
  /** Sealed TOTP seed while enrolled or enrolling. */
  readonly totpSealed: string | null
  /** Last time step that was accepted; an earlier or equal one is a replay. */
  readonly totpStep: number
  /** A second factor that cannot be phished. */
  readonly hasPasskey: boolean
  /** Free profile fields as npm shows them: fullname, homepage, … */
  readonly profile: { readonly [key: string]: string }
  readonly createdAt: number
  readonly disabledAt: number | null
}

export interface Session {
  readonly id: string
  readonly accountId: string
  readonly createdAt: number
  readonly expiresAt: number
  readonly lastSeenAt: number
  /** Until when dangerous acts need no new proof of presence. */
  readonly freshUntil: number
  /** Its last proof was a passkey: what critical packages want. */
  readonly byPasskey: boolean
  readonly address: string
  readonly client: string
}

export interface Token {
  /** `t_` and 16 hex characters; also npm's `key`. */
  readonly id: string
  /** What kind of id stands in `accountId`: of an account, of a robot, or of the publisher that let a CI job in. */
  readonly holder: 'account' | 'robot' | 'job'
  readonly accountId: string
  readonly name: string
  /** What its owner wrote beside the name; may be empty. */
  readonly description: string
  readonly origin: TokenOrigin
  /** The first characters of the secret, for people to recognise it. */
  readonly hint: string
  readonly limits: TokenLimits
  readonly createdAt: number
  readonly expiresAt: number | null
  readonly lastUsedAt: number | null
}

export interface Invitation {
  readonly email: string
  readonly roles: readonly InstanceRole[]
  readonly expiresAt: number
  readonly usedAt: number | null
}

/** A wish from the command line that a person grants in the browser: a login, or the presence for one operation. */
export interface Approval {
  readonly id: string
  readonly kind: 'login' | 'presence'
  /** What is asked for, in words of the command: `publish`, `dist-tag`, `login`. */
  readonly operation: string
  readonly subject: string
  /** Who must grant it; null for a login, which any account may take. */
  readonly accountId: string | null
  readonly state: 'waiting' | 'granted' | 'denied' | 'taken'
  /** Sealed secret that the poller gets once it is granted. */
  readonly tokenSealed: string | null
  readonly createdAt: number
  readonly expiresAt: number
  readonly address: string
  readonly client: string
}

export type OrgRole = 'owner' | 'admin' | 'developer'

export interface OrgMember {
  readonly accountId: string
  readonly login: string
  readonly role: OrgRole
  /** Can act: who is disabled keeps a place, but runs nothing. */
  readonly isActive: boolean
}

export interface TeamGrant {
  readonly package: PackageName
  readonly permission: 'read-only' | 'read-write'
}

/** A team with its right on one package. */
export interface TeamRight extends Pick<TeamGrant, 'permission'> {
  readonly org: string
  readonly team: string
  /** The team's, opaque. */
  readonly id: string
}

export interface IdentityReads
  extends AddressReads,
    RecoveryReads,
    MailDomainReads,
    CriticalReads,
    MachineReads,
    PasskeyReads,
    PeopleReads,
    TokenNoticeReads {
  findAccount(id: string): Promise<Account | undefined>
  /** Case-insensitive. */
  findAccountByLogin(login: string): Promise<Account | undefined>
  listAccounts(after: string, limit: number): Promise<readonly Account[]>
  countAccounts(): Promise<number>
  /** Whether anybody may run this instance from a browser. */
  hasOperator(): Promise<boolean>
  findSession(hash: string): Promise<Session | undefined>
  listSessions(accountId: string): Promise<readonly Session[]>
  /** A token that is neither revoked nor expired at `now`. */
  findToken(hash: string, now: number): Promise<Token | undefined>
  listTokens(accountId: string): Promise<readonly Token[]>
  /** Of everybody, people and machines, that nobody ended; made in a time. */
  listTokensMade(since: number, until: number): Promise<readonly Token[]>
  listSessionsMade(since: number, until: number): Promise<readonly Session[]>
  /** Id of the account, robot or publisher whose token this is and that nobody ended. */
  findTokenHolder(id: string): Promise<string | undefined>
  /** Whether somebody ended it before its time. */
  isTokenEnded(id: string): Promise<boolean>
  /** How many of a holder's tokens work at `now`. */
  countTokens(holderId: string, now: number): Promise<number>
  findInvitation(hash: string): Promise<Invitation | undefined>
  findApproval(hash: string): Promise<Approval | undefined>
  findApprovalByDone(hash: string): Promise<Approval | undefined>
  /** The strongest role an account has on a package: its own, through a team, or through the scope's organisation. */
  roleOn(accountId: string, name: PackageName): Promise<PackageRole | undefined>
  orgExists(org: string): Promise<boolean>
  listOrgsOf(accountId: string): Promise<ReadonlyMap<string, OrgRole>>
  orgRole(accountId: string, org: string): Promise<OrgRole | undefined>
  listOrgMembers(org: string): Promise<readonly OrgMember[]>
  /** The opaque id by which leaves name a team. */
  findTeamId(org: string, team: string): Promise<string | undefined>
  listTeams(org: string): Promise<readonly string[]>
  listTeamMembers(org: string, team: string): Promise<readonly string[]>
  listTeamGrants(org: string, team: string): Promise<readonly TeamGrant[]>
  /** Teams with a right on a package. */
  listTeamsOn(name: PackageName): Promise<readonly TeamRight[]>
  /** Failures on this counter since the window began. */
  countFailures(counter: string, sinceMs: number): Promise<{ count: number; oldestAt: number }>
}

export interface IdentityWrites
  extends AddressWrites,
    RecoveryWrites,
    MailDomainWrites,
    CriticalWrites,
    MachineWrites,
    PasskeyWrites,
    PeopleWrites,
    TokenNoticeWrites {
  addAccount(account: Account): Promise<void>
  /** A new password has not leaked. */
  setPassword(accountId: string, passwordHash: string | null): Promise<void>
  setPasswordLeaked(accountId: string, at: number): Promise<void>
  setProfile(accountId: string, profile: { readonly [key: string]: string }): Promise<void>
  setTfa(accountId: string, tfa: TfaMode, totpSealed: string | null): Promise<void>
  setRecoveryCodes(accountId: string, hashes: readonly string[]): Promise<void>
  /** False when it is unknown or was used before. */
  useRecoveryCode(accountId: string, hash: string): Promise<boolean>
  addSession(hash: string, session: Session): Promise<void>
  removeSession(id: string): Promise<void>
  addToken(hash: string, token: Token): Promise<void>
  /** False when it was ended before: of two who end it at once, one is told so. */
  revokeToken(id: string, at: number): Promise<boolean>
  addInvitation(hash: string, invitation: Invitation): Promise<void>
  /** False when it was used before. */
  useInvitation(hash: string, at: number): Promise<boolean>
  /** False when the approval is no longer in `from`. */
  moveApproval(
    id: string,
    from: Approval['state'],
    to: Approval['state'],
    tokenSealed: string | null,
  ): Promise<boolean>
  /** Makes others who want this name, for a user or an organisation, wait for the commit. */
  holdScope(name: string): Promise<void>
  addOrg(org: string, at: number): Promise<void>
  /** Makes others who change this organisation wait for the commit: what is asked afterwards stays true until then. */
  holdOrg(org: string): Promise<void>
  setOrgMember(org: string, accountId: string, role: OrgRole | undefined): Promise<void>
  addTeam(org: string, team: string, id: string): Promise<void>
  removeTeam(org: string, team: string): Promise<void>
  setTeamMember(org: string, team: string, accountId: string, member: boolean): Promise<void>
  setTeamGrant(
    org: string,
    team: string,
    name: PackageName,
    permission: TeamGrant['permission'] | undefined,
  ): Promise<void>
}

/**
 * Bookkeeping that nobody would need to prove: it has no event, and losing it harms no one.
 * Everything else goes through `commit`.
 */
export interface IdentityUpkeep extends PasskeyUpkeep, ThrottleUpkeep {
  /** False when this step or a later one was used before: a replay. */
  useTotpStep(accountId: string, step: number): Promise<boolean>
  refreshSession(id: string, lastSeenAt: number, freshUntil: number, byPasskey: boolean): Promise<void>
  setTokensUsed(ids: readonly string[], at: number): Promise<void>
  /** Remembers a wish; old ones are forgotten. */
  addApproval(hash: string, doneHash: string, approval: Approval): Promise<void>
  addFailure(counter: string, at: number): Promise<void>
  clearFailures(counter: string): Promise<void>
}
