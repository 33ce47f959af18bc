// SPDX-License-Identifier: Apache-2.0
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
export {
  findReturned,
  findWithdrawals,
  gravest,
  type Told,
  type Withdrawal,
  type WithdrawalKind,
  withdrawalTable,
} from './takedown.ts'
