// SPDX-License-Identifier: Apache-2.0
import type { KeptFacts, VersionFacts } from './port.ts'

/** A version where no policy applies: its kept status stands. */
export function settle(kept: KeptFacts): VersionFacts {
  const { version, status, reason, deprecated, publishedAt } = kept
  return { version, status, reason, deprecated, publishedAt, rule: '', hits: [], until: null }
}
