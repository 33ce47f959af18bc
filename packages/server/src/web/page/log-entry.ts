// SPDX-License-Identifier: Apache-2.0
import { isPackageName, parseCheckpoint, parseNote, problem } from '@holdfast/core'
import { type LogLine, proveIndex, toLogLine } from '../../flow/index.ts'
import type { PageContext } from '../context.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { ago } from '../part/format.ts'
import { entryPath, leafMembers, leafWords, packageEntriesPath } from '../part/leaf.ts'
import { packagePath } from '../part/link.ts'
import { type ProofClaim, proofCheck } from '../part/log-proof.ts'

/** What a member of a leaf means. */
const meanings: Readonly<Record<string, string>> = {
  v: 'version of the format',
  log: 'the log it was made for',
  id: 'its own id',
  at: 'when the registry accepted the change: its claim',
  type: 'what happened',
  'actor.kind': 'what kind of actor did it',
  'actor.id': 'who did it; no person is named in the log',
  pkg: 'package',
  ver: 'version',
  seq: 'place among the entries of its package',
  prev: 'hash of the entry before it, of the same package',
  'dist.integrity': 'digest of the bytes, as lock files have it',
  'dist.size': 'size in bytes',
  'dist.manifest': 'digest of what clients resolve by',
}

/** One entry of the log, with the proof that it is in there. */
export async function logEntryPage(c: PageContext): Promise<Response> {
  const { ports, call } = c.env
  const text = c.req.param('index') ?? ''
  if (!/^(0|[1-9]\d{0,14})$/.test(text)) throw problem('log-entry-not-found', { entry: text.slice(0, 40) })
  const proof = await proveIndex(ports, call.actor, Number(text))
  const line = toLogLine(proof)
  const main = html`<h1>Entry ${line.index.toLocaleString('en')} of the <a href="/log">log</a></h1>
<p class="lead">${leafWords(line.leaf)}${ofPackage(line)}</p>
${members(line, ports.clock())}
<h2 id="proof">Proof that it is in the log</h2>
${proofCheck(ports, [proof], claimOf(line))}
<h2>As it stands in the log</h2>
<pre class="text">${line.text}</pre>
<p class="small">It proves that the registry wrote this down, and cannot take it back unnoticed. It does not prove that nothing happened since: that the <a href="${historyPath(line)}">list of later entries</a> is whole, is told by the registry until you check it against the log.</p>
${neighbours(line.index, parseCheckpoint(parseNote(proof.checkpoint).text).size)}`
  return sheet(c, { title: `Entry ${line.index} of the log`, main })
}

function ofPackage({ leaf: { pkg } }: LogLine): Markup {
  return isPackageName(pkg)
    ? html` of <a href="${packagePath(pkg, { show: 'security' })}">${pkg}</a>`
    : nothing
}

function historyPath({ leaf: { pkg } }: LogLine): string {
  return isPackageName(pkg) ? packageEntriesPath(pkg) : '/log#entries'
}

function members({ leaf }: LogLine, now: number): Markup {
  const rows = leafMembers(leaf).map(
    ([place, text]) =>
      html`<tr><td><code>${place}</code></td><td class="value"><bdi>${text}</bdi>${meaning(place, text, now)}</td></tr>`,
  )
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Member</th><th scope="col">Value</th></tr></thead><tbody>${rows}</tbody></table></div>`
}

function meaning(place: string, text: string, now: number): Markup {
  const words = meanings[place]
  if (words === undefined) return nothing
  return html`<br><span class="small">${words}${place === 'at' ? html`, ${ago(Number(text), now)}` : nothing}</span>`
}

function claimOf({ leaf }: LogLine): ProofClaim {
  const { pkg, ver } = leaf
  const { integrity } = (leaf['dist'] ?? {}) as { integrity?: unknown }
  return {
    ...(typeof pkg === 'string' ? { pkg } : {}),
    ...(typeof ver === 'string' ? { ver } : {}),
    ...(typeof integrity === 'string' ? { integrity } : {}),
  }
}

function neighbours(index: number, size: number): Markup {
  const link = (to: number, rel: 'prev' | 'next', text: string) =>
    to < 0 || to >= size ? html`<span></span>` : html`<a rel="${rel}" href="${entryPath(to)}">${text}</a>`
  return html`<nav class="pager" aria-label="Entries">${link(index - 1, 'prev', `← Entry ${index - 1}`)}${link(index + 1, 'next', `Entry ${index + 1} →`)}</nav>`
}
