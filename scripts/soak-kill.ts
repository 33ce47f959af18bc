// SPDX-License-Identifier: Apache-2.0
/**
 * Kills an instance under load many times, and verifies what was acknowledged after each restart:
 * `npm run soak:kill`, or `node scripts/soak-kill.ts 500` for another number of kills. Takes about a second a kill.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killAgainAndAgain } from '../packages/server/test/fault/kill.ts'
import { checkNodeVersion } from './node-version.ts'

checkNodeVersion()
const kills = Number(process.argv[2] ?? 500)
const folder = await mkdtemp(join(tmpdir(), 'holdfast-soak-'))
try {
  const report = await killAgainAndAgain(folder, kills, 25)
  process.stdout.write(
    `${report.kills} kills, ${report.acknowledged} acknowledged versions, all there and verified\n`,
  )
} finally {
  await rm(folder, { recursive: true, force: true })
}
