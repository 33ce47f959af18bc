// SPDX-License-Identifier: Apache-2.0
import { formatIntegrity, isProblem } from '@holdfast/core'
import { type LogLine, readPackageLog, toLogLine } from '../../flow/index.ts'
import type { LogEntry } from '../../ports.ts'
import type { PageContext } from '../context.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { plural } from '../part/format.ts'
import { entryPath, leafTable, leafWords, packageEntriesPath } from '../part/leaf.ts'
import { chainToCheck, proofCheck } from '../part/log-proof.ts'
import type { ShownPackage, ShownVersion } from './package-read.ts'

const linesShown = 30
/** A longer history is checked by the command line, not carried by a page. */
const chainShown = 200

/** A version's place in the log with its proof, and what the log says of the package. */
export async function logHistory(
  c: PageContext,
  { name }: ShownPackage,
  selected: ShownVersion,
): Promise<Markup> {
  const { ports, call } = c.env
  const found = await readPackageLog(ports, call.actor, name).catch(ignoreMissing)
  const lines = found?.leaves.map(toLogLine) ?? []
  const own = lines.findLast(({ leaf }) => isArrival(leaf) && leaf['ver'] === selected.version)
  if (found === undefined || own === undefined)
    return html`<p>${selected.version} has no entry in the log${selected.evidence.kind === 'upstream' ? ': its bytes did not come in yet' : ' yet'}.</p>${table(lines, name, ports.clock())}`
  return html`<p>${selected.version} is <a href="${entryPath(own.index)}">entry ${own.index}</a> of ${found.checkpoint.size}. ${later(lines, own, found.checkpoint.size)}</p>
${await check(c, found.leaves, own, selected)}
${table(lines, name, ports.clock())}`
}

function ignoreMissing(error: unknown): undefined {
  if (!isProblem(error) || (error.code !== 'package-not-found' && error.code !== 'log-entry-not-found'))
    throw error
}

function isArrival({ type }: LogLine['leaf']): boolean {
  return type === 'publish' || type === 'ingest'
}

/** Nothing in a log proves that nothing came after: the words say who says so. */
function later(lines: readonly LogLine[], own: LogLine, size: number): Markup {
  const since = lines.filter(({ index, leaf }) => index > own.index && leaf['ver'] === own.leaf['ver'])
  const measures = since.filter(({ leaf }) => leaf['type'] !== 'dist-tag').map(({ leaf }) => leafWords(leaf))
  return measures.length === 0
    ? html`As of checkpoint ${size} nothing was done to it since, as told by this registry.`
    : html`Since then, as told by this registry: ${measures.join(' · ')}.`
}

async function check(
  c: PageContext,
  leaves: readonly LogEntry[],
  own: LogLine,
  { version, digest }: ShownVersion,
): Promise<Markup> {
  const { ports } = c.env
  const isWhole = leaves.length <= chainShown
  const proven = leaves.filter(
    ({ index }, at) => index === own.index || (isWhole && at === leaves.length - 1),
  )
  const proofs = await ports.log.prove(proven)
  const claim = {
    pkg: String(own.leaf['pkg']),
    ver: version,
    ...(digest === undefined ? {} : { integrity: formatIntegrity(digest) }),
  }
  return html`<div>${proofCheck(ports, proofs, claim)}
${isWhole ? chainToCheck(leaves.map(({ entry }) => Buffer.from(entry).toString('utf8'))) : nothing}</div>`
}

function table(lines: readonly LogLine[], name: string, now: number): Markup {
  if (lines.length === 0) return nothing
  const rest = lines.length - linesShown
  return html`<h3>Its history</h3>${leafTable(lines.slice(-linesShown).toReversed(), now, true)}
${rest <= 0 ? nothing : html`<p><a href="${packageEntriesPath(name)}">${plural(rest, 'older entry', 'older entries')}</a></p>`}`
}
