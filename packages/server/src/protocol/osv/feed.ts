// SPDX-License-Identifier: Apache-2.0
import type { OsvRecord } from '../../catalog/index.ts'
import { listNewestAdvisories } from '../../flow/index.ts'
import { type Answer, type AtomEntry, answerAtom, type Call } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'

const maxSummary = 2000

/** What changed last, as Atom (RFC 4287): an entry keeps its id as long as the advisory has its own. */
export async function answerFeed(ports: Ports, call: Call): Promise<Answer> {
  const { publicUrl } = ports.config
  const newest = await listNewestAdvisories(ports, call.actor)
  const entries = newest.map(each => toEntry(publicUrl, each))
  return answerAtom(ports, call, { path: '/feed/advisories.atom', title: 'Advisories', entries })
}

function toEntry(publicUrl: string, { id, text, modifiedAt, withdrawnAt }: OsvRecord): AtomEntry {
  const { summary, details, published } = readWords(text)
  const address = `${publicUrl}/osv/v1/vulns/${encodeURIComponent(id)}`
  return {
    id: address,
    title: `${withdrawnAt === null ? '' : 'Withdrawn: '}${id}${summary === '' ? '' : `: ${summary}`}`,
    updatedAt: modifiedAt,
    publishedAt: Number.isNaN(published) ? modifiedAt : published,
    link: { type: 'application/json', href: address },
    summary: (details || summary || id).slice(0, maxSummary),
  }
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
