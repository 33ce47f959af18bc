// SPDX-License-Identifier: Apache-2.0
/** Publishing by several clients, cut off by `kill -9` again and again; used by the suite and, longer, by a script. */
import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { publishDocument, put } from '../live.ts'
import { startVictim, type Victim } from './child.ts'
import { type Acknowledged, verifyAcknowledged, verifyFolder } from './verify.ts'

const clients = 4

/** What came of it. */
export interface KillReport {
  readonly kills: number
  readonly acknowledged: number
}

/**
 * Kills an instance on this folder so many times under load. After each restart everything that was acknowledged in the
 * round before verifies; the whole folder is verified every `verifyEvery` kills and at the end. Throws what is wrong.
 */
export async function killAgainAndAgain(
  folder: string,
  kills: number,
  verifyEvery: number,
): Promise<KillReport> {
  const acknowledged: Acknowledged[] = []
  let recent: Acknowledged[] = []
  for (let round = 0; round < kills; round++) {
    const victim = await startVictim(folder)
    await verifyAcknowledged(victim.url, recent)
    recent = []
    const work = Array.from({ length: clients }, (_, client) =>
      publishUntilCut(victim, client, round, recent),
    )
    // The first publish of a process waits for the thread that screens it: some rounds wait for that, however slow the machine.
    if (round % 3 === 0) await untilAcknowledged(recent)
    await delay(randomInt(50, round % 3 === 0 ? 500 : 2000))
    await victim.kill()
    await Promise.all(work)
    acknowledged.push(...recent)
    if (round % verifyEvery === verifyEvery - 1) await verifyFolder(folder)
  }
  const last = await startVictim(folder)
  await verifyAcknowledged(last.url, acknowledged)
  await last.kill()
  await verifyFolder(folder)
  return { kills, acknowledged: acknowledged.length }
}

async function untilAcknowledged(recent: readonly Acknowledged[]): Promise<void> {
  for (let waited = 0; recent.length === 0 && waited < 1000; waited++) await delay(20)
}

/** Publishes version after version; notes what is acknowledged, ends with the connection. */
async function publishUntilCut(
  victim: Victim,
  client: number,
  round: number,
  acknowledged: Acknowledged[],
): Promise<void> {
  const name = `cut-${client}`
  for (let patch = 0; ; patch++) {
    const version = `1.${round}.${patch}`
    const files = { 'data.txt': `${name} ${version} `.repeat(500) }
    const status = await put(victim, name, publishDocument(name, version, { files })).then(
      answer => answer.status,
      () => 0,
    )
    if (status === 0) return
    if (status !== 201) throw new Error(`${name}@${version} was answered ${status}`)
    acknowledged.push({ name, version })
  }
}
