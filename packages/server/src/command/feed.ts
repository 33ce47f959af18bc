// SPDX-License-Identifier: Apache-2.0
/** `holdfast operator feed …`: where advisories come from, and entries that wait for a person. */
import { acceptWaiting, listFeedStates, listWaiting, refuseWaiting } from '../flow/index.ts'
import { operator } from '../identity/index.ts'
import type { Ports } from '../main.ts'
import { type Arguments, UsageError } from './usage.ts'

const usage = `Usage: holdfast operator feed list|accept|refuse [ID] --data DIR

  list          feeds with when they were last read, and entries that wait
  accept ID     let an entry in, although it closes what has long been used here
  refuse ID     leave it out until the feed says something else`

/** One of the acts above; what it prints. */
export async function feedAct(
  ports: Ports,
  _: Arguments,
  [act, id]: readonly string[],
): Promise<string | undefined> {
  if (act === 'list' && id === undefined) return list(ports)
  if (id === undefined || (act !== 'accept' && act !== 'refuse')) throw new UsageError(usage)
  await (act === 'accept' ? acceptWaiting : refuseWaiting)(ports, operator, id)
  return undefined
}

async function list(ports: Ports): Promise<string> {
  const feeds = (await listFeedStates(ports)).map(({ source, feed, isSilent }) => {
    const read = feed === undefined || feed.takenAt === 0 ? 'never' : new Date(feed.takenAt).toISOString()
    return `feed\t${source.name}\t${source.label}\tread ${read}${isSilent ? '\tsilent' : ''}\t${printable(feed?.fault ?? '')}`
  })
  const waiting = (await listWaiting(ports, operator)).map(
    each => `waits\t${each.id}\t${each.feed}\t${printable(each.why)}`,
  )
  return [...feeds, ...waiting].join('\n')
}

function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ')
}
