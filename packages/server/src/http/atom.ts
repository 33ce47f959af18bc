// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import type { Ports } from '../ports.ts'
import type { Answer, Call } from './call.ts'

const maxTitle = 500

/** One entry of a feed. */
export interface AtomEntry {
  /** Stays the same as long as it is about the same. */
  readonly id: string
  readonly title: string
  readonly updatedAt: number
  readonly publishedAt: number
  readonly link: { readonly type: string; readonly href: string }
  readonly summary: string
}

/** A feed, entries newest first. */
export interface AtomFeed {
  /** Below the root of this registry. */
  readonly path: string
  readonly title: string
  readonly entries: readonly AtomEntry[]
  /** Only for whoever asked: nobody in between keeps it. */
  readonly isPrivate?: boolean
}

/** A feed as Atom (RFC 4287), or 304 for who has it. */
export function answerAtom({ config }: Ports, { headers }: Call, feed: AtomFeed): Answer {
  const body = formatFeed(config.publicUrl, feed)
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`
  const isPublic = config.read === 'anyone' && feed.isPrivate !== true
  const said = {
    etag,
    'cache-control': `${isPublic ? 'public' : 'private'}, max-age=300`,
    'x-content-type-options': 'nosniff',
  }
  if (headers['if-none-match'] === etag) return { status: 304, headers: said }
  return { status: 200, headers: { ...said, 'content-type': 'application/atom+xml; charset=utf-8' }, body }
}

function formatFeed(publicUrl: string, { path, title, entries }: AtomFeed): string {
  const self = publicUrl + path
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <id>${escapeXml(self)}</id>
  <title>${escapeXml(title)}</title>
  <updated>${toTime(entries[0]?.updatedAt ?? 0)}</updated>
  <author><name>${escapeXml(new URL(publicUrl).host)}</name></author>
  <link rel="self" type="application/atom+xml" href="${escapeXml(self)}"/>
${entries.map(formatEntry).join('')}</feed>
`
}

function formatEntry({ id, title, updatedAt, publishedAt, link, summary }: AtomEntry): string {
  return `  <entry>
    <id>${escapeXml(id)}</id>
    <title>${escapeXml(title.slice(0, maxTitle))}</title>
    <updated>${toTime(updatedAt)}</updated>
    <published>${toTime(publishedAt)}</published>
    <link rel="alternate" type="${escapeXml(link.type)}" href="${escapeXml(link.href)}"/>
    <summary>${escapeXml(summary)}</summary>
  </entry>
`
}

/** Years beyond 9999 are no time in Atom, and no reader of a feed wants them. */
function toTime(at: number): string {
  return new Date(Math.min(Math.max(at, 0), 253_402_300_799_000)).toISOString()
}

/** Also without what XML 1.0 has no place for: most control characters, halves of pairs. */
function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[<>&"']/g, character => `&#${character.charCodeAt(0)};`)
}
