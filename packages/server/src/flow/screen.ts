// SPDX-License-Identifier: Apache-2.0
/** Screening beside the event loop, one package at a time, with hard limits of memory and time: what fails is told, and is no pass. */
import { readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { type Digest, isProblem } from '@holdfast/core'
import type { Screening } from '../catalog/index.ts'
import {
  defaultInspectLimits,
  type InspectLimits,
  type PackagePart,
  readPackagePart,
} from '../integrity/index.ts'
import type { Ports } from '../ports.ts'
import { Thread } from '../thread.ts'
import type { RuleFolder } from '../vulnerability/index.ts'

/** What screening says of one tarball. */
export interface ScreenWords extends Pick<Screening, 'score' | 'rules' | 'findings' | 'fault'> {
  readonly state: Exclude<Screening['state'], 'due'>
  /** Scripts, code and dependencies that the version before did not have; none where there is none before. */
  readonly news: readonly string[]
}

export interface ScreenJob {
  /** Without any, only the rules in force are told. */
  readonly bytes: Uint8Array | PackagePart | undefined
  readonly previous: Uint8Array | PackagePart | undefined
  readonly limits: InspectLimits
  /** The operator's own rules. */
  readonly rules: RuleFolder | undefined
}

type Bytes = Uint8Array<ArrayBuffer>
/** What there is to screen: a tarball, what was read of a large one, or why neither. */
export type Screenable = Bytes | PackagePart | { readonly fault: string }

const deadlineMs = 15_000
const maxWaiting = 100
const maxInflatedBytes = 256 * 1024 * 1024
/** Larger ones are never whole in memory: of them the manifest and what runs is screened. */
const maxScreenedBytes = 48 * 1024 * 1024
const pieceBytes = 256 * 1024
const threadUrl = new URL(`./screen-thread${extname(import.meta.filename)}`, import.meta.url)
/** Its rules take a second to load: whoever publishes a few times an hour waits for that once. */
const restMs = 10 * 60_000
const thread = new Thread<ScreenJob, ScreenWords>(
  threadUrl,
  { maxYoungGenerationSizeMb: 32, maxOldGenerationSizeMb: 512, stackSizeMb: 8 },
  deadlineMs,
  restMs,
)
let waiting = 0

/** Screens a tarball beside the one before it; never throws: whatever goes wrong is a failure on record. */
export async function screenTarball(
  { config }: Pick<Ports, 'config'>,
  bytes: Screenable,
  previous: Screenable | undefined,
): Promise<ScreenWords> {
  if ('fault' in bytes) return failed(bytes.fault)
  if (waiting >= maxWaiting) return failed('too much waits to be screened')
  waiting += 1
  const limits = limitsOf(config)
  try {
    const before = previous === undefined || 'fault' in previous ? undefined : previous
    return await thread.run({ bytes, previous: before, limits, rules: rulesOf(config) })
  } catch (error) {
    return failed(
      `screening failed: ${error instanceof Error ? error.message.slice(0, 200) : 'for no reason'}`,
    )
  } finally {
    waiting -= 1
  }
}

function failed(fault: string): ScreenWords {
  return { state: 'failed', score: 0, findings: [], rules: '', fault, news: [] }
}

/** Kept bytes, whole; `large` where they are too many, undefined where they are gone. */
export async function readForScreening(
  { blobs }: Pick<Ports, 'blobs'>,
  digest: Digest,
): Promise<Bytes | 'large' | undefined> {
  const reader = await blobs.open(digest)
  if (reader === undefined) return undefined
  try {
    if (reader.sizeBytes > maxScreenedBytes) return 'large'
    const bytes = new Uint8Array(reader.sizeBytes)
    await reader.read(0, bytes)
    return bytes
  } finally {
    await reader.close()
  }
}

/** Kept bytes for screening. */
export async function openForScreening(
  ports: Pick<Ports, 'blobs' | 'config'>,
  digest: Digest,
): Promise<Screenable> {
  const bytes = await readForScreening(ports, digest)
  if (bytes === undefined) return { fault: 'its bytes are not here' }
  return bytes === 'large' ? readPart(ports, () => readPieces(ports, digest)) : bytes
}

/** Bytes that are not kept yet. */
export async function gatherForScreening(
  ports: Pick<Ports, 'config'>,
  read: () => AsyncIterable<Uint8Array>,
  sizeBytes: number,
): Promise<Screenable> {
  if (sizeBytes > maxScreenedBytes) return readPart(ports, read)
  const bytes = new Uint8Array(sizeBytes)
  let at = 0
  for await (const piece of read()) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

async function readPart(
  { config }: Pick<Ports, 'config'>,
  read: () => AsyncIterable<Uint8Array>,
): Promise<Screenable> {
  const limits = { ...limitsOf(config), maxInflatedBytes: config.maxUnpackedBytes }
  return readPackagePart(read, limits).catch((error: unknown) => {
    if (!isProblem(error)) throw error
    return { fault: `its tarball cannot be read: ${String(error.data['why'])}` }
  })
}

/** Kept bytes a piece at a time; none where they are gone. */
export async function* readPieces(
  { blobs }: Pick<Ports, 'blobs'>,
  digest: Digest,
): AsyncGenerator<Uint8Array> {
  const reader = await blobs.open(digest)
  if (reader === undefined) return
  try {
    for (let at = 0; at < reader.sizeBytes; at += pieceBytes)
      yield await reader.read(at, new Uint8Array(Math.min(pieceBytes, reader.sizeBytes - at)))
  } finally {
    await reader.close()
  }
}

let known: { readonly texts: string; readonly rules: string } | undefined

/** Digest of the rules in force: of this release, and of the operator's as they lie in their folder now. */
export async function currentRules(ports: Pick<Ports, 'config'>): Promise<string> {
  const texts = await signFolder(ports.config.screeningRules)
  if (known?.texts !== texts) known = { texts, rules: (await askRules(ports)).rules }
  return known.rules
}

/** Which files of the operator's rules do not compile, and why; those before them stay in force. */
export async function listFaultyRules(ports: Pick<Ports, 'config'>): Promise<readonly string[]> {
  const { fault } = await askRules(ports)
  return fault === '' ? [] : fault.split('\n')
}

function askRules({ config }: Pick<Ports, 'config'>): Promise<ScreenWords> {
  const rules = rulesOf(config)
  return thread.run({ bytes: undefined, previous: undefined, limits: limitsOf(config), rules })
}

function rulesOf({ screeningRules: path, packKeys: keys }: Ports['config']): RuleFolder | undefined {
  return path === undefined ? undefined : { path, keys }
}

async function signFolder(folder: string | undefined): Promise<string> {
  if (folder === undefined) return ''
  const names = (await readdir(folder).catch(() => [])).sort()
  const times = names.map(async name => {
    const { size, mtimeMs } = await stat(join(folder, name))
    return `${name} ${size} ${mtimeMs}`
  })
  return (await Promise.all(times)).join('\n')
}

/** Starts the thread while something to screen is still on its way; a failure shows when there is something to do. */
export function expectScreening(ports: Pick<Ports, 'config'>): void {
  if (waiting === 0) askRules(ports).catch(() => {})
}

function limitsOf(config: Ports['config']): InspectLimits {
  return {
    ...defaultInspectLimits,
    maxInflatedBytes: Math.min(config.maxUnpackedBytes, maxInflatedBytes),
    maxTokens: 0,
  }
}
