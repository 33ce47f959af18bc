// SPDX-License-Identifier: Apache-2.0
/** `holdfast operator review …`: the register of security reviews. */
import { readFileSync } from 'node:fs'
import { parseReview, reviewState } from '../community/index.ts'
import { listReviews, remindOfReview, setReview } from '../flow/index.ts'
import { operator } from '../identity/index.ts'
import type { Ports } from '../main.ts'
import { type Arguments, UsageError } from './usage.ts'

const usage = `Usage: holdfast operator review list|add|remind --data DIR

  list                                       every review: id, day, open findings, scope
  add --date YYYY-MM-DD --scope TEXT --by WHO [--findings FILE] [--id ID]
                                             enter one, or with --id put it in the place of that
  remind                                     write to operators if one is due, as happens by itself once a month

A line of FILE is: severity (critical, high, medium, low) | what was found | remedy | state (open, fixed, accepted)`

/** One of the acts above; what it prints. */
export async function reviewAct(
  ports: Ports,
  { values }: Arguments,
  [act]: readonly string[],
): Promise<string | undefined> {
  switch (act) {
    case 'list':
      return list(ports)
    case 'add':
      return add(ports, values)
    case 'remind':
      await remindOfReview(ports)
      return undefined
    default:
      throw new UsageError(usage)
  }
}

async function list(ports: Ports): Promise<string> {
  const all = await listReviews(ports)
  const lines = all.map(({ id, date, scope, findings }) => {
    const open = findings.filter(each => each.state === 'open').length
    return `${id}\t${date}\t${open} of ${findings.length} open\t${scope}`
  })
  return [`register: ${reviewState(all, ports.clock())}`, ...lines].join('\n')
}

async function add(ports: Ports, values: Arguments['values']): Promise<string> {
  const { date = '', scope = '', by = '', findings } = values
  const told = {
    date,
    scope,
    reviewer: by,
    findings: findings === undefined ? '' : readFileSync(findings, 'utf8'),
  }
  return (await setReview(ports, operator, parseReview(told, ports.clock()), values['id'])).id
}
