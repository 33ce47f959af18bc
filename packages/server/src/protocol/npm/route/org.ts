// SPDX-License-Identifier: Apache-2.0
/** Organisations and teams (protocol reference, section 8). */
import { parsePackageName, problem } from '@holdfast/core'
import * as v from 'valibot'
import {
  createTeam,
  listMembers,
  listPackagesOfOrg,
  listTeamGrants,
  listTeamMembers,
  listTeams,
  removeMember,
  removeTeam,
  setMember,
  setTeamGrant,
  setTeamMember,
} from '../../../flow/index.ts'
import type { Answer, Call } from '../../../http/index.ts'
import type { Ports } from '../../../ports.ts'
import { done, json } from '../answer.ts'
import { part, readBody } from '../body.ts'
import { type Params, type Route, route } from '../router.ts'
import { rightsAnswer } from './access.ts'

export const orgRoutes: readonly Route[] = [
  route('GET /-/org/:org/package', orgPackages),
  route('GET /-/org/:org/user', roster),
  route('PUT /-/org/:org/user', putMember),
  route('DELETE /-/org/:org/user', deleteMember),
  route('GET /-/org/:org/team', teams),
  route('PUT /-/org/:org/team', putTeam),
  route('DELETE /-/team/:org/:team', deleteTeam),
  route('GET /-/team/:org/:team/user', teamMembers),
  route('PUT /-/team/:org/:team/user', putTeamMember),
  route('DELETE /-/team/:org/:team/user', deleteTeamMember),
  route('GET /-/team/:org/:team/package', teamPackages),
  route('PUT /-/team/:org/:team/package', putGrant),
  route('DELETE /-/team/:org/:team/package', deleteGrant),
  // yarn 1 leaves the prefix out, where `team` is a package's name.
  route('PUT /team/:scope', async () => {
    throw problem('not-found')
  }),
]

const user = v.object({ user: v.string() })
const member = v.object({ user: v.string(), role: v.nullish(v.picklist(['owner', 'admin', 'developer'])) })
const grant = v.object({ package: v.string(), permissions: v.picklist(['read-only', 'read-write']) })

async function orgPackages(ports: Ports, call: Call, params: Params): Promise<Answer> {
  return rightsAnswer(await listPackagesOfOrg(ports, call.actor, orgOf(params)))
}

async function roster(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const members = await listMembers(ports, call.actor, orgOf(params))
  return json(200, Object.fromEntries(members.map(({ login, role }) => [login, role])))
}

async function putMember(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const body = await readBody(call, member)
  const role = body.role ?? 'developer'
  const size = await setMember(ports, call.actor, orgOf(params), body.user, role)
  return json(200, { org: { name: orgOf(params), size }, user: body.user, role })
}

async function deleteMember(ports: Ports, call: Call, params: Params): Promise<Answer> {
  await removeMember(ports, call.actor, orgOf(params), (await readBody(call, user)).user)
  return done
}

/** npm (`format=cli`) wants `org:team`, pnpm objects. */
async function teams(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const org = orgOf(params)
  const names = await listTeams(ports, call.actor, org)
  return json(200, isCli(call) ? names.map(name => `${org}:${name}`) : names.map(name => ({ name })))
}

async function putTeam(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const { name } = await readBody(call, v.object({ name: v.string() }))
  await createTeam(ports, call.actor, orgOf(params), name)
  return json(201, { name })
}

async function deleteTeam(ports: Ports, call: Call, params: Params): Promise<Answer> {
  await removeTeam(ports, call.actor, orgOf(params), part(params, 'team'))
  return done
}

async function teamMembers(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const logins = await listTeamMembers(ports, call.actor, orgOf(params), part(params, 'team'))
  return json(200, isCli(call) ? logins : logins.map(name => ({ name })))
}

async function putTeamMember(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const body = await readBody(call, user)
  await setTeamMember(ports, call.actor, orgOf(params), part(params, 'team'), body.user, true)
  return json(200, { user: body.user })
}

async function deleteTeamMember(ports: Ports, call: Call, params: Params): Promise<Answer> {
  await setTeamMember(
    ports,
    call.actor,
    orgOf(params),
    part(params, 'team'),
    (await readBody(call, user)).user,
    false,
  )
  return done
}

async function teamPackages(ports: Ports, call: Call, params: Params): Promise<Answer> {
  return rightsAnswer(await listTeamGrants(ports, call.actor, orgOf(params), part(params, 'team')))
}

async function putGrant(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const body = await readBody(call, grant)
  const name = parsePackageName(body.package)
  await setTeamGrant(ports, call.actor, orgOf(params), part(params, 'team'), name, body.permissions)
  return done
}

async function deleteGrant(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const body = await readBody(call, v.object({ package: v.string() }))
  const name = parsePackageName(body.package)
  await setTeamGrant(ports, call.actor, orgOf(params), part(params, 'team'), name, undefined)
  return done
}

function orgOf(params: Params): string {
  return part(params, 'org').replace(/^@/, '')
}

function isCli(call: Call): boolean {
  return call.query.get('format') === 'cli'
}
