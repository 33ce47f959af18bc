// SPDX-License-Identifier: Apache-2.0
/** Machines of an organisation: robots with tokens of their own, which stay when people leave. */
import { matchesName, type NamePattern, type PackageName, problem } from '@holdfast/core'
import {
  type Actor,
  actorId,
  authorize,
  type Grant,
  parseLogin,
  type Robot,
  randomId,
  type Token,
  type TokenLimits,
} from '../identity/index.ts'
import { type NewEvent, saltDocument } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { orgEvent } from './leaf.ts'
import { addNotice } from './letter.ts'
import { provePresence } from './presence.ts'
import { endTokensOf, keepToken, makeNewToken, type NewToken, tokenCreated } from './token.ts'

/** A robot with the tokens it holds now. */
export interface RobotWithTokens extends Robot {
  readonly tokens: readonly Token[]
}

/** What a robot's token may do. */
export interface RobotTokenRequest {
  readonly lifeMs: number
  /** Names of its organisation that it may publish; without any it only reads. */
  readonly publishes: readonly NamePattern[]
  readonly cidr?: readonly string[]
}

const maxRobots = 100

/** The robots of an organisation, for its members. */
export async function listRobots(
  ports: Ports,
  actor: Actor,
  org: string,
): Promise<readonly RobotWithTokens[]> {
  await openMachines(ports, actor, 'org:read', org)
  const robots = await ports.store.identity.listRobots(org)
  const now = ports.clock()
  return Promise.all(
    robots.map(async robot => {
      const tokens = await ports.store.identity.listTokens(robot.id)
      return { ...robot, tokens: tokens.filter(each => each.expiresAt === null || each.expiresAt > now) }
    }),
  )
}

/** Makes a robot. Throws `robot-exists`, `too-many`. */
export async function addRobot(ports: Ports, actor: Actor, org: string, name: string): Promise<Robot> {
  const grant = await openMachines(ports, actor, 'org:own', org)
  await provePresence(ports, grant)
  const robot: Robot = {
    id: randomId('rb_'),
    org,
    name: parseLogin(name),
    createdAt: ports.clock(),
    createdBy: actorId(actor),
  }
  await ports.store.commit(grant, robotEvent(robot, 'robot-add'), async tx => {
    await tx.identity.holdOrg(org)
    const others = await tx.identity.listRobots(org)
    if (others.some(each => each.name === robot.name)) throw problem('robot-exists', { org, name })
    if (others.length >= maxRobots)
      throw problem('too-many', { limit: maxRobots, what: `robots of ${org} at a time` })
    await tx.identity.addRobot(robot)
    await tellOrgOwners(tx, ports, org, `The robot ${robot.name} was made for ${org}`)
  })
  return robot
}

/**
 * Gives a robot a token: a year at most to read, 90 days to publish names of its organisation, of the operator a day. Its
 * secret is told this once. Throws `token-life-too-long`, `operator-tokens-off`, `too-many`.
 */
export async function addRobotToken(
  ports: Ports,
  actor: Actor,
  org: string,
  id: string,
  { lifeMs, publishes, cidr }: RobotTokenRequest,
): Promise<NewToken> {
  const grant = await openMachines(ports, actor, 'org:own', org)
  const robot = await getRobot(ports, org, id)
  for (const pattern of publishes) checkWithin(pattern, org)
  await provePresence(ports, grant)
  const limits: TokenLimits = {
    permission: publishes.length === 0 ? 'read-only' : 'read-write',
    ...(publishes.length === 0 ? {} : { packages: publishes }),
    ...(cidr === undefined || cidr.length === 0 ? {} : { cidr }),
    orgs: [],
    readsOrgs: [org],
    bypassTfa: false,
  }
  const byOperator = actor.kind === 'operator'
  if (byOperator && ports.config.operatorTokens === 'off') throw problem('operator-tokens-off')
  const made = makeNewToken(ports, robot.id, {
    name: robot.name,
    holder: 'robot',
    origin: byOperator ? 'operator' : 'made',
    limits,
    lifeMs,
  })
  const events = [tokenCreated(made.token), robotTokenEvent(robot, made.token)]
  await ports.store.commit(grant, events, async tx => {
    await tx.identity.holdOrg(org)
    if ((await tx.identity.findRobot(id)) === undefined) throw problem('robot-not-found', { org, id })
    await keepToken(tx, made)
    const what = byOperator ? 'The operator made a token' : 'A token was made'
    await tellOrgOwners(tx, ports, org, `${what} for the robot ${robot.name} of ${org}`)
  })
  return made
}

function robotEvent(robot: Robot, op: 'robot-add' | 'robot-remove'): NewEvent {
  const detail = { robot: robot.id, name: robot.name }
  return orgEvent(robot.org, { op, subject: { kind: 'robot', id: robot.id } }, detail)
}

/** What a robot may do is what its tokens say: each is a leaf, with the digest of what it allows. */
function robotTokenEvent(robot: Robot, { id, limits, expiresAt }: Token): NewEvent {
  const document = saltDocument({ robot: robot.id, token: id, limits, expiresAt })
  const subject = { kind: 'robot', id: robot.id } as const
  return orgEvent(robot.org, { op: 'robot-token', subject, document }, { robot: robot.id, token: id })
}

/** Ends a robot and its tokens at once. Throws `robot-not-found`. */
export async function removeRobot(ports: Ports, actor: Actor, org: string, id: string): Promise<void> {
  const grant = await openMachines(ports, actor, 'org:own', org)
  const robot = await getRobot(ports, org, id)
  await provePresence(ports, grant)
  await ports.store.commit(grant, robotEvent(robot, 'robot-remove'), async tx => {
    await tx.identity.holdOrg(org)
    if (!(await tx.identity.removeRobot(id, ports.clock()))) throw problem('robot-not-found', { org, id })
    await endTokensOf(tx, id, ports.clock())
    await tellOrgOwners(tx, ports, org, `The robot ${robot.name} of ${org} was removed`)
  })
}

/** The right to see or change an organisation's machines. Throws `org-not-found`. */
export async function openMachines(
  ports: Ports,
  actor: Actor,
  operation: 'org:read' | 'org:own',
  org: string,
): Promise<Grant> {
  if (actor.kind === 'nobody') throw problem('unauthenticated')
  if (!(await ports.store.identity.orgExists(org))) throw problem('org-not-found', { org })
  return authorize(ports, actor, operation, org)
}

/** A letter to all owners of an organisation. */
export async function tellOrgOwners(tx: Tx, ports: Ports, org: string, what: string): Promise<void> {
  for (const member of await tx.identity.listOrgMembers(org)) {
    const account = member.role === 'owner' ? await tx.identity.findAccount(member.accountId) : undefined
    if (account !== undefined && account.disabledAt === null) await addNotice(tx, ports, account, what)
  }
}

async function getRobot(ports: Ports, org: string, id: string): Promise<Robot> {
  const robot = await ports.store.identity.findRobot(id)
  if (robot?.org !== org) throw problem('robot-not-found', { org, id })
  return robot
}

/** A robot publishes what its organisation owns, and nothing beside it. */
function checkWithin(pattern: NamePattern, org: string): void {
  if (matchesName(`@${org}/*` as NamePattern, pattern as string as PackageName)) return
  throw problem('invalid-pattern', { pattern, why: `a robot of ${org} publishes names below @${org}/ only` })
}
