// SPDX-License-Identifier: Apache-2.0
import { html, type Markup } from '../markup.ts'
import { day, plural } from './format.ts'

const width = 240
const height = 40
const dayMs = 86_400_000

/** Downloads of one day, which begins at `day`. */
export interface DayCount {
  readonly day: number
  readonly count: number
}

/** The days up to now, each with its count: the store leaves out days without any. */
export function everyDay(counts: readonly DayCount[], now: number, days: number): DayCount[] {
  const today = Math.floor(now / dayMs)
  const byDay = new Map(counts.map(each => [Math.floor(each.day / dayMs), each.count]))
  return Array.from({ length: days }, (_, i) => today - days + 1 + i).map(at => ({
    day: at * dayMs,
    count: byDay.get(at) ?? 0,
  }))
}

/** Downloads as a line, and the same numbers as a table beside it. */
export function sparkline(days: readonly DayCount[]): Markup {
  const total = days.reduce((sum, each) => sum + each.count, 0)
  const busy = days.filter(each => each.count > 0)
  return html`<p class="total">${plural(total, 'download')} in ${days.length} days</p>
${
  total === 0
    ? ''
    : html`<svg class="sparkline" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="Downloads a day, from ${day(days[0]?.day ?? 0)} to ${day(days.at(-1)?.day ?? 0)}; the numbers are in the table below"><polyline points="${points(days)}"/></svg>
<details><summary>Numbers</summary><div class="scroll" tabindex="0"><table class="numbers"><thead><tr><th scope="col">Day</th><th scope="col">Downloads</th></tr></thead>
<tbody>${busy.toReversed().map(each => html`<tr><td>${day(each.day)}</td><td>${each.count.toLocaleString('en')}</td></tr>`)}</tbody></table></div></details>`
}`
}

function points(days: readonly DayCount[]): string {
  const most = Math.max(1, ...days.map(each => each.count))
  const step = (width - 4) / Math.max(1, days.length - 1)
  return days
    .map((each, i) => `${round(2 + i * step)},${round(height - 3 - (each.count / most) * (height - 6))}`)
    .join(' ')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
