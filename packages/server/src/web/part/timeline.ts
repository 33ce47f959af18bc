// SPDX-License-Identifier: Apache-2.0
import type { TimelineEntry } from '../../incident/index.ts'
import { html, type Markup } from '../markup.ts'
import { ago, day } from './format.ts'

const width = 640
const left = 74
const lanes = ['report', 'event', 'note'] as const
const laneHeight = 26
const height = lanes.length * laneHeight + 8
const labels: Readonly<Record<TimelineEntry['kind'], string>> = {
  report: 'Reports',
  event: 'Events',
  note: 'Notes',
}

/** What happened as points in time, a lane for each kind, and the same as a table below. */
export function timeline(entries: readonly TimelineEntry[], now: number): Markup {
  const first = entries[0]?.at ?? now
  const last = Math.max(first + 1, entries.at(-1)?.at ?? now)
  const x = (at: number) => Math.round(left + ((at - first) / (last - first)) * (width - left - 12))
  return html`<div class="scroll" tabindex="0"><svg class="timeline" viewBox="0 0 ${width} ${height + 18}" role="img" aria-label="${entries.length} moments from ${stamp(first)} to ${stamp(last)}; the table below lists them">
${lanes.map((lane, i) => laneOf(entries, lane, i, x))}
<text x="${left}" y="${height + 12}">${stamp(first)}</text><text x="${width - 12}" y="${height + 12}" text-anchor="end">${stamp(last)}</text></svg></div>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">When</th><th scope="col">Kind</th><th scope="col">By</th><th scope="col">What</th></tr></thead>
<tbody>${entries.map(each => html`<tr><td class="nowrap">${ago(each.at, now)}</td><td>${each.kind}</td><td>${each.by}</td><td><bdi>${each.words}</bdi></td></tr>`)}</tbody></table></div>`
}

function laneOf(
  entries: readonly TimelineEntry[],
  lane: TimelineEntry['kind'],
  index: number,
  x: (at: number) => number,
): Markup {
  const y = index * laneHeight + laneHeight / 2 + 2
  // Points at one place are one.
  const places = new Set(entries.filter(each => each.kind === lane).map(each => x(each.at)))
  return html`<text x="2" y="${y + 4}">${labels[lane]}</text><line x1="${left}" x2="${width - 12}" y1="${y}" y2="${y}"/>${[...places].map(place => html`<circle class="${lane}" cx="${place}" cy="${y}" r="5"/>`)}`
}

function stamp(at: number): string {
  return `${day(at)} ${new Date(at).toISOString().slice(11, 16)}`
}
