// SPDX-License-Identifier: Apache-2.0
import { type PackageName, type Problem, problem, scopeOf } from '@holdfast/core'
import type { Config } from '../config.ts'
import {
  type CriticalPackage,
  decideMfa,
  type Factor,
  type Grant,
  type MfaException,
  noteDenial,
  type Operation,
  operations,
  type Person,
  type Rule,
} from '../identity/index.ts'
import type { Ports } from '../ports.ts'

const dayMs = 24 * 3600_000

/** What proves presence: whatever second factor there is, or a passkey and nothing that can be phished. */
export type PresenceProof = 'any' | 'passkey'

/**
 * Holds whoever changes a package, or an organisation's people, to the rule of second factors. Throws `tfa-required`,
 * `passkey-required` or `token-exception`, each with what to do. Gives the proof of presence that is wanted.
 */
export async function checkMfaRule(ports: Ports, grant: Grant): Promise<PresenceProof> {
  try {
    return await checkFactors(ports, grant)
  } catch (refusal) {
    noteDenial(ports, grant.actor, grant.operation, grant.subject, refusal)
    throw refusal
  }
}

async function checkFactors(ports: Ports, grant: Grant): Promise<PresenceProof> {
  const { actor, subject } = grant
  const rule: Rule = operations[grant.operation]
  if (actor.kind !== 'person' || !isHeld(rule)) return 'any'
  if (rule.passkey === true && !actor.hasPasskey)
    throw problem('stage-passkey', { name: subject, link: enrolLink(ports) })
  const critical = await findBehind(ports, grant.operation, subject)
  const verdict = decideMfa({
    rule: ports.config.mfa,
    graceUntil: graceEnd(ports.config),
    now: ports.clock(),
    factor: factorOf(actor),
    criticalFrom: critical[0]?.bindsAt,
    exception: await findException(ports, actor, rule, subject),
  })
  switch (verdict) {
    case 'allowed':
      return rule.passkey === true || isBinding(ports, critical) ? 'passkey' : 'any'
    case 'factor-missing':
      throw factorMissing(ports, subject)
    case 'passkey-missing':
      throw problem('passkey-required', {
        name: critical[0]?.package ?? subject,
        why: critical[0]?.why ?? '',
        link: enrolLink(ports),
      })
    case 'exception-undated':
      throw problem('token-exception', { name: subject, why: 'it never expires' })
    case 'exception-unapproved':
      throw problem('token-exception', { name: subject, why: 'no owner has approved it' })
  }
}

/** The refusal of a code where a passkey must be touched. */
export function touchWanted(subject: string, operation = ''): Problem {
  const what =
    operation === 'package:approve'
      ? `The approval of ${subject}`
      : `A change of ${subject}, which is a critical package or leads to one,`
  return problem('passkey-proof-required', { what })
}

/** Whether a code approves this act, or only a passkey does: no code counts where a critical package is reached. */
export async function takesCode(ports: Ports, operation: string, subject: string): Promise<boolean> {
  const rule: Rule | undefined = operations[operation as Operation]
  return rule?.passkey !== true && !isBinding(ports, await findBehind(ports, operation, subject))
}

/** The critical packages that an act reaches: whoever is let into an organisation may publish what lies in it. */
async function findBehind(
  ports: Ports,
  operation: string,
  subject: string,
): Promise<readonly CriticalPackage[]> {
  const rule: Rule | undefined = operations[operation as Operation]
  if (rule?.needs.on !== 'org') return findCritical(ports, subject as PackageName)
  const { identity } = ports.store
  const all = await identity.listCritical()
  if (all.length === 0) return []
  const teams = await identity.listTeams(subject)
  const grants = await Promise.all(teams.map(team => identity.listTeamGrants(subject, team)))
  const granted = new Set(grants.flat().map(each => each.package))
  const reached = all.filter(each => scopeOf(each.package) === `@${subject}` || granted.has(each.package))
  return reached.toSorted((a, b) => a.bindsAt - b.bindsAt)
}

function isBinding(ports: Ports, [first]: readonly CriticalPackage[]): boolean {
  return first !== undefined && first.bindsAt <= ports.clock()
}

/** The refusal of an account without a second factor, with the page where it gets one. */
export function factorMissing(ports: Ports, name: string): Problem {
  return problem('tfa-required', { name, link: enrolLink(ports) })
}

/** The moment from which accounts without a second factor change nothing; 0 when there is no grace. */
export function graceEnd({ mfaGraceUntil }: Pick<Config, 'mfaGraceUntil'>): number {
  return mfaGraceUntil === undefined ? 0 : Date.parse(`${mfaGraceUntil}T00:00:00Z`) + dayMs
}

/** Why a package is critical, the entry that binds first in front. */
export async function findCritical(ports: Ports, name: PackageName): Promise<readonly CriticalPackage[]> {
  const found = await ports.store.identity.findCritical(name)
  return found.toSorted((a, b) => a.bindsAt - b.bindsAt)
}

/** Everything that changes packages or the people of an organisation; one's own account stays open, to enrol. */
function isHeld({ needs, token }: Rule): boolean {
  return (token === 'write' || token === 'manage') && ['package', 'name', 'org'].includes(needs.on)
}

/** The strongest second factor that somebody has. */
export function factorOf(who: Pick<Person, 'tfa' | 'hasPasskey'>): Factor {
  if (who.hasPasskey) return 'passkey'
  return who.tfa === 'none' ? 'none' : 'code'
}

/** The token's right to skip the second factor, where it would be used: never to change who owns what. */
async function findException(
  ports: Ports,
  { id, credential }: Person,
  rule: Rule,
  subject: string,
): Promise<MfaException | undefined> {
  if (credential.kind !== 'token' || !credential.limits.bypassTfa || rule.token !== 'write') return undefined
  const byOperator = credential.limits.byOperator === true
  const name = subject as PackageName
  const isApproved = byOperator || rule.needs.on === 'name' || (await isOwnerOrAllowed(ports, id, name))
  return { byOperator, isApproved, expiresAt: credential.expiresAt }
}

/** Whoever owns the package approves by making the token; for other maintainers an owner sets `mfa=automation`. */
async function isOwnerOrAllowed(ports: Ports, accountId: string, name: PackageName): Promise<boolean> {
  const known = await ports.store.catalog.findPackage(name)
  if (known?.requiresTfa === 'unless-bypassed') return true
  return (await ports.store.identity.roleOn(accountId, name)) === 'owner'
}

function enrolLink(ports: Ports): string {
  return `${ports.config.publicUrl}/account/security`
}
