// SPDX-License-Identifier: Apache-2.0
import type { SearchHit } from '../../../catalog/index.ts'
import { searchPackages } from '../../../flow/index.ts'
import type { Answer, Call } from '../../../http/index.ts'
import type { Ports } from '../../../ports.ts'
import { json } from '../answer.ts'
import { type Route, route } from '../router.ts'

const maxSize = 250

export const searchRoutes: readonly Route[] = [route('GET /-/v1/search', search)]

async function search(ports: Ports, call: Call): Promise<Answer> {
  const size = whole(call.query.get('size'), 20, maxSize)
  const from = whole(call.query.get('from'), 0, 100_000)
  const { total, hits } = await searchPackages(
    ports,
    call.actor,
    (call.query.get('text') ?? '').slice(0, 300),
    from,
    size,
  )
  // npm parses this as a stream and wants `objects` on the top level.
  const objects = hits.map(hit => toObject(hit, ports.config.publicUrl))
  return json(200, { objects, total, time: new Date(ports.clock()).toISOString() })
}

function toObject(hit: SearchHit, publicUrl: string): unknown {
  const maintainers = hit.maintainers.map(({ login, email }) => ({ username: login, email }))
  const publisher = maintainers.find(each => each.username === hit.publisherLogin) ?? {
    username: hit.publisherLogin,
    email: '',
  }
  return {
    package: {
      name: hit.name,
      version: hit.version,
      description: hit.description,
      keywords: hit.keywords,
      date: new Date(hit.modifiedAt).toISOString(),
      links: { npm: `${publicUrl}/package/npm/${hit.name}` },
      publisher,
      maintainers,
    },
    score: { final: hit.score, detail: { quality: 0, popularity: hit.downloads, maintenance: 0 } },
    searchScore: hit.score,
  }
}

function whole(text: string | null, fallback: number, most: number): number {
  return text !== null && /^\d{1,9}$/.test(text) ? Math.min(Number(text), most) : fallback
}
