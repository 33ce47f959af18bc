// SPDX-License-Identifier: Apache-2.0
import { type Problem, problem } from '@holdfast/core'
import type { LogState, Ports } from '../ports.ts'
import type { Answer, Call } from './call.ts'
import type { Metrics } from './metrics.ts'
import type { Mount } from './server.ts'

const plain = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }

/** `/-/health/live`, `/-/health/ready`, `/-/metrics`: for the operator's machines. */
export function operationMount(ports: Ports, metrics: Metrics): Mount {
  metrics.gauge('holdfast_packages', 'Packages in the catalog.', () => ports.store.catalog.countPackages())
  metrics.gauge('holdfast_events', 'Position of the newest event.', () => ports.store.events.head())
  metrics.gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
  metrics.gauge('process_start_time_seconds', 'Start of the process.', () =>
    Math.round(Date.now() / 1000 - process.uptime()),
  )
  logGauges(ports, metrics)
  return {
    prefix: '/-/',
    classOf: () => 'operation',
    renderProblem: (trouble: Problem) => ({
      status: trouble.status,
      headers: plain,
      body: `${trouble.message}\n`,
    }),
    handle: call => handle(ports, metrics, call),
  }
}

function logGauges({ log, clock }: Ports, metrics: Metrics): void {
  const gauge = (name: string, help: string, read: (state: LogState) => number) =>
    metrics.gauge(`holdfast_log_${name}`, help, async () => read(await log.state()))
  const ageOf = (at: number | null) => (at === null ? 0 : Math.max(0, clock() - at) / 1000)
  gauge('size', 'Entries that have their place in the log.', state => state.size)
  gauge('published_size', 'Entries under the published checkpoint.', state => state.publishedSize)
  gauge('waiting', 'Events for the log under no published checkpoint.', state => state.waiting)
  gauge('oldest_waiting_seconds', 'Age of the oldest of them; alarm above 60.', state =>
    ageOf(state.oldestAt),
  )
  gauge('halted', '1 when nothing is signed until somebody looked into it.', state => (state.halted ? 1 : 0))
}

/** A log that stands still keeps nobody from reading: it is told, and the registry goes on answering. */
async function tellReady({ store, log }: Ports): Promise<Answer> {
  const state = await store.events
    .head()
    .then(() => log.state())
    .catch(() => undefined)
  if (state === undefined) return { status: 503, headers: plain, body: 'the store does not answer\n' }
  const trouble = state.halted === '' ? '' : `nothing is signed: ${state.halted}\n`
  return { status: 200, headers: plain, body: `ready\n${trouble}` }
}

async function handle(ports: Ports, metrics: Metrics, call: Call): Promise<Answer> {
  if (call.method !== 'GET' && call.method !== 'HEAD')
    throw problem('method-not-allowed', { method: call.method })
  const path = call.url.split('?')[0]
  if (path === '/-/health/live') return { status: 200, headers: plain, body: 'live\n' }
  if (path === '/-/health/ready') return tellReady(ports)
  if (path === '/-/metrics')
    return {
      status: 200,
      headers: { ...plain, 'content-type': 'text/plain; version=0.0.4' },
      body: await metrics.format(),
    }
  throw problem('not-found')
}
