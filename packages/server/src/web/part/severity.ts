// SPDX-License-Identifier: Apache-2.0
import type { Advisory, Feed } from '../../catalog/index.ts'
import type { Markup } from '../markup.ts'
import { badge } from './badge.ts'

/** How bad an advisory is, in words; malware is its own word. Sign and colour only repeat it. */
export function severityBadge({ kind, severity }: Pick<Advisory, 'kind' | 'severity'>): Markup {
  const grave = kind === 'malware' || severity === 'critical' || severity === 'high'
  return badge(kind === 'malware' ? 'malware' : severity, grave ? 'bad' : 'warn', grave ? '✕' : '!')
}

/** Whether what a feed tells is known here. */
export function feedBadge(feed: Feed | undefined, isSilent: boolean): Markup {
  if (feed === undefined) return badge('not asked yet', 'plain', '…')
  if (feed.takenAt === 0) return badge('never read', 'bad', '✕')
  return isSilent ? badge('silent', 'bad', '✕') : badge('read', 'good', '✓')
}
