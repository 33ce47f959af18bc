// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'
import { type NamePattern, revealHidden } from '@holdfast/core'
import { findBelieved } from '../log/believed.ts'
import { type Finding, followLog } from '../log/monitor.ts'
import { findLog, readCheckpointNote } from '../log/source.ts'
import { UsageError } from '../usage-error.ts'

const everyMs = 60_000
const webhookWithinMs = 10_000

export interface MonitorWish {
  readonly place: string
  readonly vkeys: readonly string[]
  readonly patterns: readonly NamePattern[]
  readonly webhook: string | undefined
  readonly isOnce: boolean
  readonly isJson: boolean
}

/** Follows a log until it is stopped, or once: 0 when nothing alarming is new, 1 for alarms, 3 for lies. */
export async function monitorLog(wish: MonitorWish): Promise<number> {
  if (wish.isOnce) return codeOf(await follow(wish))
  for (;;) {
    if (codeOf(await follow(wish).catch(tellAndGoOn)) === 3) return 3
    await delay(everyMs)
  }
}

async function follow({ place, vkeys, patterns, webhook, isJson }: MonitorWish): Promise<readonly Finding[]> {
  const source = await findLog(place)
  const believed = await findBelieved(await readCheckpointNote(source), vkeys)
  return followLog(source, believed, patterns, async findings => {
    if (webhook !== undefined) await post(webhook, { origin: believed.origin, findings })
    for (const finding of findings)
      process.stdout.write(isJson ? `${JSON.stringify(finding)}\n` : describe(finding))
  })
}

// The network comes back; what was missed is read then.
function tellAndGoOn(error: unknown): readonly Finding[] {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n`)
  return []
}

function codeOf(findings: readonly Finding[]): number {
  if (findings.some(({ level }) => level === 'lie')) return 3
  return findings.some(({ level }) => level === 'alarm') ? 1 : 0
}

async function post(webhook: string, body: unknown): Promise<void> {
  const answer = await fetch(webhook, {
    method: 'POST',
    redirect: 'error',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(webhookWithinMs),
  }).catch((error: Error) => {
    throw new UsageError(
      `the webhook cannot be reached: ${error.message}`,
      'What is new is told again next time.',
    )
  })
  await answer.body?.cancel()
  if (!answer.ok)
    throw new UsageError(`the webhook answered ${answer.status}`, 'What is new is told again next time.')
}

function describe({ index, level, type, pkg, ver, at, why }: Finding): string {
  const about = pkg === undefined ? '' : ` ${pkg}${ver === undefined || ver === '' ? '' : `@${ver}`}`
  const when = at === undefined ? '' : ` ${new Date(at).toISOString()}`
  const reasons = why.length === 0 ? '' : `: ${why.join('; ')}`
  return `${revealHidden(`${level.padEnd(5)} entry ${index}${when} ${type}${about}${reasons}`)}\n`
}
