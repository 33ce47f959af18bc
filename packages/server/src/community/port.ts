// SPDX-License-Identifier: Apache-2.0
import type { PolicyPageName, PolicyText } from './policy-page.ts'
import type { Review } from './review.ts'

/** What the store keeps of how people and registry reach each other. */
export interface CommunityReads {
  /** The newest text of a page, or the one of this version; undefined where ours was never replaced. */
  findPolicyText(page: PolicyPageName, version?: number): Promise<PolicyText | undefined>
  /** Newest first. */
  listPolicyTexts(page: PolicyPageName, limit: number): Promise<readonly PolicyText[]>
  findReview(id: string): Promise<Review | undefined>
  /** Newest first. */
  listReviews(): Promise<readonly Review[]>
}

export interface CommunityWrites {
  /** Throws `policy-page-changed` where that version is there already: of two who edit at once one is first. */
  addPolicyText(text: PolicyText): Promise<void>
  setReview(review: Review): Promise<void>
}
