// SPDX-License-Identifier: Apache-2.0
/** Records of downloads are people's data: what is kept of them gets less as they age, and then ends. */
import { setImmediate as yieldTurn } from 'node:timers/promises'
import { neighbourhoodOf } from '../identity/index.ts'
import type { Ports } from '../ports.ts'

const dayMs = 24 * 3600_000
const rowsAtOnce = 1000
/** What one run leaves, the next one does. */
const mostSteps = 1000

/** How many days a record has its whole address; how many it is kept; how many after the last fetch it is still known who has a version. */
export const downloadLife = { address: 14, record: 90, holder: 400 } as const

/** Makes networks of addresses, holders of records, and ends holders. Safe to run again, and to cut off between any two steps. */
export async function ageDownloads({ store: { downloads }, clock }: Ports): Promise<void> {
  const before = (days: number) => clock() - days * dayMs
  await repeat(() => downloads.rollUp(before(downloadLife.record), rowsAtOnce))
  await repeat(() => downloads.dropHolders(before(downloadLife.holder), rowsAtOnce))
  await downloads.shortenAddresses(before(downloadLife.address), neighbourhoodOf)
}

/** Some rows at a time, with a turn for others between. */
async function repeat(step: () => Promise<number>): Promise<void> {
  for (let steps = 0; steps < mostSteps; steps++) {
    if ((await step()) < rowsAtOnce) return
    await yieldTurn()
  }
}
