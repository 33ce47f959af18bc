// SPDX-License-Identifier: Apache-2.0
/** A picture of who leads to whom, in columns from left to right. What it shows stands in a table beside it as well. */
import { html, type Markup, nothing } from '../markup.ts'

/** A box of the picture. */
export interface GraphNode {
  readonly key: string
  readonly label: string
  /** The column, from 0. */
  readonly column: number
  /** What it stands for beside the others; `bad` also has a sign. */
  readonly tone: 'plain' | 'bad' | 'root'
  /** Where it leads; empty for nowhere. */
  readonly href: string
}

/** A line between two boxes; `bad` is thick and broken beside its colour. */
export interface GraphEdge {
  readonly from: string
  readonly to: string
  readonly tone: 'plain' | 'bad'
}

const box = { width: 190, height: 26 }
const gap = { across: 60, down: 10 }
const labelLength = 25

/** The picture, wide as it needs to be within a frame that scrolls; nothing where there is one box or none. */
export function graphPicture(
  title: string,
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
): Markup {
  if (nodes.length < 2) return nothing
  const places = placeAll(nodes, edges)
  const columns = Math.max(...nodes.map(each => each.column)) + 1
  const rows = Math.max(...[...places.values()].map(each => each.row)) + 1
  const width = columns * (box.width + gap.across) - gap.across + 4
  const height = rows * (box.height + gap.down) - gap.down + 4
  const sorted = edges.toSorted((a, b) => Number(a.tone === 'bad') - Number(b.tone === 'bad'))
  return html`<div class="scroll" tabindex="0"><svg class="graph" width="${width}" height="${height}" viewBox="-2 -2 ${width} ${height}" role="group" aria-label="${title}">
${sorted.map(each => line(each, places))}
${nodes.map(each => boxOf(each, places.get(each.key)))}
</svg></div>`
}

interface Place {
  readonly x: number
  readonly y: number
  readonly row: number
}

/** Column by column, each box as near as can be to those that lead to it. */
function placeAll(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>()
  const into = Map.groupBy(edges, each => each.to)
  const columns = Map.groupBy(nodes, each => each.column)
  for (const column of [...columns.keys()].sort((a, b) => a - b)) {
    const weigh = ({ key }: GraphNode) => {
      const rows = (into.get(key) ?? []).flatMap(({ from }) => places.get(from)?.row ?? [])
      return rows.length === 0 ? 0 : rows.reduce((sum, row) => sum + row, 0) / rows.length
    }
    const weighed = (columns.get(column) ?? []).map(node => ({ node, weight: weigh(node) }))
    for (const [row, { node }] of weighed.sort((a, b) => a.weight - b.weight).entries())
      places.set(node.key, {
        row,
        x: column * (box.width + gap.across),
        y: row * (box.height + gap.down),
      })
  }
  return places
}

function line({ from, to, tone }: GraphEdge, places: ReadonlyMap<string, Place>): Markup {
  const [start, end] = [places.get(from), places.get(to)]
  if (start === undefined || end === undefined) return nothing
  const [x1, y1, x2, y2] = [start.x + box.width, start.y + box.height / 2, end.x, end.y + box.height / 2]
  const bend = Math.max(gap.across / 2, Math.abs(x2 - x1) / 2)
  return html`<path class="${tone}" d="M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}"/>`
}

function boxOf({ label, tone, href }: GraphNode, place: Place | undefined): Markup {
  if (place === undefined) return nothing
  const sign = tone === 'bad' ? '✕ ' : ''
  const short = label.length > labelLength ? `${label.slice(0, labelLength - 1)}…` : label
  const shape = html`<title>${tone === 'bad' ? `${label}, vulnerable` : label}</title><rect width="${box.width}" height="${box.height}" rx="5"/><text x="8" y="17">${sign}${short}</text>`
  const drawn = html`<g class="${tone}" transform="translate(${place.x} ${place.y})">${shape}</g>`
  return href === '' ? drawn : html`<a href="${href}">${drawn}</a>`
}
