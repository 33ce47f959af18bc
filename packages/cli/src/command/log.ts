// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util'
import { encodeBase64, parseNamePattern } from '@holdfast/core'
import { auditLog } from '../log/audit.ts'
import { findBelieved } from '../log/believed.ts'
import { verifyCheckpoint } from '../log/checkpoint.ts'
import { reportMisbehaviour } from '../log/misbehaviour.ts'
import { startProgress } from '../log/progress.ts'
import { findLog, readCheckpointNote, tileReader } from '../log/source.ts'
import { compareWithState } from '../log/state.ts'
import { UsageError } from '../usage-error.ts'
import { monitorLog } from './log-monitor.ts'

const usage = `holdfast log audit URL|FOLDER [--vkey KEY]... [--json]

Reads every entry of a log, over HTTP or from a copy in a folder, and computes everything anew: the root that was
signed, every tile, the chain of every package, that ids are unique, that no version was published twice or came under
two digests, and that each entry says what its type says. Whom to believe was pinned with holdfast trust init, or is
named with --vkey.

holdfast log monitor URL --watch PATTERN... [--webhook URL] [--once] [--vkey KEY]... [--json]

Follows a log: tells every event of the packages watched (names, or patterns such as '@acme/*'), and of the registry's
own keys, policy and operators. ALARM is what a person should look at: a publish by hand after CI, without provenance
after some with, or within 72 hours of a change of owners; a tag that goes back or points at a closed version; an
upstream that changed its bytes. The first round, and the first with other patterns, learns what was
before. What was told is never told again, and what
could not be told, because the webhook was away, is told the next time. Without --once it looks every minute.

Exit code 0 when the log is honest, 1 for alarms (monitor --once), 2 for usage and network, 3 for anything that an honest log cannot have.
`

const options = {
  vkey: { type: 'string', multiple: true },
  watch: { type: 'string', multiple: true },
  webhook: { type: 'string' },
  once: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Runs `holdfast log …`. */
export async function runLog(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) return print(usage)
  const [verb, place] = positionals
  const [vkeys, isJson] = [values.vkey ?? [], values.json === true]
  if (verb === 'audit' && place !== undefined) return reportMisbehaviour(() => audit(place, vkeys, isJson))
  if (verb === 'monitor' && place !== undefined && values.watch !== undefined) {
    const patterns = values.watch.map(parseNamePattern)
    const wish = { place, vkeys, patterns, webhook: values.webhook, isOnce: values.once === true, isJson }
    return reportMisbehaviour(() => monitorLog(wish))
  }
  throw new UsageError(
    'holdfast log needs to know what to do',
    "Write holdfast log audit URL, or holdfast log monitor URL --watch '@acme/*'.",
  )
}

async function audit(place: string, vkeys: readonly string[], isJson: boolean): Promise<number> {
  const source = await findLog(place)
  const note = await readCheckpointNote(source)
  const believed = await findBelieved(note, vkeys)
  const checkpoint = await verifyCheckpoint(believed, note)
  const progress = startProgress('entries', checkpoint.size)
  const types = new Map<string, number>()
  const count = (type: string) => types.set(type, (types.get(type) ?? 0) + 1)
  const found = await auditLog(source, checkpoint, leaf => count(leaf.type), progress.show)
  progress.end()
  const isHonest = found.faultCount === 0
  await compareWithState(believed, checkpoint, tileReader(source), isHonest)
  const { origin, size, root } = checkpoint
  const told = { origin, size, root: encodeBase64(root), ...found, types: Object.fromEntries(types) }
  print(isJson ? `${JSON.stringify(told)}\n` : describe(told))
  return isHonest ? 0 : 3
}

interface Told {
  readonly origin: string
  readonly size: number
  readonly packages: number
  readonly faults: readonly string[]
  readonly faultCount: number
  readonly types: Readonly<Record<string, number>>
}

function describe({ origin, size, packages, faults, faultCount, types }: Told): string {
  const kinds = Object.entries(types).map(([type, count]) => `${count} ${type}`)
  return [
    ...faults.map(fault => `LIE ${fault}`),
    ...(faultCount > faults.length ? [`and ${faultCount - faults.length} more`] : []),
    `${origin}: ${size} entries about ${packages} packages (${kinds.join(', ')}).`,
    faultCount === 0
      ? 'The signed root, all tiles, all chains and all entries are right.'
      : `${faultCount} things that an honest log cannot have.`,
  ]
    .map(line => `${line.replace(/\p{Cc}/gu, ' ')}\n`)
    .join('')
}

function print(words: string): number {
  process.stdout.write(words)
  return 0
}
