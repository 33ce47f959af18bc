// SPDX-License-Identifier: Apache-2.0
export { covers, groupAliases, mergeAliases, patchedRange, readCovered } from './advisory.ts'
export type {
  AdvisoryRows,
  AdvisoryWrites,
  Feed,
  OsvRecord,
  ReadRecord,
  WaitingRecord,
} from './advisory-port.ts'
export { amend } from './change.ts'
export { type Decision, decide, fallbackTags, nextAllowed, refuse, tellReason } from './gate.ts'
export { type JudgeContext, judge, rulesFor, settle } from './judge.ts'
export type {
  Advisory,
  BadDigest,
  Likeness,
  Policy,
  Rule,
  RuleAction,
  RuleHit,
  RuleKind,
  RuleMode,
  Severity,
  Waiver,
} from './policy.ts'
export { defaultPolicy, defaultRules, nextPolicy, parseRules, RuleFaults } from './policy-list.ts'
export type {
  Access,
  CatalogReads,
  CatalogWrites,
  KeptFacts,
  NewVersion,
  Package,
  PackagePerson,
  PackageRole,
  PackageVersion,
  SearchHit,
  SearchQuery,
  TfaDemand,
  VersionFacts,
} from './port.ts'
export type {
  ProjectEntry,
  ProjectLock,
  ProjectReads,
  ProjectRisk,
  ProjectUse,
  ProjectWrites,
} from './project.ts'
export { findAmbiguous, originOf } from './route.ts'
export type {
  Finding,
  HoldState,
  Screening,
  ScreeningReads,
  ScreeningState,
  ScreeningWrites,
} from './screening.ts'
export { approvalsOf, type StageApproval, type Staged, type StageReads, type StageWrites } from './stage.ts'
export type {
  Ingested,
  LeftOut,
  Mirror,
  NameRoute,
  OriginName,
  UpstreamMeasure,
  UpstreamVersion,
  VersionTraits,
} from './upstream.ts'
