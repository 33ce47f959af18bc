// SPDX-License-Identifier: Apache-2.0
/** Incidents for those who respond, operate or audit: list, record, notes and the end. */
import { problem } from '@holdfast/core'
import * as v from 'valibot'
import {
  actOnIncident,
  closeCase,
  letGo,
  listIncidents,
  openByHand,
  parseSubject,
  readIncident,
} from '../../flow/index.ts'
import type { Answer, Call } from '../../http/index.ts'
import { formatRecord } from '../../incident/index.ts'
import type { Ports } from '../../ports.ts'
import { json, readBody } from './body.ts'

const maxBodyBytes = 64 * 1024
const listed = 200
const words = v.pipe(v.string(), v.maxLength(2000))
/** A note to an incident. */
export const noteBody = v.object({ words })
const named = v.pipe(v.string(), v.maxLength(400))
/** An incident that a person opens. */
export const incidentBody = v.object({
  title: words,
  severity: v.optional(v.picklist(['low', 'moderate', 'high', 'critical']), 'high'),
  subject: v.optional(named, ''),
})
/** What else an incident is about. */
export const subjectBody = v.object({ subject: named })
/** How an incident ended. */
export const closeBody = v.object({
  words,
  outcome: v.optional(v.picklist(['confirmed', 'dismissed', 'closed']), 'closed'),
})

/** All of this lies below it. */
export const incidentsPath = '/api/v1/incidents'

/**
 * `GET /api/v1/incidents`, `GET …/<id>`, `GET …/<id>/export` (Markdown), `POST /api/v1/incidents` with `{"title", "severity"?,
 * "subject"?}`, `POST …/<id>/notes` with `{"words"}`, `POST …/<id>/subjects` with `{"subject"}` (a package, or one version of it),
 * `POST …/<id>/release` with `{"subject"}` (one version: its `state` is `asked`, or `released` where somebody else had asked),
 * `POST …/<id>/take`, and `POST …/<id>/close` with `{"words", "outcome"?}`: its
 * `state` is `asked` where a second person has to say so too.
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
    case 'POST ': {
      if (id !== '') throw problem('not-found')
      const body = await readBody(call, maxBodyBytes, incidentBody)
      const subject = parseSubject(body.subject)
      return json(201, { id: await openByHand(ports, actor, { ...body, subject }) })
    }
    case 'POST subjects': {
      const subject = parseSubject((await readBody(call, maxBodyBytes, subjectBody)).subject)
      if (subject === undefined) throw problem('invalid-body', { why: 'it names no package' })
      await actOnIncident(ports, actor, id, { kind: 'subject', subject })
      return json(201, { id })
    }
    case 'POST release': {
      const subject = parseSubject((await readBody(call, maxBodyBytes, subjectBody)).subject)
      if (subject === undefined || subject.version === '')
        throw problem('invalid-body', { why: 'it names no version' })
      const { package: name, version } = subject
      return json(200, { id, state: await letGo(ports, actor, id, { name, version }) })
    }
    case 'POST take':
      await actOnIncident(ports, actor, id, { kind: 'take' })
      return json(200, { id })
    case 'GET export':
      return markdown(formatRecord(await readIncident(ports, actor, id)))
    case 'POST notes':
      await actOnIncident(ports, actor, id, {
        kind: 'note',
        ...(await readBody(call, maxBodyBytes, noteBody)),
      })
      return json(201, { id })
    case 'POST close': {
      const body = await readBody(call, maxBodyBytes, closeBody)
      const state = await closeCase(ports, actor, id, body.words, body.outcome)
      return json(200, { id, state })
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
