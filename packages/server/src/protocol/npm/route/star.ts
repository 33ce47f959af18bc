// SPDX-License-Identifier: Apache-2.0
/** Stars in npm's and pnpm's forms (protocol reference, section 12). */
import { parsePackageName, problem } from '@holdfast/core'
import * as v from 'valibot'
import { listStars, star } from '../../../flow/index.ts'
import type { Answer, Call } from '../../../http/index.ts'
import type { Ports } from '../../../ports.ts'
import { done, json } from '../answer.ts'
import { packageOf, part, readBody } from '../body.ts'
import { type Params, type Route, route } from '../router.ts'

export const starRoutes: readonly Route[] = [
  route('GET /-/_view/starredByUser', starredByUser),
  route('GET /-/user/v1/star', ownStars),
  route('PUT /-/user/v1/star', (ports, call) => starNamed(ports, call, true)),
  route('DELETE /-/user/v1/star', (ports, call) => starNamed(ports, call, false)),
  route('PUT /-/user/package/:pkg/star', (ports, call, params) => starThis(ports, call, params, true)),
  route('DELETE /-/user/package/:pkg/star', (ports, call, params) => starThis(ports, call, params, false)),
  route('GET /-/user/:user/stars', starsOf),
  route('GET /-/util/user/:user/stars', starsOf),
]

const named = v.object({ name: v.nullish(v.string()), package: v.nullish(v.string()) })

/** `key` is a JSON string. */
async function starredByUser(ports: Ports, call: Call): Promise<Answer> {
  const login = (call.query.get('key') ?? '').replace(/^"(.*)"$/s, '$1')
  const names = await listStars(ports, call.actor, login)
  return json(200, { rows: names.map(value => ({ value })) })
}

async function ownStars(ports: Ports, call: Call): Promise<Answer> {
  if (call.actor.kind !== 'person') throw problem('unauthenticated')
  return starsAnswer(await listStars(ports, call.actor, call.actor.login))
}

async function starsOf(ports: Ports, call: Call, params: Params): Promise<Answer> {
  return starsAnswer(await listStars(ports, call.actor, part(params, 'user')))
}

async function starNamed(ports: Ports, call: Call, starred: boolean): Promise<Answer> {
  const body = await readBody(call, named)
  await star(ports, call.actor, parsePackageName(body.package ?? body.name), starred)
  return done
}

async function starThis(ports: Ports, call: Call, params: Params, starred: boolean): Promise<Answer> {
  await star(ports, call.actor, packageOf(params), starred)
  return done
}

function starsAnswer(names: readonly string[]): Answer {
  return json(200, Object.fromEntries(names.map(name => [name, true])))
}
