// SPDX-License-Identifier: Apache-2.0
/** Advisories of this registry's own, written by those who respond. */
import { problem } from '@holdfast/core'
import { publishAdvisory, updateAdvisory, withdrawAdvisory } from '../../flow/index.ts'
import { type Answer, type Call, parseJson } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'
import { json, readBytes } from './body.ts'

const maxBodyBytes = 256 * 1024
const maxWords = 1000

/** `PUT /api/v1/advisories/<id>` and `POST …/<id>/withdraw`. */
export const advisoryPrefix = '/api/v1/advisories/'

/** An OSV document without id and times: answers with the id that it has from now on. */
export async function postAdvisory(ports: Ports, call: Call): Promise<Answer> {
  checkCredentials(call)
  const id = await publishAdvisory(ports, call.actor, parseJson(await readBytes(call, maxBodyBytes)))
  return json(201, { id, url: `${ports.config.publicUrl}/advisories/${id}` })
}

/** Says something else under an id, or takes it back (`{"words": "…"}` says why). */
export async function answerAdvisory(ports: Ports, call: Call, path: string): Promise<Answer> {
  checkCredentials(call)
  const [id = '', act, ...more] = path.slice(advisoryPrefix.length).split('/')
  if (more.length > 0 || (act !== undefined && act !== 'withdraw')) throw problem('not-found')
  if (call.method !== (act === undefined ? 'PUT' : 'POST'))
    throw problem('method-not-allowed', { method: call.method })
  const body = parseJson(await readBytes(call, maxBodyBytes))
  if (act === undefined) await updateAdvisory(ports, call.actor, id, body)
  else await withdrawAdvisory(ports, call.actor, id, wordsOf(body))
  return json(200, { id })
}

function wordsOf(body: unknown): string {
  const words = typeof body === 'object' && body !== null && 'words' in body ? body.words : undefined
  return typeof words === 'string' ? words.slice(0, maxWords) : ''
}

function checkCredentials(call: Call): void {
  if (call.badCredentials !== undefined) throw call.badCredentials
  if (call.actor.kind === 'nobody') throw problem('unauthenticated')
}
