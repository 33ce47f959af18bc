// SPDX-License-Identifier: Apache-2.0
/** An assessment as one page that stands alone: no script, nothing fetched. */
import { type CapabilityTrack, capabilities as catalogue } from '@holdfast/core'
import type { Assessment, CapabilityResult, LevelTrack } from './assessment.ts'
import { listGaps } from './gap.ts'
import { marks, type Occasion } from './report.ts'

const titles: Readonly<Record<CapabilityTrack, string>> = {
  authentication: 'Authentication',
  authorization: 'Authorization',
  general: 'General',
  cli: 'Command line',
  beyond: 'Beyond the framework',
}

const style = `:root{color-scheme:light dark;--line:#8884;--good:#1a7f37;--bad:#cf222e;--accent:#2563eb}
@media (prefers-color-scheme:dark){:root{--good:#4ac26b;--bad:#ff7b72;--accent:#79a8ff}}
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid var(--line);padding:.4rem .6rem;text-align:left;vertical-align:top}
td ul{margin:0;padding-left:1.1rem}.scroll{overflow-x:auto}.nowrap{white-space:nowrap}
.pass{color:var(--good)}.fail{color:var(--bad)}rect.on{fill:var(--accent)}rect.off{fill:none;stroke:var(--line)}svg text{fill:currentColor;font:14px system-ui,sans-serif}`

/** The page; everything in it that came from elsewhere is escaped. */
export function formatAssessmentHtml(result: Assessment, { subject, at }: Occasion): string {
  const passed = result.capabilities.filter(({ status }) => status === 'pass').length
  const title = `Assessment of ${subject}`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${toHtml(title)}</title><style>${style}</style></head><body>
<h1>${toHtml(title)}</h1>
<p>${at.toISOString()} · Principles for Package Repository Security ${result.framework} · ${passed} of ${result.capabilities.length} capabilities pass.</p>
${scorecard(result.levels)}
<h2>To close next</h2>
${gapTable(result)}
${Object.entries(titles)
  .map(([track, name]) => trackTable(track as CapabilityTrack, name, result))
  .join('\n')}
</body></html>
`
}

/** Three boxes a track, as many of them full as levels are reached; the words beside say the same. */
function scorecard(levels: Assessment['levels']): string {
  const rows = Object.entries(levels).map(([track, level], row) => {
    const boxes = [1, 2, 3].map(
      each =>
        `<rect class="${each <= level ? 'on' : 'off'}" x="${170 + each * 60}" y="${row * 34 + 6}" width="52" height="22" rx="3"/>`,
    )
    const words = `<text x="0" y="${row * 34 + 22}">${titles[track as LevelTrack]}</text><text x="430" y="${row * 34 + 22}">level ${level} of 3</text>`
    return words + boxes.join('')
  })
  const said = Object.entries(levels).map(([track, level]) => `${titles[track as LevelTrack]} ${level} of 3`)
  return `<svg role="img" aria-label="Levels: ${said.join(', ')}" viewBox="0 0 540 140" width="540">${rows.join('')}</svg>`
}

function gapTable(result: Assessment): string {
  const gaps = listGaps(result)
  if (gaps.length === 0) return '<p>Nothing: every capability that applies passes.</p>'
  const rows = gaps.map(
    ({ id, capability, effect, effort }) =>
      `<tr><td><code>${id}</code><br>${toHtml(capability.mustBeTrue)}</td><td>${toHtml(effect)}</td><td class="nowrap">${effort}</td></tr>`,
  )
  return table(['Capability', 'What closing it brings', 'Work'], rows)
}

function trackTable(track: CapabilityTrack, name: string, { capabilities }: Assessment): string {
  const rows = capabilities.flatMap(each => {
    const capability = catalogue.find(({ id }) => id === each.id)
    return capability?.track === track ? [row(each, capability.mustBeTrue)] : []
  })
  return `<h2>${name}</h2>${table(['Capability', 'Level', 'State', 'What shows it'], rows)}`
}

function row({ id, level, status, evidence }: CapabilityResult, mustBeTrue: string): string {
  const lines = evidence.map(line => `<li>${withLinks(line)}</li>`)
  return `<tr id="${id}"><td><code>${id}</code><br>${toHtml(mustBeTrue)}</td><td>${level ?? '–'}</td><td class="nowrap ${status}">${marks[status]}</td><td>${lines.length > 0 ? `<ul>${lines.join('')}</ul>` : ''}</td></tr>`
}

function table(heads: readonly string[], rows: readonly string[]): string {
  const head = heads.map(each => `<th scope="col">${each}</th>`).join('')
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}

/** Addresses in evidence lead there; what is no https address stays text. */
function withLinks(line: string): string {
  return line
    .split(/(https:\/\/[^\s"'<>]+)/)
    .map((part, at) =>
      at % 2 === 1 ? `<a rel="noreferrer" href="${toHtml(part)}">${toHtml(part)}</a>` : toHtml(part),
    )
    .join('')
}

function toHtml(text: string): string {
  return text.replace(/[&<>"']/g, letter => `&#${letter.charCodeAt(0)};`)
}
