// SPDX-License-Identifier: Apache-2.0
/** What the log says of a package, or in one entry: proven here before it is printed. */
import {
  checkChain,
  hashLeaf,
  type Leaf,
  parsePackageName,
  proveInclusion,
  type ReadTile,
  readLeaf,
  revealHidden,
  verifyInclusion,
} from '@holdfast/core'
import { type VerifiedCheckpoint, verifyCheckpoint } from '../log/checkpoint.ts'
import { Misbehaviour } from '../log/misbehaviour.ts'
import { nodeCrypto } from '../log/node-crypto.ts'
import { fetchHistory } from '../log/registry-log.ts'
import { type LogSource, openLog, readBundle, readCheckpointNote, tileReader } from '../log/source.ts'
import { checkOneStory, compareWithState } from '../log/state.ts'
import { loadTrust, type Trust } from '../log/trust.ts'
import { findRegistry, type Registry } from '../registry.ts'
import { UsageError } from '../usage-error.ts'

/** An entry with its number. */
interface Shown {
  readonly index: number
  readonly leaf: Leaf
}

const bundleWidth = 256

/** Prints the history of a package, of one of its versions, or one entry. */
export async function showLog(what: string, place: string | undefined, isJson: boolean): Promise<number> {
  const [, name = what, version] = /^(@?[^@]+)@(.+)$/.exec(what) ?? []
  const registry = await findRegistry(place, /^\d+$/.test(what) ? '' : name)
  const trust = await loadTrust(registry.url)
  const source = openLog(registry)
  const readTile = tileReader(source)
  const head = await verifyCheckpoint(trust, await readCheckpointNote(source))
  const shown = /^\d+$/.test(what)
    ? [await readEntry(source, readTile, head, Number(what))]
    : await readPackage(registry, trust, readTile, head, name)
  await compareWithState(trust, head, readTile, true)
  const wanted = shown.filter(
    ({ leaf }) => version === undefined || [undefined, version].includes(leaf.fields['ver'] as string),
  )
  process.stdout.write(isJson ? `${JSON.stringify(wanted.map(toJson))}\n` : wanted.map(formatEntry).join(''))
  return 0
}

async function readEntry(
  source: LogSource,
  readTile: ReadTile,
  head: VerifiedCheckpoint,
  index: number,
): Promise<Shown> {
  if (index >= head.size)
    throw new UsageError(`there is no entry ${index}`, `The log has ${head.size}, from 0 on.`)
  const at = Math.floor(index / bundleWidth)
  const width = Math.min(bundleWidth, head.size - at * bundleWidth)
  const entry = (await readBundle(source, { kind: 'entries', index: at, width }))[index % bundleWidth]
  if (entry === undefined) throw new Misbehaviour(`entry ${index} is not in its bundle`, 'Audit the log.')
  await checkIncluded(entry, index, head, readTile)
  return { index, leaf: readLeaf(entry) }
}

async function readPackage(
  registry: Registry,
  trust: Trust,
  readTile: ReadTile,
  head: VerifiedCheckpoint,
  name: string,
): Promise<readonly Shown[]> {
  const history = await fetchHistory(registry, parsePackageName(name))
  const last = history?.entries.at(-1)
  if (history === undefined || last === undefined)
    throw new UsageError(
      `the log tells nothing of ${name}`,
      'It may be restricted: see that your token reads it.',
    )
  // The log may have grown since: the larger checkpoint is the one that both stand under.
  const under = await verifyCheckpoint(trust, history.checkpoint)
  const [small, large] = under.size > head.size ? [head, under] : [under, head]
  await checkOneStory(small, large, readTile)
  const entries = history.entries.map(({ entry }) => entry)
  const leaves = await checkChain(nodeCrypto, entries).catch((error: Error) => {
    throw new Misbehaviour(`the history of ${name} is broken: ${error.message}`, 'Tell its operator.')
  })
  // The chain binds all others to the last.
  await checkIncluded(last.entry, last.index, large, readTile)
  return leaves.map((leaf, at) => ({ index: history.entries[at]?.index ?? 0, leaf }))
}

async function checkIncluded(
  entry: Uint8Array,
  index: number,
  { size, root }: VerifiedCheckpoint,
  readTile: ReadTile,
): Promise<void> {
  const path = index < size ? await proveInclusion(nodeCrypto, readTile, index, size) : []
  const leaf = await hashLeaf(nodeCrypto, entry)
  if (index < size && (await verifyInclusion(nodeCrypto, { leaf, index, size, path, root }))) return
  throw new Misbehaviour(
    `entry ${index} is not under the signed root`,
    'Audit the log, and tell its operator.',
  )
}

function toJson({ index, leaf }: Shown): unknown {
  return { index, ...leaf.fields }
}

const always = new Set(['v', 'log', 'id', 'at', 'type', 'actor', 'pkg', 'ver', 'seq', 'prev'])

function formatEntry({ index, leaf }: Shown): string {
  const { at, type, actor, link, fields } = leaf
  const about = link === undefined ? '' : ` ${link.pkg}${fields['ver'] ? `@${fields['ver']}` : ''}`
  const rest = Object.entries(fields)
    .filter(([name]) => !always.has(name))
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return `${revealHidden(`${index} ${new Date(at).toISOString()} ${type}${about} by ${actor.id}${rest.join('')}`)}\n`
}
