// SPDX-License-Identifier: Apache-2.0
export { type Actor, actorId, type Credential, type InstanceRole, nobody, operator, type TfaMode, type TokenLimits } from './actor.ts'
export { authorize, may, mayReadPublic } from './authorize.ts'
export type { Grant } from './grant.ts'
export { type Operation, operations } from './operation.ts'
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
