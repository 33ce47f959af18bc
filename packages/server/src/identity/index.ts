// SPDX-License-Identifier: Apache-2.0
export {
  type Actor,
  actorId,
  type Credential,
  type InstanceRole,
  isMachine,
  type Machine,
  nobody,
  operator,
  type TfaMode,
  type TokenCredential,
  type TokenLimits,
  type Whence,
} from './actor.ts'
export type { Address, AddressReads, AddressWrites } from './address.ts'
export { authorize, isRoleAtLeast, may, mayReadPublic } from './authorize.ts'
export { isCommonPassword } from './common-password.ts'
export type {
  CriticalPackage,
  CriticalReads,
  CriticalSource,
  CriticalWrites,
  Use,
} from './critical-package.ts'
export { noteDenial } from './denial.ts'
export { actsInDrill, drillMachine } from './drill.ts'
export { checkNotFrozen, closures } from './freeze.ts'
export type { Grant } from './grant.ts'
export { findIssuerKey } from './issuer-keys.ts'
export { type Claims, type JobFacts, readJobFacts } from './job-facts.ts'
export {
  audiencesOf,
  type JobToken,
  readKeyId,
  readUnverifiedIssuer,
  verifyJobToken,
} from './job-token.ts'
export { isSignedReport } from './leak-report.ts'
export { parseEmail, parseLogin } from './login-name.ts'
export {
  type Job,
  type JobDownload,
  letsIn,
  type MachineReads,
  type MachineWrites,
  type Robot,
  type TrustedReader,
} from './machine.ts'
export {
  type DomainFacts,
  domainOf,
  findLapse,
  type Lapse,
  type MailDomain,
  type MailDomainReads,
  type MailDomainWrites,
  type ProvenAddress,
} from './mail-domain.ts'
export { decideMfa, type Factor, type MfaException, type MfaFacts, type MfaVerdict } from './mfa-rule.ts'
export { isNetwork, isSameNetwork, neighbourhoodOf, networkList, networkOf, parseNetwork } from './network.ts'
export { type Operation, operations, type Rule } from './operation.ts'
export {
  type Passkey,
  type PasskeyReads,
  type PasskeyUpkeep,
  type PasskeyWrites,
  tfaModeOf,
} from './passkey.ts'
export { checkNewPassword, hashPassword, isPassword } from './password.ts'
export {
  type Holder,
  hasOwner,
  type OwnerFacts,
  type PeopleReads,
  type PeopleWrites,
  type SeenOwner,
} from './people.ts'
export { type Person, type PersonIdentity, toIdentity, toPerson } from './person.ts'
export type {
  Account,
  Approval,
  IdentityReads,
  IdentityUpkeep,
  IdentityWrites,
  Invitation,
  OrgMember,
  OrgRole,
  Session,
  TeamGrant,
  TeamRight,
  Token,
} from './port.ts'
export type { Recovery, RecoveryReads, RecoveryWay, RecoveryWrites } from './recovery.ts'
export { hashRecoveryCode, isRecoveryCode, makeRecoveryCodes } from './recovery-code.ts'
export { forbid, wordsOf } from './refusal.ts'
export type { Budget, ThrottleUpkeep } from './throttle.ts'
export { hashSecret, isToken, makeToken, randomId, randomText } from './token.ts'
export { dueNotice, type NoticeDays, noticeAheadMs, type TokenOrigin, tokenEnd } from './token-life.ts'
export type { EndingToken, TokenNoticeReads, TokenNoticeWrites } from './token-notice.ts'
export { findTotpStep, makeTotpSeed, totpAddress, totpCode } from './totp.ts'
export {
  explainMismatch,
  explainRest,
  findPublisher,
  type PublisherPermission,
  type PublisherRule,
  type TrustedPublisher,
} from './trusted-publisher.ts'
