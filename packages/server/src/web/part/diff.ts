// SPDX-License-Identifier: Apache-2.0
import {
  type DiffFinding,
  describeFinding,
  type FileDiff,
  type Hunk,
  type PackageDiff,
  revealHidden,
} from '@holdfast/core'
import { html, type Markup, nothing } from '../markup.ts'
import { badge, type Tone } from './badge.ts'
import { formatBytes, plural } from './format.ts'

/** Files below this are open when the page is. */
const openLines = 80
const openFiles = 25

const tones: Readonly<Record<DiffFinding['weight'], readonly [Tone, string]>> = {
  grave: ['bad', '✕'],
  notable: ['warn', '!'],
  minor: ['plain', '·'],
}

/** One thing to look at, with its weight in front. */
export function findingItem(weight: DiffFinding['weight'], words: string | Markup): Markup {
  const [tone, sign] = tones[weight]
  return html`<li>${badge(weight, tone, sign)} <bdi>${words}</bdi></li>`
}

/** What a comparison found, the gravest first. */
export function findingItems(diff: PackageDiff): readonly Markup[] {
  return diff.findings.map(each => findingItem(each.weight, describeFinding(each)))
}

/** Every file that differs, its changed lines behind a fold. */
export function fileDiffs({ files, unchangedFiles, isCut }: PackageDiff): Markup {
  return html`${files.map((file, index) => fileDiff(file, index < openFiles))}
${isCut ? html`<p>More differs than is listed here: download both tarballs to see all.</p>` : nothing}
<p class="small">${plural(unchangedFiles, 'file')} did not change.</p>`
}

function fileDiff(file: FileDiff, mayOpen: boolean): Markup {
  const { path, change, body } = file
  const lines = body.kind === 'text' ? body.addedLines + body.removedLines : 0
  const isOpen = mayOpen && change !== 'removed' && lines > 0 && lines <= openLines
  return html`<details class="file" ${isOpen ? html`open` : ''}><summary><code>${revealHidden(path)}</code> ${badge(change)} <span class="small">${countsOf(file)}</span></summary>
${content(file)}</details>`
}

function countsOf({ change, beforeBytes, afterBytes, body }: FileDiff): string {
  const size =
    change === 'changed' && beforeBytes !== afterBytes
      ? `${formatBytes(beforeBytes)} → ${formatBytes(afterBytes)}`
      : formatBytes(change === 'removed' ? beforeBytes : afterBytes)
  return body.kind === 'text' ? `+${body.addedLines} −${body.removedLines} lines · ${size}` : size
}

function content({ body }: FileDiff): Markup {
  switch (body.kind) {
    case 'same':
      return html`<p>Its content is the same; it may be run now.</p>`
    case 'binary':
      return html`<p>It is no text. Download both tarballs to compare it.</p>`
    case 'large':
      return html`<p>It is too large to be shown. Download both tarballs to compare it.</p>`
    case 'text':
      return html`${body.isUnfolded ? html`<p class="small">Its lines are too long to be read; they are broken here behind <code>;</code>, <code>{</code> and <code>}</code>.</p>` : nothing}
<div class="scroll" tabindex="0"><pre class="diff">${hunkList(body.hunks)}</pre></div>
${body.isCut ? html`<p class="small">More follows that is not shown.</p>` : nothing}`
  }
}

/** Changed lines with what stands around them, for the inside of a `pre` of the class `diff`. */
export function hunkList(hunks: readonly Hunk[]): Markup {
  return html`${hunks.map(hunkLines)}`
}

function hunkLines({ beforeLine, afterLine, lines }: Hunk): Markup {
  return html`<span class="place">@@ line ${beforeLine} → ${afterLine} @@</span>
${lines.map(({ kind, text }) => {
  if (kind === 'added') return html`<ins>+${text}</ins>\n`
  return kind === 'removed' ? html`<del>−${text}</del>\n` : html`<span> ${text}</span>\n`
})}`
}
