// SPDX-License-Identifier: Apache-2.0
/** `holdfast operator user …`: people who leave. */
import {
  describePublisher,
  disableUser,
  enableUser,
  type Reach,
  readReach,
  transferUser,
} from '../flow/index.ts'
import { operator } from '../identity/index.ts'
import type { Ports } from '../main.ts'
import { type Arguments, UsageError } from './usage.ts'

const usage = `Usage: holdfast operator user show|disable|enable|transfer NAME --data DIR

  show NAME                       what this account can publish, and with what
  disable NAME                    end its sessions, tokens and approvals at once, and say what it could publish
  enable NAME                     let it sign in again; what was ended stays ended
  transfer NAME --to USER|@ORG    give its packages and organisations to somebody, or to the owners of an organisation`

/** One of the acts above; the report as lines. */
export async function userAct(
  ports: Ports,
  { values }: Arguments,
  [act, login]: readonly string[],
): Promise<string | undefined> {
  if (login === undefined) throw new UsageError(usage)
  switch (act) {
    case 'show':
      return formatReach(await readReach(ports, operator, login))
    case 'disable':
      return formatReach(await disableUser(ports, operator, login))
    case 'enable':
      await enableUser(ports, operator, login)
      return undefined
    case 'transfer':
      return transfer(ports, login, values['to'])
    default:
      throw new UsageError(usage)
  }
}

async function transfer(ports: Ports, login: string, to: string | undefined): Promise<string> {
  if (to === undefined) throw new UsageError(`--to is missing.\n\n${usage}`)
  const { packages, orgs } = await transferUser(ports, operator, login, to)
  return [...packages, ...orgs.map(org => `@${org} (organisation)`)].map(each => `${each} → ${to}`).join('\n')
}

/** What somebody could do, for the eyes of whoever cleans up after them. */
function formatReach(reach: Reach): string {
  const { account, packages, alone, orgs, tokens, sessions, publishers } = reach
  const writes = [...packages].filter(([, role]) => role === 'owner' || role === 'maintainer')
  const day = (at: number | null) => (at === null ? 'never' : new Date(at).toISOString().slice(0, 10))
  return [
    `${account.login} could publish ${writes.length} packages:`,
    ...writes.map(([name, role]) => `  ${name} as ${role}${alone.includes(name) ? ', its only owner' : ''}`),
    `organisations: ${[...orgs].map(([org, role]) => `${org} as ${role}`).join(', ') || 'none'}`,
    `roles on this registry: ${account.roles.join(', ') || 'none'}`,
    ...publishers.map(each => `CI job trusted by them: ${each.package} from ${describePublisher(each)}`),
    `tokens: ${tokens.length}, sessions: ${sessions.length}`,
    ...tokens.map(
      each => `  ${each.hint}… '${each.name}' ${each.limits.permission}, ends ${day(each.expiresAt)}`,
    ),
  ].join('\n')
}
