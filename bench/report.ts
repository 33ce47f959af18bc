// SPDX-License-Identifier: Apache-2.0
import { cpus } from 'node:os'
import { pinned } from './process.ts'
import { type Found, factorOf, isReached, median, type Options, type Target, type Unit } from './row/row.ts'
import { type PeerName, peerNames } from './server/peer.ts'

const heads: Record<PeerName, string> = {
  holdfast: 'Holdfast',
  verdaccio: 'Verdaccio 6',
  nginx: 'nginx',
  bare: 'bare node:http',
}
const peers = peerNames.filter(name => name !== 'holdfast')

/** The table as text for a terminal: medians only, columns aligned. */
export function formatTable(results: readonly Found[]): string {
  const lines = [headLine(), ...results.map(found => tableLine(found, formatMedian))]
  const widths = headLine().map((_, column) =>
    Math.max(...lines.map(line => [...(line[column] ?? '')].length)),
  )
  return lines
    .map(line =>
      line
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  '),
    )
    .join('\n')
}

/**
 * The page `bench/results.md`: how it was measured, the table with lowest and highest rounds, and what was left out. Rows that were
 * not measured now stay as they are in the page before.
 */
export function formatPage(
  results: readonly Found[],
  titles: readonly string[],
  before: string,
  options: Options,
): string {
  const head = [...headLine(), 'measured']
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'))
  const measured = `${new Date().toISOString().slice(0, 10)}, ${machine()}`
  const fresh = results.map(found => [...tableLine(found, formatSpread), measured])
  const rows = titles.flatMap(title => {
    const [row] = fresh.filter(cells => cells[0] === title)
    const kept = before.split('\n').find(line => line.startsWith(`| ${title} | `))
    return row === undefined ? (kept ?? []) : formatRow(row)
  })
  return [
    '# Bench results',
    '',
    `Node ${process.versions.node}; ${method(options)}`,
    '',
    'Medians, with lowest and highest round in brackets. Factors above 1 say how often Holdfast is faster (or smaller) than the peer. The peers of a row ran in the same minutes on the same machine.',
    '',
    ...[head, rule].map(formatRow),
    ...rows,
    '',
    ...options.notes.map(note => `- ${note.replaceAll('\n', ' ')}`),
    '',
  ].join('\n')
}

function formatRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function method({ rounds, seconds }: Options): string {
  const cores = pinned
    ? 'server on one core, load generator on another'
    : 'server and load generator NOT on cores of their own'
  return `${cores}, ${rounds} interleaved rounds, reads of ${seconds} s over 32 kept connections (8 for 2 MB documents).`
}

function machine(): string {
  const [first] = cpus()
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown processor'}`
}

function headLine(): string[] {
  return [
    '',
    ...peerNames.map(name => heads[name]),
    'unit',
    ...peers.map(name => `× ${heads[name]}`),
    'target',
    '',
  ]
}

function tableLine(found: Found, format: (numbers: readonly number[], unit: Unit) => string): string[] {
  const cells = peerNames.map(name => {
    const numbers = found.samples[name]
    return numbers ? format(numbers, found.row.unit) : '–'
  })
  const factors = peers.map(name => formatFactor(factorOf(found, name)))
  const reached = isReached(found)
  const mark = reached === undefined ? '' : reached ? '✅' : '❌'
  return [
    found.row.title,
    ...cells,
    found.row.unit,
    ...factors,
    found.row.targets.map(formatTarget).join(', '),
    mark,
  ]
}

function formatMedian(numbers: readonly number[], unit: Unit): string {
  return formatNumber(median(numbers), unit)
}

function formatSpread(numbers: readonly number[], unit: Unit): string {
  if (numbers.length === 1) return formatMedian(numbers, unit)
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)]
  return `${formatMedian(numbers, unit)} (${formatNumber(low, unit)}–${formatNumber(high, unit)})`
}

function formatNumber(number: number, unit: Unit): string {
  const digits = unit === '×' ? 2 : unit === 's' || number < 10 ? 1 : 0
  return number.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits })
}

function formatFactor(factor: number | undefined): string {
  return factor === undefined ? '–' : `${factor.toFixed(factor < 10 ? 2 : 0)} ×`
}

function formatTarget(target: Target): string {
  if (target.kind === 'limit') return `≤ ${target.atMost}`
  if (target.kind === 'least') return `≥ ${target.atLeast}`
  return `≥ ${Number(target.atLeast.toFixed(2))} × ${heads[target.against]}`
}
