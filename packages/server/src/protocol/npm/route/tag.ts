// SPDX-License-Identifier: Apache-2.0
/** `npm dist-tag` (protocol reference, section 8). */
import { parseDistTag, parseVersion } from '@holdfast/core'
import * as v from 'valibot'
import { readTags, removeTag, setTag } from '../../../flow/index.ts'
import type { Answer, Call } from '../../../http/index.ts'
import type { Ports } from '../../../ports.ts'
import { done, json } from '../answer.ts'
import { packageOf, part, readBody } from '../body.ts'
import { type Params, type Route, route } from '../router.ts'

export const tagRoutes: readonly Route[] = [
  route('GET /-/package/:pkg/dist-tags', listTags),
  route('PUT /-/package/:pkg/dist-tags/:tag', putTag),
  route('DELETE /-/package/:pkg/dist-tags/:tag', deleteTag),
]

async function listTags(ports: Ports, call: Call, params: Params): Promise<Answer> {
  return json(200, Object.fromEntries(await readTags(ports, call.actor, packageOf(params))))
}

/** The body is a bare JSON string. */
async function putTag(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const tag = parseDistTag(params['tag'])
  const version = parseVersion(await readBody(call, v.string()))
  await setTag(ports, call.actor, packageOf(params), tag, version)
  return done
}

async function deleteTag(ports: Ports, call: Call, params: Params): Promise<Answer> {
  await removeTag(ports, call.actor, packageOf(params), parseDistTag(part(params, 'tag')))
  return done
}
