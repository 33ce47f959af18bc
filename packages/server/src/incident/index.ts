// SPDX-License-Identifier: Apache-2.0
export type {
  BlastLetter,
  BlastReads,
  BlastWrites,
  DependentEdge,
  Holder,
  HolderMark,
  HolderTotals,
} from './blast.ts'
export type {
  CaseKind,
  CaseNote,
  CaseReads,
  CaseState,
  CaseSubject,
  CaseSummary,
  CaseWrites,
  IncidentCase,
} from './case.ts'
export { type CaseClock, caseTargets, clockOf } from './clock.ts'
export {
  type Drill,
  type DrillAction,
  type DrillMark,
  type DrillMarks,
  type DrillPath,
  type DrillPlaybook,
  type DrillReads,
  type DrillReport,
  type DrillState,
  type DrillWrites,
  drillDueMs,
  drillPlaybooks,
  emptyReport,
  isOpenDrill,
  mostDrillPackages,
} from './drill.ts'
export { formatHolderHead, formatHolderLine } from './holder-line.ts'
export {
  type Block,
  type ClosedVersion,
  type MeasureReads,
  type MeasureVersion,
  type MeasureWrites,
  measureLifeMs,
  parseFreezeSubject,
  parseTime,
  parseVersionQuery,
  type TakenMeasure,
  type VersionQuery,
  versionQueryKeys,
} from './measure.ts'
export { type Playbook, parsePlaybook } from './playbook.ts'
export { formatRecord, type IncidentRecord, type TimelineEntry } from './record.ts'
export {
  type AutomaticFacts,
  isTrusted,
  judgeReports,
  type Report,
  type ReporterRecord,
  type ReportKind,
  type ReportOutcome,
  type ReportReads,
  type ReportState,
  type ReportWrites,
  reportKinds,
  weightOf,
} from './report.ts'
export {
  type IncidentRole,
  type IncidentRoom,
  type IncidentTask,
  type Indicator,
  type IndicatorKind,
  incidentRoles,
  indicatorKinds,
} from './room.ts'
export {
  findReturned,
  findWithdrawals,
  gravest,
  type Told,
  type Withdrawal,
  type WithdrawalKind,
  withdrawalTable,
} from './takedown.ts'
