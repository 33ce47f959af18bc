// SPDX-License-Identifier: Apache-2.0
/** How old what the feeds of advisories told is, and what that holds up. */
import type { Feed } from '../catalog/index.ts'
import type { AdvisorySource, Ports } from '../ports.ts'

const hourMs = 3600_000
/** Longer than this without a look at it, a feed is silent. */
const silentMs = 24 * hourMs
/** So much longer than the policy says may a version wait for its age while a feed is silent. */
const longestWaitMs = 14 * 24 * hourMs

/** A feed that is configured, and how it stands. */
export interface FeedState {
  readonly source: AdvisorySource
  /** Undefined before it was ever asked. */
  readonly feed: Feed | undefined
  readonly isSilent: boolean
}

/** The feeds of the configuration, and how old what they told is. */
export async function listFeedStates(
  ports: Pick<Ports, 'clock' | 'advisorySources'> & {
    readonly store: { readonly advisories: Pick<Ports['store']['advisories'], 'listFeeds'> }
  },
): Promise<readonly FeedState[]> {
  const known = new Map((await ports.store.advisories.listFeeds()).map(feed => [feed.name, feed]))
  return ports.advisorySources.map(source => {
    const feed = known.get(source.name)
    return { source, feed, isSilent: feed !== undefined && isSilent(feed, ports.clock()) }
  })
}

/**
 * The moment at which the clock of release ages stands still, because a feed that was read once has been silent for more than a day
 * since: what is bad in younger versions would not be known. Undefined while all speak.
 */
export async function stoodStillAt(
  ports: Pick<Ports, 'store' | 'clock' | 'advisorySources'>,
): Promise<number | undefined> {
  if (ports.advisorySources.length === 0) return undefined
  const now = ports.clock()
  const silent = (await listFeedStates(ports)).filter(each => each.isSilent)
  const ends = silent.map(({ feed }) => (feed?.takenAt ?? now) + silentMs)
  return ends.length === 0 ? undefined : Math.max(Math.min(...ends), now - longestWaitMs)
}

/** For whoever asks what is known against a version: what may be missing. Nothing while every feed was read within a day. */
export async function sayWhatIsMissing(
  ports: Pick<Ports, 'store' | 'clock' | 'advisorySources'>,
): Promise<string> {
  const behind = (await listFeedStates(ports)).flatMap(({ source, feed, isSilent }) => {
    if (feed === undefined || feed.takenAt === 0) return [`${source.name} was never read`]
    return isSilent ? [`${source.name} was last read ${formatDay(feed.takenAt)}`] : []
  })
  if (behind.length === 0) return ''
  return `Advisories are missing here: ${behind.join(', ')}. Nothing found does not mean that nothing is known.`
}

function formatDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

function isSilent({ takenAt }: Feed, now: number): boolean {
  return takenAt > 0 && now - takenAt > silentMs
}
