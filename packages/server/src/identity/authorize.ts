// SPDX-License-Identifier: Apache-2.0
import { isPackageName, matchesName, type PackageName, problem, scopeOf } from '@holdfast/core'
import type { PackageRole } from '../catalog/index.ts'
import type { Ports } from '../ports.ts'
import { type Actor, isMachine, type Machine, type TokenLimits } from './actor.ts'
import { noteDenial } from './denial.ts'
import { staysInSandbox } from './drill.ts'
import { checkNotFrozen, closures } from './freeze.ts'
import type { Grant } from './grant.ts'
import { letsIn } from './machine.ts'
import { type Needs, type Operation, operations, type Rule } from './operation.ts'
import type { OrgRole } from './port.ts'
import { forbid, forbidToken } from './refusal.ts'

const packageRoles: readonly PackageRole[] = ['reader', 'triager', 'maintainer', 'owner']
const orgRoles: readonly OrgRole[] = ['developer', 'admin', 'owner']

/** All that somebody can do whose password others have seen. */
const allowedWhenLeaked: ReadonlySet<Operation> = new Set([
  'session:create',
  'account:read',
  'account:password',
  'account:sign-out',
])

type Person = Extract<Actor, { kind: 'person' }>
type Asked = Pick<Ports, 'store' | 'config'> & Partial<Pick<Ports, 'trail'>>

/**
 * The one place that decides who may do what. Throws `unauthenticated`, `forbidden`, `read-only-token` or
 * `email-unverified`; hides private packages behind `package-not-found`.
 */
export async function authorize(
  ports: Asked,
  actor: Actor,
  operation: Operation,
  subject: string,
): Promise<Grant> {
  try {
    return await decide(ports, actor, operation, subject)
  } catch (refusal) {
    noteDenial(ports, actor, operation, subject, refusal)
    throw refusal
  }
}

async function decide(ports: Asked, actor: Actor, operation: Operation, subject: string): Promise<Grant> {
  const rule: Rule = operations[operation]
  if (!(await holds(ports, actor, rule, subject))) throw await refusal(ports, actor, operation, subject)
  if (actor.kind === 'person') {
    if (mustWait(actor, operation))
      throw problem('password-leaked', { link: `${ports.config.publicUrl}/account/password` })
    checkToken(actor, rule, subject, operation)
    if (rule.token !== 'read' && rule.token !== 'never' && !actor.verified) throw problem('email-unverified')
  }
  const closed = closures(actor, operation, subject)
  const jobs = closed.length > 0 && actor.kind === 'job' ? await issuerOf(ports, actor.id) : []
  await checkNotFrozen(ports.store, [...closed, ...jobs])
  return { actor, operation, subject } as Grant
}

/** A job that came in before its issuer was frozen writes nothing more. */
async function issuerOf({ store }: Asked, publisherId: string): Promise<readonly string[]> {
  const found = await store.identity.findPublisher(publisherId)
  return found === undefined ? [] : [`issuer:${found.issuer}`]
}

/** True when `authorize` would say yes. */
export async function may(
  ports: Asked,
  actor: Actor,
  operation: Operation,
  subject: string,
): Promise<boolean> {
  const rule: Rule = operations[operation]
  return (
    (await holds(ports, actor, rule, subject)) &&
    (actor.kind !== 'person' || (tokenAllows(actor, rule, subject) && !mustWait(actor, operation)))
  )
}

/** Whoever came in with a leaked password may be its thief. */
function mustWait(actor: Person, operation: Operation): boolean {
  return actor.mustChangePassword === true && !allowedWhenLeaked.has(operation)
}

/** True when this actor may read public packages: the hot path's short cut, without asking the store. */
export function mayReadPublic(config: Ports['config'], actor: Pick<Actor, 'kind'>): boolean {
  if (config.read === 'anyone') return true
  // A job that publishes reads its own package, and nothing else that is not for anyone.
  return isMachine(actor) ? actor.credential.limits.readsOrgs !== undefined : actor.kind !== 'nobody'
}

async function holds(ports: Asked, actor: Actor, rule: Rule, subject: string): Promise<boolean> {
  if (actor.kind === 'operator' || actor.kind === 'system') return true
  if (!staysInSandbox(actor, rule.needs, subject)) return false
  if (isMachine(actor)) return machineHolds(ports, actor, rule, subject)
  const needs: Needs = rule.needs
  switch (needs.on) {
    case 'anyone':
      return true
    case 'machine':
      return false
    case 'signed-in':
      return actor.kind === 'person' && actor.verified
    case 'self':
      return actor.kind === 'person' && actor.id === subject
    case 'instance':
      return actor.kind === 'person' && needs.roles.some(role => actor.roles.includes(role))
    case 'org':
      return (
        actor.kind === 'person' &&
        reaches(orgRoles, await ports.store.identity.orgRole(actor.id, subject), needs.role)
      )
    case 'name':
      return actor.kind === 'person' && mayCreate(ports, actor, subject as PackageName)
    case 'package':
      return holdsOnPackage(ports, actor, subject as PackageName, needs.role)
  }
}

/** A machine reads and publishes within the limits of its token, and does nothing else: no tags, no people, no tokens. */
async function machineHolds(ports: Asked, actor: Machine, rule: Rule, subject: string): Promise<boolean> {
  const { limits } = actor.credential
  if (rule.needs.on === 'machine') return true
  if (rule.machine === undefined) return false
  // What it publishes is named; a token that names nothing publishes nothing.
  const isNamed = limits.packages !== undefined && touches(limits, subject)
  if (isNamed) return rule.machine === 'read' || allows(limits, rule.machine === 'stage' ? 'stage' : 'write')
  if (rule.machine !== 'read') return false
  const found = await ports.store.catalog.findPackage(subject as PackageName)
  if (found === undefined || found.access === 'public') return mayReadPublic(ports.config, actor)
  const org = limits.readsOrgs?.find(each => scopeOf(subject as PackageName) === `@${each}`)
  return org !== undefined && (actor.kind === 'robot' || (await isStillLetIn(ports, actor, org)))
}

/** A job's token reads for several organisations; each may end it for itself. */
async function isStillLetIn({ store }: Asked, { id, credential }: Machine, org: string): Promise<boolean> {
  const readers = await store.identity.listReaders(org)
  if (readers.some(reader => reader.id === id)) return true
  const job = await store.identity.findJob(credential.id)
  return job !== undefined && readers.some(reader => letsIn(reader, job.facts))
}

async function holdsOnPackage(
  ports: Asked,
  actor: Actor,
  name: PackageName,
  role: PackageRole,
): Promise<boolean> {
  if (role === 'reader') {
    const found = await ports.store.catalog.findPackage(name)
    if (found === undefined || found.access === 'public') return mayReadPublic(ports.config, actor)
    if (
      actor.kind === 'person' &&
      actor.credential.kind === 'token' &&
      !touches(actor.credential.limits, name)
    )
      return false
  }
  return (
    actor.kind === 'person' && reaches(packageRoles, await ports.store.identity.roleOn(actor.id, name), role)
  )
}

/** A scope that is an organisation belongs to its members; other hosted names are open to every account. */
async function mayCreate(ports: Asked, actor: Person, name: PackageName): Promise<boolean> {
  const org = scopeOf(name)?.slice(1)
  if (org === undefined || !(await ports.store.identity.orgExists(org))) return true
  return (await ports.store.identity.orgRole(actor.id, org)) !== undefined
}

/** Whether somebody with the one role may do all that the other may. */
export function isRoleAtLeast(held: PackageRole | undefined, wanted: PackageRole): boolean {
  return reaches(packageRoles, held, wanted)
}

function reaches<T>(order: readonly T[], held: T | undefined, wanted: T): boolean {
  return held !== undefined && order.indexOf(held) >= order.indexOf(wanted)
}

function checkToken(actor: Person, rule: Rule, subject: string, operation: Operation): void {
  if (tokenAllows(actor, rule, subject)) return
  const limits = actor.credential.kind === 'token' ? actor.credential.limits : undefined
  throw limits?.permission === 'read-only' ? problem('read-only-token') : forbidToken(operation, subject)
}

function tokenAllows(actor: Person, rule: Rule, subject: string): boolean {
  if (actor.credential.kind !== 'token') return true
  const { limits } = actor.credential
  if (rule.token === 'never') return false
  if (rule.needs.on === 'package' || rule.needs.on === 'name') {
    return rule.token === 'read' || (allows(limits, rule.token) && touches(limits, subject))
  }
  // What is of the whole instance reaches past any limit.
  if (rule.token === 'read') return rule.needs.on !== 'instance' || managesOrg(limits, rule.needs, subject)
  return limits.permission === 'read-write' && managesOrg(limits, rule.needs, subject)
}

/** Whoever may publish may stage. */
function allows({ permission }: TokenLimits, wanted: Rule['token']): boolean {
  return permission === 'read-write' || (permission === 'stage-only' && wanted === 'stage')
}

function touches(limits: TokenLimits, subject: string): boolean {
  return (
    limits.packages === undefined ||
    (isPackageName(subject) && limits.packages.some(pattern => matchesName(pattern, subject)))
  )
}

/** A token limited to packages manages nothing else, unless organisations are named (a stolen CI token must not mint tokens). */
function managesOrg(limits: TokenLimits, needs: Needs, subject: string): boolean {
  if (needs.on === 'org' && limits.orgs !== undefined) return limits.orgs.includes(subject)
  return limits.packages === undefined && limits.orgs === undefined
}

async function refusal(ports: Asked, actor: Actor, operation: Operation, subject: string) {
  const { needs } = operations[operation]
  // Where anyone may read, a private package looks like one that does not exist: 401 would tell that it does.
  const hidden = operation === 'package:read' && mayReadPublic(ports.config, actor)
  if (actor.kind === 'nobody' && !hidden) return problem('unauthenticated')
  if (
    needs.on === 'package' &&
    operation !== 'package:read' &&
    !(await may(ports, actor, 'package:read', subject))
  ) {
    return problem('package-not-found', { name: subject })
  }
  if (hidden) return problem('package-not-found', { name: subject })
  if (needs.on === 'signed-in' && actor.kind === 'person') return problem('email-unverified')
  return forbid(operation, subject)
}
