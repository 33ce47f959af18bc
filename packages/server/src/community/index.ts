// SPDX-License-Identifier: Apache-2.0
export {
  defaultPolicyText,
  fillPolicyText,
  isPolicyPage,
  type PolicyFacts,
  type PolicyPageName,
  type PolicyText,
  parsePolicyText,
  policyPages,
} from './policy-page.ts'
export type { CommunityReads, CommunityWrites } from './port.ts'
export {
  formatFindings,
  parseReview,
  type Review,
  type ReviewDraft,
  type ReviewFinding,
  type ReviewState,
  reviewLifeMs,
  reviewReminderMs,
  reviewState,
} from './review.ts'
