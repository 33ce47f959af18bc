// SPDX-License-Identifier: Apache-2.0
/**
 * Alerts in the shape of whoever reads them. Where a tool knows text without markup, words from outside are that; elsewhere they stand as
 * code, in which no tool looks for markup: they make no link, call nobody (`<!channel>`, `@everyone`) and write no second line.
 */
import type { Webhook } from '../config.ts'
import type { Alert } from './alert.ts'

/** One alert, its words cut and in one line. */
interface Line {
  readonly kind: string
  /** Package and version, or empty. */
  readonly spec: string
  readonly words: string
  readonly url: string
  readonly at: number
}

/** What is left out of a message, and where all of it is. */
interface Rest {
  readonly count: number
  readonly url: string
}

interface Shape {
  /** A message with more is read by nobody, or not taken. */
  readonly mostLines: number
  /** Of the whole body; fewer alerts are shown where it would be larger. */
  readonly mostBytes: number
  format(lines: readonly Line[], rest: Rest): unknown
}

/** In characters. */
const most = { spec: 120, words: 400, notice: 3000 }
/** As the tools document them: what is beyond is cut, or the whole message refused. */
const shapes: Readonly<Record<Exclude<Webhook['as'], 'json'>, Shape>> = {
  // Google Chat takes 4,096 characters, Rocket.Chat 5,000, others more.
  chat: { mostLines: 20, mostBytes: 4000, format: toText },
  // 50 blocks, 3,000 characters in the text of one.
  slack: { mostLines: 20, mostBytes: 64 * 1024, format: toSlack },
  // 16,383 characters.
  mattermost: { mostLines: 20, mostBytes: 16_000, format: toMattermost },
  // Ten embeds, and 6,000 characters in all of their texts.
  discord: { mostLines: 10, mostBytes: 6000, format: toDiscord },
  // 28 KB.
  teams: { mostLines: 20, mostBytes: 24_000, format: toTeams },
}

/** The body of a message with these alerts, one at least. */
export function formatAlerts(as: Webhook['as'], alerts: readonly Alert[], publicUrl: string): string {
  if (as === 'json') return JSON.stringify(toJson(alerts, publicUrl))
  const { mostLines, mostBytes, format } = shapes[as]
  const lines = alerts.slice(0, mostLines).map(alert => toLine(alert, publicUrl))
  for (let shown = lines.length; ; shown--) {
    const rest = { count: alerts.length - shown, url: `${publicUrl}/operate/audit` }
    const body = JSON.stringify(format(lines.slice(0, shown), rest))
    if (shown <= 1 || Buffer.byteLength(body) <= mostBytes) return body
  }
}

function toJson(alerts: readonly Alert[], publicUrl: string): unknown {
  return {
    registry: publicUrl,
    alerts: alerts.map(({ at, path, ...alert }) => ({
      ...alert,
      time: new Date(at).toISOString(),
      url: publicUrl + encodeURI(path),
    })),
  }
}

function toLine({ kind, words, path, at, ...about }: Alert, publicUrl: string): Line {
  const spec = [about.package, about.version].filter(Boolean).join('@')
  return {
    kind,
    spec: inOneLine(spec, most.spec),
    words: inOneLine(words, most.words),
    url: publicUrl + encodeURI(path),
    at,
  }
}

/** Cut first: half a character at the end is what no tool takes. */
function inOneLine(text: string, length: number): string {
  return text
    .slice(0, length)
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
}

/** `text` alone, of which nobody knows who reads it: what any of them takes for markup is broken up. */
function toText(lines: readonly Line[], rest: Rest): unknown {
  const told = lines.map(({ kind, spec, words, url }) =>
    [`*${kind}*`, escapeSlack(asCode(spec)), escapeText(words), url].filter(Boolean).join(' '),
  )
  return { text: [...told, ...listRest(rest, url => url)].join('\n') }
}

/** `&`, `<` and `>` as Slack has them escaped everywhere, in code too. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function escapeText(words: string): string {
  return escapeSlack(words)
    .replaceAll('`', "'")
    .replaceAll('@', '@\u200b')
    .replaceAll('://', ':\u200b//')
    .replaceAll('](', ']\u200b(')
}

/** `text` is what notifications say. */
function toSlack(lines: readonly Line[], rest: Rest): unknown {
  const told = lines.flatMap(({ kind, spec, words, url }) => [
    {
      type: 'section',
      text: { type: 'plain_text', emoji: false, text: [`${kind}:`, spec, words].filter(Boolean).join(' ') },
    },
    { type: 'context', elements: [{ type: 'mrkdwn', verbatim: true, text: `<${url}|${kind}>` }] },
  ])
  const more = listRest(rest, url => `<${url}|all>`).map(text => ({
    type: 'section',
    text: { type: 'mrkdwn', verbatim: true, text },
  }))
  const named = lines.map(({ kind, spec }) => `${kind} ${escapeText(spec)}`.trim())
  return { text: named.join(', ').slice(0, most.notice), blocks: [...told, ...more] }
}

function toMattermost(lines: readonly Line[], rest: Rest): unknown {
  const told = lines.map(({ kind, spec, words, url }) =>
    [`**${kind}**`, asCode(spec), asCode(words), `<${url}>`].filter(Boolean).join(' '),
  )
  return { text: [...told, ...listRest(rest, url => `<${url}>`)].join('\n\n') }
}

function toDiscord(lines: readonly Line[], rest: Rest): unknown {
  const embeds = lines.map(({ kind, spec, words, url, at }) => ({
    title: kind,
    url,
    description: [asCode(spec), asCode(words)].filter(Boolean).join(' '),
    timestamp: new Date(at).toISOString(),
  }))
  return { content: listRest(rest, url => `<${url}>`).join(''), embeds, allowed_mentions: { parse: [] } }
}

/** An Adaptive Card, as a flow of Teams takes it that is started by a webhook. Runs of text know no markup. */
function toTeams(lines: readonly Line[], rest: Rest): unknown {
  const block = (...inlines: readonly unknown[]) => ({ type: 'RichTextBlock', inlines })
  const run = (text: string, looks = {}) => ({ type: 'TextRun', text, ...looks })
  const link = (url: string) => ({ selectAction: { type: 'Action.OpenUrl', url } })
  const told = lines.map(({ kind, spec, words, url }) =>
    block(
      run(kind, { weight: 'Bolder', ...link(url) }),
      run(` ${spec} `, { fontType: 'Monospace' }),
      run(words === '' ? ' ' : words),
    ),
  )
  const more = rest.count > 0 ? [block(run(`and ${rest.count} more`, link(rest.url)))] : []
  const content = {
    type: 'AdaptiveCard',
    version: '1.4',
    msteams: { width: 'Full' },
    body: [...told, ...more],
  }
  const contentType = 'application/vnd.microsoft.card.adaptive'
  return { type: 'message', attachments: [{ contentType, contentUrl: null, content }] }
}

/** A code span of Markdown, or nothing. */
function asCode(text: string): string {
  return text === '' ? '' : `\`${text.replaceAll('`', "'")}\``
}

function listRest({ count, url }: Rest, linkTo: (url: string) => string): readonly string[] {
  return count > 0 ? [`and ${count} more: ${linkTo(url)}`] : []
}
