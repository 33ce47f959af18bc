// SPDX-License-Identifier: Apache-2.0
export {
  type Actor,
  actorId,
  type Credential,
  type InstanceRole,
  nobody,
  operator,
  type TfaMode,
  type TokenLimits,
  type Whence,
} from './actor.ts'
export { authorize, may, mayReadPublic } from './authorize.ts'
export type { Grant } from './grant.ts'
export { parseEmail, parseLogin } from './login-name.ts'
export { isNetwork, networkList, parseNetwork } from './network.ts'
export { type Operation, operations, type Rule } from './operation.ts'
export { checkNewPassword, hashPassword, isPassword } from './password.ts'
export { type Person, toPerson } from './person.ts'
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
  Token,
} from './port.ts'
export { hashRecoveryCode, isRecoveryCode, makeRecoveryCodes } from './recovery-code.ts'
export { hashSecret, isToken, makeToken, randomId, randomText } from './token.ts'
export { findTotpStep, makeTotpSeed, totpAddress, totpCode } from './totp.ts'
