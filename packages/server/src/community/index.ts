// SPDX-License-Identifier: Apache-2.0

export { type Announcement, type AnnouncementLine, addLine, parseAnnouncementTitle } from './announcement.ts'
export {
  type AssessmentReads,
  type AssessmentResult,
  type AssessmentWrites,
  findTurnedRed,
  type KeptAssessment,
  type ListedAssessment,
  parseAssessment,
} from './assessment.ts'
export { type Delivery, type Hook, hookPatienceMs, parseHookUrl, retryAfterMs } from './hook.ts'
export {
  answerTransfer,
  beginTransfer,
  confirmTransfer,
  finishTransfer,
  grantTransfer,
  isOpenTransfer,
  type NameTransfer,
  refuseTransfer,
  stopTransfer,
  type TransferState,
  transferDays,
} from './name-transfer.ts'
export { formatNews, type News, type NewsKind, newsKinds, packagesOf, toNews } from './news.ts'
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
export type { CommunityReads, CommunityWrites, HookRows, NewsEvent, WatchRows } from './port.ts'
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
export {
  type Digest,
  digests,
  type Watch,
  type WatchKey,
  type WatchKind,
  type WatchSettings,
  watchKeysOf,
} from './watch.ts'
