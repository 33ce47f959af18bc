// SPDX-License-Identifier: Apache-2.0
import { encodeBase64, type Leaf, parseNamePattern, revealHidden } from '@holdfast/core'
import { auditLog } from '../log/audit.ts'
import { findBelieved } from '../log/believed.ts'
import { type Believed, verifyCheckpoint } from '../log/checkpoint.ts'
import { Misbehaviour, reportMisbehaviour } from '../log/misbehaviour.ts'
import { startProgress } from '../log/progress.ts'
import { compareRegistry, type RegistryState } from '../log/registry-state.ts'
import { findLog, type LogSource, readCheckpointNote, tileReader } from '../log/source.ts'
import { compareWithState } from '../log/state.ts'
import { parseArgs } from '../parse-args.ts'
import { findRegistry, type Registry } from '../registry.ts'
import { UsageError } from '../usage-error.ts'
import { monitorLog } from './log-monitor.ts'
import { showLog } from './log-show.ts'

const usage = `holdfast log audit URL|FOLDER [--vkey KEY]... [--state] [--json]

Reads every entry of a log, over HTTP or from a copy in a folder, and computes everything anew: the root that was
signed, every tile, the chain of every package, that ids are unique, that no version was published twice or came under
two digests, and that each entry says what its type says. Whom to believe was pinned with holdfast trust init, or is
named with --vkey. With --state it then asks the registry for every package and compares: which versions are listed, their
digests, yanks and tags have to follow from the log. With a token of an auditor, responder or operator it compares as well
who owns what, who may publish from CI, who belongs to organisations and teams, freezes, waivers, versions that wait and
their approvals, accounts that are off, the names hosted here and the policy. What the policy keeps back, and packages that you may not see, are
counted and are no agreement.

holdfast log show PACKAGE[@VERSION]|NUMBER [--registry URL] [--json]

Prints what happened to a package, to one of its versions, or one entry of the log, after its place was proven on this
machine under the pinned keys.

holdfast log monitor URL --watch PATTERN... [--webhook URL] [--once] [--vkey KEY]... [--json]

Follows a log: tells every event of the packages watched (names, or patterns such as '@acme/*'), and of the registry's
own keys, policy and operators. ALARM is what a person should look at: a publish by hand after CI, without provenance
after some with, or within 72 hours of a change of owners; a tag that goes back or points at a closed version; an
upstream that changed its bytes; half an hour without a newer word of a witness (a log without witnesses
tells nobody whether it is quiet or stands still). The first round, and the first with other patterns, learns what was
before. What was told is never told again, and what
could not be told, because the webhook was away, is told the next time. Without --once it looks every minute.

Exit code 0 when the log is honest, 1 for alarms (monitor --once), 2 for usage and network, 3 for anything that an honest log cannot have.

Example: holdfast log monitor https://registry.example --watch '@acme/*'
`

const options = {
  vkey: { type: 'string', multiple: true },
  registry: { type: 'string' },
  state: { type: 'boolean' },
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
  if (verb === 'audit' && place !== undefined)
    return reportMisbehaviour(() => audit(place, vkeys, values.state === true, isJson))
  if (verb === 'show' && place !== undefined)
    return reportMisbehaviour(() => showLog(place, values.registry, isJson))
  if (verb === 'monitor' && place !== undefined && values.watch !== undefined) {
    const patterns = values.watch.map(parseNamePattern)
    const wish = { place, vkeys, patterns, webhook: values.webhook, isOnce: values.once === true, isJson }
    return reportMisbehaviour(() => monitorLog(wish))
  }
  throw new UsageError(
    'holdfast log needs to know what to do',
    "Write holdfast log audit URL, holdfast log show PACKAGE, or holdfast log monitor URL --watch '@acme/*'.",
  )
}

async function audit(
  place: string,
  vkeys: readonly string[],
  isOfState: boolean,
  isJson: boolean,
): Promise<number> {
  const registry = isOfState ? await registryAt(place) : undefined
  const source = await findLog(place)
  const believed = await findBelieved(await readCheckpointNote(source), vkeys)
  const leaves: Leaf[] = []
  const types = new Map<string, number>()
  const { checkpoint, found } = await auditNewest(source, believed, leaf => {
    types.set(leaf.type, (types.get(leaf.type) ?? 0) + 1)
    if (isOfState) leaves.push(leaf)
  })
  const isHonest = found.faultCount === 0
  const readAgain = () => readLeaves(source, believed)
  const state = registry && isHonest ? await compareRegistry(registry, leaves, readAgain) : undefined
  const { origin, size, root } = checkpoint
  const told = { origin, size, root: encodeBase64(root), ...found, types: Object.fromEntries(types) }
  print(isJson ? `${JSON.stringify({ ...told, state })}\n` : describe(told) + describeState(state))
  return isHonest && (state === undefined || state.differences.length === 0) ? 0 : 3
}

function registryAt(place: string): Promise<Registry> {
  if (/^https?:\/\//.test(place)) return findRegistry(place.replace(/\/log\/*$/, ''))
  throw new UsageError('a copy in a folder shows no packages', 'Name the registry with --state.')
}

/** Audits the log under its newest checkpoint, which is then the one to remember. */
async function auditNewest(source: LogSource, believed: Believed, onLeaf: (leaf: Leaf) => void) {
  const checkpoint = await verifyCheckpoint(believed, await readCheckpointNote(source))
  const progress = startProgress('entries', checkpoint.size)
  const found = await auditLog(source, checkpoint, onLeaf, progress.show)
  progress.end()
  await compareWithState(believed, checkpoint, tileReader(source), found.faultCount === 0)
  return { checkpoint, found }
}

/** All entries once more, as many as there are by now. */
async function readLeaves(source: LogSource, believed: Believed): Promise<readonly Leaf[]> {
  const leaves: Leaf[] = []
  const { found } = await auditNewest(source, believed, leaf => leaves.push(leaf))
  if (found.faultCount === 0) return leaves
  throw new Misbehaviour(`the log is no longer honest: ${found.faults[0]}`, 'Audit it again for all of it.')
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
    .map(formatLine)
    .join('')
}

function describeState(state: RegistryState | undefined): string {
  if (state === undefined) return ''
  const { packages, differences, hidden, unseen, gate } = state
  return [
    ...differences.map(each => `DIFFERENCE ${each}`),
    ...unseen.map(name => `UNSEEN ${name}: it may be restricted, and nothing is known of it`),
    ...(gate?.unread ?? []).map(
      about => `UNREAD ${about}: its document was erased, and nothing is known of it`,
    ),
    gate === undefined
      ? 'Owners, publishers, freezes, waivers and the policy were not compared: only auditors, responders and operators may see them.'
      : `${gate.rows} rows of owners, publishers, freezes, waivers and the policy compared: ${gate.differences.length} differences.`,
    `${packages} packages compared with the registry: ${differences.length - (gate?.differences.length ?? 0)} differences, ${hidden} open versions kept back by its policy, ${unseen.length} packages unseen.`,
  ]
    .map(formatLine)
    .join('')
}

function formatLine(line: string): string {
  return `${revealHidden(line)}\n`
}

function print(words: string): number {
  process.stdout.write(words)
  return 0
}
