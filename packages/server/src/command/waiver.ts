// SPDX-License-Identifier: Apache-2.0
/** `holdfast operator waiver …`: exceptions from the policy, where nobody is there to decide on the page. */
import { decideWaiver, listWaivers, type NamedWaiver, type Verdict } from '../flow/index.ts'
import { operator } from '../identity/index.ts'
import type { Ports } from '../main.ts'
import { type Arguments, duration, UsageError } from './usage.ts'

const usage = `Usage: holdfast operator waiver list|grant|refuse|end [ID] --data DIR

  list                                       wishes that wait and waivers in force, with their ids
  grant ID [--expires 30d] [--words WHY]     let the version in until then
  refuse ID [--words WHY]
  end ID [--words WHY]                       before its time`

const dayMs = 24 * 3600_000
const shown = 200

/** One of the acts above; what it prints. */
export async function waiverAct(
  ports: Ports,
  { values }: Arguments,
  [act, id]: readonly string[],
): Promise<string | undefined> {
  if (act === 'list') {
    const asked = await listWaivers(ports, operator, 'asked', shown)
    return [...asked, ...(await listWaivers(ports, operator, 'granted', shown))].map(lineOf).join('\n')
  }
  const words = values['words'] ?? ''
  const verdicts: Readonly<Record<string, () => Verdict>> = {
    grant: () => ({ kind: 'grant', days: duration(values['expires'] ?? '30d') / dayMs, words }),
    refuse: () => ({ kind: 'refuse', words }),
    end: () => ({ kind: 'end', words }),
  }
  const verdict = act !== undefined && Object.hasOwn(verdicts, act) ? verdicts[act]?.() : undefined
  if (verdict === undefined || id === undefined) throw new UsageError(usage)
  await decideWaiver(ports, operator, id, verdict)
  return undefined
}

function lineOf(each: NamedWaiver): string {
  const until = each.endsAt === null ? '' : ` until ${new Date(each.endsAt).toISOString().slice(0, 10)}`
  const reason = each.reason.replace(/\p{Cc}/gu, ' ')
  return `${each.id}\t${each.package}@${each.version}\t${each.state}${until}\t${each.asker}\t${reason}`
}
