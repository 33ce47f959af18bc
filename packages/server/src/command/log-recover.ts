// SPDX-License-Identifier: Apache-2.0
import { type Protected, protectAgain, type RecoveredEntry, recoverLog } from '../flow/index.ts'
import { openPorts } from '../main.ts'
import { configOf, configOptions, readArguments, UsageError } from './usage.ts'

const usage = `Usage: holdfast log recover --from-tiles --data DIR [--json]

After an older database was restored: puts back the events that the published log has and the database lost, from the files
in the log's folder. Stop the registry first. What protects is done again (quarantines and holds, yanks, freezes of packages, ended
tokens, accounts that were switched off, roles that were taken away; what was unpublished is quarantined); what else those
events did is listed and not done again.`

const options = { ...configOptions, 'from-tiles': 'flag', json: 'flag', help: 'flag' } as const

/** `holdfast log recover`: the database catches up with the log. */
export async function runLogRecover(args: readonly string[]): Promise<number> {
  const read = readArguments(args, options, usage)
  if (read.flags.has('help')) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  if (!read.flags.has('from-tiles')) throw new UsageError(usage)
  const { ports, logWorks, log, close } = await openPorts(configOf(read))
  try {
    const { recovered, again } = await recoverLog(logWorks, lost => protectAgain(ports, lost))
    await log.check()
    await log.covered()
    process.stdout.write(
      read.flags.has('json')
        ? `${JSON.stringify({ recovered, ...again })}\n`
        : `${tell(recovered)}${tellProtected(again)}`,
    )
    return 0
  } finally {
    await close()
  }
}

function tell(recovered: readonly RecoveredEntry[]): string {
  if (recovered.length === 0) return 'The database has everything that the log has.\n'
  const head = `${recovered.length} events are back in the record. But for what is listed at the end, what they did is not done again; go through it:\n`
  return `${head}${recovered.map(format).join('')}`
}

function tellProtected({ done, left }: Protected): string {
  const open = left.map(each => `Look at it yourself: ${each}\n`)
  return [...done.map(each => `${each}.\n`), ...open].join('')
}

function format({ index, leaf }: RecoveredEntry): string {
  const { at, type, pkg, ver, actor, v, log, id, seq, prev, ...rest } = leaf
  const subject = pkg === undefined ? '' : ` ${String(pkg)}${ver === undefined ? '' : `@${String(ver)}`}`
  return `  ${index}  ${new Date(Number(at)).toISOString()}  ${String(type)}${subject}  ${JSON.stringify(rest)}\n`
}
