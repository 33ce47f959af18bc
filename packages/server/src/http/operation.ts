// SPDX-License-Identifier: Apache-2.0
import { type Problem, problem } from '@holdfast/core'
import type { Ports } from '../ports.ts'
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

async function handle(ports: Ports, metrics: Metrics, call: Call): Promise<Answer> {
  if (call.method !== 'GET' && call.method !== 'HEAD')
    throw problem('method-not-allowed', { method: call.method })
  const path = call.url.split('?')[0]
  if (path === '/-/health/live') return { status: 200, headers: plain, body: 'live\n' }
  if (path === '/-/health/ready') {
    const head = await ports.store.events.head().catch(() => undefined)
    return head === undefined
      ? { status: 503, headers: plain, body: 'the store does not answer\n' }
      : { status: 200, headers: plain, body: 'ready\n' }
  }
  if (path === '/-/metrics')
    return {
      status: 200,
      headers: { ...plain, 'content-type': 'text/plain; version=0.0.4' },
      body: await metrics.format(),
    }
  throw problem('not-found')
}
