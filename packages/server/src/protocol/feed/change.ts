// SPDX-License-Identifier: Apache-2.0
/** `/feed/changes`: what happened to packages as JSON lines, from where the reader was. */
import { setTimeout as delay } from 'node:timers/promises'
import { problem } from '@holdfast/core'
import type { News } from '../../community/index.ts'
import { type NewsPage, readNews } from '../../flow/index.ts'
import type { Answer, Call } from '../../http/index.ts'
import type { Actor } from '../../identity/index.ts'
import type { Ports } from '../../ports.ts'

/** Where it stands. */
export const changesPath = '/feed/changes'

const eventsLookedAt = 1000
const longestWaitS = 30
const lookAgainMs = 500
/** Of one process: more wait at the client. */
const maxWaiting = 200
let waiting = 0

/**
 * `?since=N` gives what happened after N, oldest first, and a last line `{"next": M}` to go on with; `&wait=S` waits up to 30 seconds
 * for something to say. A page looks at a thousand events, so it may say nothing and still lead on; `since=now` gives only where now is.
 */
export async function answerChanges(ports: Ports, { actor, query }: Call): Promise<Answer> {
  const since = await readSince(ports, query.get('since'))
  const wait = readCount(query.get('wait') ?? '0', 'wait')
  const page = await readWhenThere(ports, actor, since, Math.min(wait, longestWaitS) * 1000)
  const lines = [...page.news.map(each => toLine(ports.config.publicUrl, each)), { next: page.next }]
  return {
    status: 200,
    headers: {
      'content-type': 'application/x-ndjson; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
    body: lines.map(line => `${JSON.stringify(line)}\n`).join(''),
  }
}

async function readSince({ store }: Ports, told: string | null): Promise<number> {
  return told === 'now' ? store.events.head() : readCount(told ?? '0', 'since')
}

function readCount(text: string, name: string): number {
  if (!/^\d{1,15}$/.test(text)) throw problem('invalid-body', { why: `${name} is no number` })
  return Number(text)
}

/** A page with something in it, or the last one there is when the time is over. Leaves no listener behind. */
async function readWhenThere(ports: Ports, actor: Actor, since: number, waitMs: number): Promise<NewsPage> {
  const first = await readNews(ports, actor, since, eventsLookedAt)
  if (first.news.length > 0 || waitMs === 0 || first.next - since >= eventsLookedAt || waiting >= maxWaiting)
    return first
  waiting += 1
  try {
    let page = first
    for (let left = waitMs; left > 0 && page.news.length === 0; left -= lookAgainMs) {
      await delay(Math.min(left, lookAgainMs))
      if ((await ports.store.events.head()) > page.next)
        page = await readNews(ports, actor, page.next, eventsLookedAt)
    }
    return page
  } finally {
    waiting -= 1
  }
}

function toLine(publicUrl: string, { id, position, at, kind, package: name, version, path }: News): unknown {
  return {
    position,
    id,
    time: new Date(at).toISOString(),
    kind,
    ...(name === '' ? {} : { package: name }),
    ...(version === '' ? {} : { version }),
    url: publicUrl + encodeURI(path),
  }
}
