// SPDX-License-Identifier: Apache-2.0
import { quarantineAgain, type RecoveredEntry, recoverLog } from '../flow/index.ts'
import { openPorts } from '../main.ts'
import { configOf, configOptions, readArguments, UsageError } from './usage.ts'

const usage = `Usage: holdfast log recover --from-tiles --data DIR [--json]

After an older database was restored: puts back the events that the published log has and the database lost, from the files
in the log's folder. Stop the registry first. What had been quarantined is quarantined again; what else those events did is
listed and not done again.`

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
    const recovered = await recoverLog(logWorks)
    await log.check()
    const quarantined = await quarantineAgain(ports, recovered)
    await log.covered()
    process.stdout.write(
      read.flags.has('json')
        ? `${JSON.stringify({ recovered, quarantined })}\n`
        : `${tell(recovered)}${quarantined.map(spec => `${spec} is quarantined again.\n`).join('')}`,
    )
    return 0
  } finally {
    await close()
  }
}

function tell(recovered: readonly RecoveredEntry[]): string {
  if (recovered.length === 0) return 'The database has everything that the log has.\n'
  const head = `${recovered.length} events are back in the record. What they did is not done again; go through it:\n`
  return `${head}${recovered.map(format).join('')}`
}

function format({ index, leaf }: RecoveredEntry): string {
  const { at, type, pkg, ver, actor, v, log, id, seq, prev, ...rest } = leaf
  const subject = pkg === undefined ? '' : ` ${String(pkg)}${ver === undefined ? '' : `@${String(ver)}`}`
  return `  ${index}  ${new Date(Number(at)).toISOString()}  ${String(type)}${subject}  ${JSON.stringify(rest)}\n`
}
