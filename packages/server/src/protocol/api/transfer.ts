// SPDX-License-Identifier: Apache-2.0
/** Names that are to change hands, by API. */
import { parsePackageName, problem } from '@holdfast/core'
import * as v from 'valibot'
import type { NameTransfer } from '../../community/index.ts'
import { askTransfer, readTransfer, stepTransfer } from '../../flow/index.ts'
import type { Answer, Call } from '../../http/index.ts'
import type { Actor } from '../../identity/index.ts'
import type { Ports } from '../../ports.ts'
import { json, readBody } from './body.ts'

const maxBodyBytes = 16 * 1024
/** One step of a transfer. */
export const transferBody = v.variant('act', [
  v.object({ name: v.string(), act: v.literal('ask'), reason: v.string() }),
  v.object({
    name: v.string(),
    act: v.picklist(['yes', 'no', 'grant', 'refuse', 'confirm', 'stop']),
  }),
])

/** `POST /api/v1/transfers` with `{"name": "…", "act": "ask", "reason": "…"}`, or another step: `yes`, `no`, `confirm`, `stop`. */
export async function postTransfer(ports: Ports, call: Call): Promise<Answer> {
  const person = personOf(call)
  const told = await readBody(call, maxBodyBytes, transferBody)
  const name = parsePackageName(told.name)
  const after =
    told.act === 'ask'
      ? await askTransfer(ports, person, name, told.reason)
      : await stepTransfer(ports, person, name, told.act)
  return json(told.act === 'ask' ? 201 : 200, toJson(after))
}

/** `GET /api/v1/transfers?name=…`: what waits for a name, for its owners, the asker and responders. */
export async function getTransfer(ports: Ports, call: Call): Promise<Answer> {
  const person = personOf(call)
  const name = parsePackageName(call.query.get('name'))
  const told = await readTransfer(ports, person, name)
  if (told === undefined) throw problem('transfer-not-found', { name })
  return json(200, toJson(told))
}

function personOf(call: Call): Extract<Actor, { kind: 'person' }> {
  if (call.badCredentials !== undefined) throw call.badCredentials
  if (call.actor.kind !== 'person') throw problem('unauthenticated')
  return call.actor
}

function toJson(told: NameTransfer) {
  const { id, package: name, state, answer, answerBy, grantedBy, effectAt } = told
  return {
    id,
    name,
    state,
    answer,
    answerBy: new Date(answerBy).toISOString(),
    grants: grantedBy.length,
    effectAt: effectAt === null ? null : new Date(effectAt).toISOString(),
  }
}
