// SPDX-License-Identifier: Apache-2.0
/** `holdfast operator robot …`: machines that belong to an organisation. */
import { parseNamePattern } from '@holdfast/core'
import { addRobot, addRobotToken, listRobots, type RobotWithTokens, removeRobot } from '../flow/index.ts'
import { operator } from '../identity/index.ts'
import type { Ports } from '../main.ts'
import { type Arguments, duration, UsageError } from './usage.ts'

const usage = `Usage: holdfast operator robot list|token|remove ORG[/NAME] --data DIR

  list ORG                                       its robots, with the tokens they hold
  token ORG/NAME [--publish GLOB...] [--expires 365d]   a token, to publish for 24h at most; makes the robot if there is none
  remove ORG/NAME                                end the robot and its tokens at once`

/** One of the acts above; what it prints. */
export async function robotAct(
  ports: Ports,
  { values, lists }: Arguments,
  [act, name = '']: readonly string[],
): Promise<string | undefined> {
  const [org = '', word] = name.split('/')
  if (act === 'list' && word === undefined && org !== '')
    return (await listRobots(ports, operator, org)).flatMap(linesOf).join('\n')
  if (word === undefined || word === '') throw new UsageError(usage)
  if (act === 'token') return token(ports, org, word, lists['publish'] ?? [], values['expires'])
  if (act === 'remove') {
    await removeRobot(ports, operator, org, (await findRobot(ports, org, word))?.id ?? word)
    return undefined
  }
  throw new UsageError(usage)
}

async function token(
  ports: Ports,
  org: string,
  name: string,
  globs: readonly string[],
  life = globs.length === 0 ? '365d' : '24h',
): Promise<string> {
  const publishes = globs.map(parseNamePattern)
  const lifeMs = duration(life)
  const robot = (await findRobot(ports, org, name)) ?? (await addRobot(ports, operator, org, name))
  return (await addRobotToken(ports, operator, org, robot.id, { publishes, lifeMs })).secret
}

async function findRobot(ports: Ports, org: string, name: string): Promise<RobotWithTokens | undefined> {
  return (await listRobots(ports, operator, org)).find(each => each.name === name.toLowerCase())
}

function linesOf({ org, name, tokens }: RobotWithTokens): string[] {
  const day = (at: number | null) => (at === null ? 'never' : new Date(at).toISOString().slice(0, 10))
  const held = tokens.map(
    ({ hint, limits, expiresAt }) =>
      `  ${hint}… ${limits.permission === 'read-only' ? 'reads' : `publishes ${limits.packages?.join(', ')}`}, ends ${day(expiresAt)}`,
  )
  return [`${org}/${name}`, ...held]
}
