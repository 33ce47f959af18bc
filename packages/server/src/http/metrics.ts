// SPDX-License-Identifier: Apache-2.0
const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** What kind of work a request was, for the metrics. */
export type RouteClass = 'packument' | 'tarball' | 'publish' | 'npm' | 'api' | 'log' | 'page' | 'operation'

/** Counts requests; costs the read path two array increments. */
export interface Metrics {
  observe(route: RouteClass, status: number, durationMs: number, bytes: number): void
  /** Adds a value read when somebody asks. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void
  /** Prometheus text format 0.0.4. */
  format(): Promise<string>
}

interface Series {
  readonly buckets: number[]
  count: number
  seconds: number
  bytes: number
  readonly statuses: Map<number, number>
}

export function openMetrics(): Metrics {
  const series = new Map<RouteClass, Series>()
  const gauges: { name: string; help: string; read: () => number | Promise<number> }[] = []
  return {
    observe(route, status, durationMs, bytes) {
      let found = series.get(route)
      if (found === undefined) {
        found = {
          buckets: new Array<number>(bounds.length + 1).fill(0),
          count: 0,
          seconds: 0,
          bytes: 0,
          statuses: new Map(),
        }
        series.set(route, found)
      }
      const seconds = durationMs / 1000
      let bucket = 0
      while (bucket < bounds.length && seconds > (bounds[bucket] ?? 0)) bucket++
      found.buckets[bucket] = (found.buckets[bucket] ?? 0) + 1
      found.count += 1
      found.seconds += seconds
      found.bytes += bytes
      found.statuses.set(status, (found.statuses.get(status) ?? 0) + 1)
    },
    gauge(name, help, read) {
      gauges.push({ name, help, read })
    },
    async format() {
      const lines = [...requestLines(series), ...sentLines(series), ...durationLines(series)]
      for (const { name, help, read } of gauges)
        lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${await read()}`)
      return `${lines.join('\n')}\n`
    },
  }
}

function requestLines(series: ReadonlyMap<RouteClass, Series>): string[] {
  const name = 'holdfast_http_requests_total'
  const lines = [`# HELP ${name} Requests answered.`, `# TYPE ${name} counter`]
  for (const [route, { statuses }] of series) {
    for (const [status, count] of statuses)
      lines.push(`${name}{route="${route}",status="${status}"} ${count}`)
  }
  return lines
}

function sentLines(series: ReadonlyMap<RouteClass, Series>): string[] {
  const name = 'holdfast_http_sent_bytes_total'
  const lines = [`# HELP ${name} Bytes of bodies sent.`, `# TYPE ${name} counter`]
  for (const [route, { bytes }] of series) lines.push(`${name}{route="${route}"} ${bytes}`)
  return lines
}

function durationLines(series: ReadonlyMap<RouteClass, Series>): string[] {
  const name = 'holdfast_http_request_seconds'
  const lines = [`# HELP ${name} Time from request to answer.`, `# TYPE ${name} histogram`]
  for (const [route, { buckets, count, seconds }] of series) {
    let sum = 0
    bounds.forEach((bound, index) => {
      sum += buckets[index] ?? 0
      lines.push(`${name}_bucket{route="${route}",le="${bound}"} ${sum}`)
    })
    lines.push(
      `${name}_bucket{route="${route}",le="+Inf"} ${count}`,
      `${name}_sum{route="${route}"} ${seconds}`,
      `${name}_count{route="${route}"} ${count}`,
    )
  }
  return lines
}
