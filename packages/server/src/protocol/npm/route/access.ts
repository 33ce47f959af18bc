// SPDX-License-Identifier: Apache-2.0
/** Who sees and who changes a package (protocol reference, sections 7 and 8). */

import { problem } from '@holdfast/core'
import * as v from 'valibot'
import type { PackagePerson, TfaDemand } from '../../../catalog/index.ts'
import {
  addOwner,
  changeAccess,
  listPackagesOfUser,
  listPeople,
  type Rights,
  readAccess,
  removeOwner,
} from '../../../flow/index.ts'
import type { Answer, Call } from '../../../http/index.ts'
import type { Ports } from '../../../ports.ts'
import { done, json } from '../answer.ts'
import { packageOf, part, readBody } from '../body.ts'
import { type Params, type Route, route } from '../router.ts'

export const accessRoutes: readonly Route[] = [
  route('GET /-/package/:pkg/visibility', visibility),
  route('GET /-/package/:pkg/access', access),
  route('POST /-/package/:pkg/access', postAccess),
  route('GET /-/package/:pkg/collaborators', collaborators),
  route('PUT /-/package/:pkg/owners', putOwner),
  route('DELETE /-/package/:pkg/owners/:user', deleteOwner),
  route('GET /-/user/:user/package', packagesOfUser),
  // pnpm writes the prefix twice.
  route('GET /-/-/package', ownPackages),
]

const change = v.object({
  access: v.nullish(v.picklist(['public', 'restricted'])),
  publish_requires_tfa: v.nullish(v.boolean()),
  automation_token_overrides_tfa: v.nullish(v.boolean()),
})

async function visibility(ports: Ports, call: Call, params: Params): Promise<Answer> {
  return json(200, { public: (await readAccess(ports, call.actor, packageOf(params))) === 'public' })
}

async function access(ports: Ports, call: Call, params: Params): Promise<Answer> {
  return json(200, { access: await readAccess(ports, call.actor, packageOf(params)) })
}

async function postAccess(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const body = await readBody(call, change)
  await changeAccess(ports, call.actor, packageOf(params), {
    ...(body.access == null ? {} : { access: body.access }),
    ...(body.publish_requires_tfa == null ? {} : { requiresTfa: demandOf(body) }),
  })
  return done
}

/** npm's `mfa=none`, `publish` and `automation`; what does not say that tokens may skip it, wants it of all. */
function demandOf(body: v.InferOutput<typeof change>): TfaDemand {
  if (body.publish_requires_tfa !== true) return 'none'
  return body.automation_token_overrides_tfa === true ? 'unless-bypassed' : 'always'
}

/** One path, two shapes: npm wants a map, pnpm (`format=cli`) a list. */
async function collaborators(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const people = await listPeople(ports, call.actor, packageOf(params))
  const user = call.query.get('user')
  const shown = people.filter(person => user === null || person.login === user)
  if (call.query.get('format') !== 'cli')
    return json(200, Object.fromEntries(shown.map(person => [person.login, rightOf(person)])))
  return json(
    200,
    shown.map(person => ({
      user: person.login,
      email: person.email,
      permissions: rightOf(person) === 'write' ? 'read-write' : 'read-only',
    })),
  )
}

async function putOwner(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const { user } = await readBody(call, v.object({ user: v.string() }))
  await addOwner(ports, call.actor, packageOf(params), user)
  return done
}

async function deleteOwner(ports: Ports, call: Call, params: Params): Promise<Answer> {
  await removeOwner(ports, call.actor, packageOf(params), part(params, 'user'))
  return done
}

async function packagesOfUser(ports: Ports, call: Call, params: Params): Promise<Answer> {
  return rightsAnswer(await listPackagesOfUser(ports, call.actor, part(params, 'user')))
}

async function ownPackages(ports: Ports, call: Call): Promise<Answer> {
  if (call.actor.kind !== 'person') throw problem('unauthenticated')
  return rightsAnswer(await listPackagesOfUser(ports, call.actor, call.actor.login))
}

/** Names and rights, as npm prints them. */
export function rightsAnswer(rights: Rights): Answer {
  return json(200, Object.fromEntries(rights))
}

function rightOf(person: PackagePerson): 'read' | 'write' {
  return person.role === 'owner' || person.role === 'maintainer' ? 'write' : 'read'
}
