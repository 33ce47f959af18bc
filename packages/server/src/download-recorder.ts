// SPDX-License-Identifier: Apache-2.0
import { isDrillName } from '@holdfast/core'
import type { Clock, Download, DownloadCount, DownloadRecorder, Store } from './ports.ts'

const flushEveryMs = 1000
const maxWaiting = 100_000

interface Counted {
  readonly download: Download
  count: number
  firstAt: number
  lastAt: number
}

/**
 * Gathers downloads and writes them once a second: the same hand fetching the same version in that second is one row
 * with a count. When the store does not take them, they wait, up to a bound.
 */
export function openDownloadRecorder(
  store: Pick<Store, 'downloads'>,
  clock: Clock,
): DownloadRecorder & { close(): Promise<void> } {
  let waiting = new Map<string, Counted>()
  let flushing: Promise<void> | undefined
  const putBack = (key: string, each: Counted) => {
    const since = waiting.get(key)
    if (since !== undefined)
      waiting.set(key, { ...since, count: since.count + each.count, firstAt: each.firstAt })
    else if (waiting.size < maxWaiting) waiting.set(key, each)
  }
  const write = async () => {
    const batch: DownloadCount[] = [...waiting.values()].map(({ download, ...counted }) => ({
      ...download,
      ...counted,
    }))
    const before = waiting
    waiting = new Map()
    try {
      await store.downloads.add(batch)
    } catch (error) {
      for (const [key, each] of before) putBack(key, each)
      throw error
    }
  }
  const flush = async (): Promise<void> => {
    await flushing?.catch(() => {})
    if (waiting.size === 0) return
    flushing = write()
    await flushing
  }
  const timer = setInterval(() => flush().catch(() => {}), flushEveryMs)
  timer.unref()
  return {
    add(download) {
      // Nobody uses what a drill reads: it must make nothing popular.
      if (isDrillName(download.package)) return
      const key = `${download.package} ${download.version} ${download.tokenId} ${download.accountId} ${download.address} ${download.client}`
      const now = clock()
      const found = waiting.get(key)
      if (found !== undefined) {
        found.count += 1
        found.lastAt = now
      } else if (waiting.size < maxWaiting)
        waiting.set(key, { download, count: 1, firstAt: now, lastAt: now })
    },
    flush,
    async close() {
      clearInterval(timer)
      await flush()
    },
  }
}
