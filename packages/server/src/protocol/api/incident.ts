// SPDX-License-Identifier: Apache-2.0
/** Incidents for those who respond, operate or audit: list, record, notes and the end. */
import { problem } from '@holdfast/core'
import * as v from 'valibot'
import { actOnIncident, closeCase, listIncidents, readIncident } from '../../flow/index.ts'
import type { Answer, Call } from '../../http/index.ts'
import { formatRecord } from '../../incident/index.ts'
import type { Ports } from '../../ports.ts'
import { json, readBody } from './body.ts'

const maxBodyBytes = 64 * 1024
const listed = 200
const words = v.pipe(v.string(), v.maxLength(2000))
const noted = v.object({ words })
const closed = v.object({
  words,
  outcome: v.optional(v.picklist(['confirmed', 'dismissed', 'closed']), 'closed'),
})

/** All of this lies below it. */
export const incidentsPath = '/api/v1/incidents'

/**
 * `GET /api/v1/incidents`, `GET …/<id>`, `GET …/<id>/export` (Markdown), `POST …/<id>/notes` with `{"words"}`, and
 * `POST …/<id>/close` with `{"words", "outcome"?}`.
 */
export async function answerIncidents(ports: Ports, call: Call, path: string): Promise<Answer> {
  if (call.badCredentials !== undefined) throw call.badCredentials
  const [id = '', act = '', ...rest] = path.slice(incidentsPath.length + 1).split('/')
  if (rest.length > 0) throw problem('not-found')
  const { actor } = call
  switch (`${call.method} ${act}`) {
    case 'GET ':
      return id === ''
        ? json(200, { incidents: await listIncidents(ports, actor, listed) })
        : json(200, await readIncident(ports, actor, id))
    case 'GET export':
      return markdown(formatRecord(await readIncident(ports, actor, id)))
    case 'POST notes':
      await actOnIncident(ports, actor, id, { kind: 'note', ...(await readBody(call, maxBodyBytes, noted)) })
      return json(201, { id })
    case 'POST close': {
      const body = await readBody(call, maxBodyBytes, closed)
      await closeCase(ports, actor, id, body.words, body.outcome)
      return json(200, { id })
    }
    default:
      throw problem('not-found')
  }
}

function markdown(body: string): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'text/markdown; charset=utf-8', 'cache-control': 'no-store' },
    body,
  }
}
