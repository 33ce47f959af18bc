// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util'
import { encodeBase64 } from '@holdfast/core'
import { auditLog } from '../log/audit.ts'
import { findBelieved } from '../log/believed.ts'
import { verifyCheckpoint } from '../log/checkpoint.ts'
import { reportMisbehaviour } from '../log/misbehaviour.ts'
import { startProgress } from '../log/progress.ts'
import { findLog, readCheckpointNote, tileReader } from '../log/source.ts'
import { compareWithState } from '../log/state.ts'
import { UsageError } from '../usage-error.ts'

const usage = `holdfast log audit URL|FOLDER [--vkey KEY]... [--json]

Reads every entry of a log, over HTTP or from a copy in a folder, and computes everything anew: the root that was
signed, every tile, the chain of every package, that ids are unique, that no version was published twice or came under
two digests, and that each entry says what its type says. Whom to believe was pinned with holdfast trust init, or is
named with --vkey.

Exit code 0 when the log is honest, 2 for usage and network, 3 for anything that an honest log cannot have.
`

const options = {
  vkey: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Runs `holdfast log …`. */
export async function runLog(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) return print(usage)
  const [verb, place] = positionals
  if (verb !== 'audit' || place === undefined)
    throw new UsageError('holdfast log needs to know what to do', 'Write holdfast log audit URL.')
  return reportMisbehaviour(() => audit(place, values.vkey ?? [], values.json === true))
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
