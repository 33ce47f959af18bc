// SPDX-License-Identifier: Apache-2.0
/** What identity asks of the store to tell people of tokens that end soon. */
import type { Token } from './port.ts'

/** A token that ends soon, and the last notice (days before the end) that its owner got. */
export interface EndingToken {
  readonly token: Token
  readonly told: number | undefined
}

export interface TokenNoticeReads {
  /** Tokens that are neither revoked nor ended at `now` and end by `until`, those of a login left out; keyset pages by id. */
  listEndingTokens(now: number, until: number, after: string, limit: number): Promise<readonly EndingToken[]>
}

export interface TokenNoticeWrites {
  /** False when this notice was sent before. */
  addTokenNotice(tokenId: string, days: number): Promise<boolean>
}
