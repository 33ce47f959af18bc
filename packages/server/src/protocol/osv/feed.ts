// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import type { OsvRecord } from '../../catalog/index.ts'
import { listNewestAdvisories } from '../../flow/index.ts'
import type { Answer, Call } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'

const maxSummary = 2000

/** What changed last, as Atom (RFC 4287): an entry keeps its id as long as the advisory has its own. */
export async function answerFeed(ports: Ports, { actor, headers }: Call): Promise<Answer> {
  const { publicUrl, read } = ports.config
  const newest = await listNewestAdvisories(ports, actor)
  const body = formatFeed(publicUrl, newest)
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`
  const said = {
    etag,
    'cache-control': `${read === 'anyone' ? 'public' : 'private'}, max-age=300`,
    'x-content-type-options': 'nosniff',
  }
  if (headers['if-none-match'] === etag) return { status: 304, headers: said }
  return { status: 200, headers: { ...said, 'content-type': 'application/atom+xml; charset=utf-8' }, body }
}

function formatFeed(publicUrl: string, records: readonly OsvRecord[]): string {
  const self = `${publicUrl}/feed/advisories.atom`
  const updated = toTime(records[0]?.modifiedAt ?? 0)
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <id>${escapeXml(self)}</id>
  <title>Advisories</title>
  <updated>${updated}</updated>
  <author><name>${escapeXml(new URL(publicUrl).host)}</name></author>
  <link rel="self" type="application/atom+xml" href="${escapeXml(self)}"/>
${records.map(each => formatEntry(publicUrl, each)).join('')}</feed>
`
}

function formatEntry(publicUrl: string, { id, text, modifiedAt, withdrawnAt }: OsvRecord): string {
  const { summary, details, published } = readWords(text)
  const address = `${publicUrl}/osv/v1/vulns/${encodeURIComponent(id)}`
  const title = `${withdrawnAt === null ? '' : 'Withdrawn: '}${id}${summary === '' ? '' : `: ${summary}`}`
  return `  <entry>
    <id>${escapeXml(address)}</id>
    <title>${escapeXml(title.slice(0, 500))}</title>
    <updated>${toTime(modifiedAt)}</updated>
    <published>${toTime(Number.isNaN(published) ? modifiedAt : published)}</published>
    <link rel="alternate" type="application/json" href="${escapeXml(address)}"/>
    <summary>${escapeXml((details || summary || id).slice(0, maxSummary))}</summary>
  </entry>
`
}

/** What people read of a record; whatever stands in it was read leniently when it came. */
function readWords(text: string): {
  readonly summary: string
  readonly details: string
  readonly published: number
} {
  const told = JSON.parse(text) as Readonly<Record<string, unknown>>
  const say = (value: unknown) => (typeof value === 'string' ? value : '')
  return {
    summary: say(told['summary']),
    details: say(told['details']),
    published: Date.parse(say(told['published'])),
  }
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
