// SPDX-License-Identifier: Apache-2.0
/** What a registry answers about single versions and packages from its log. Nothing in it is believed before it is proven. */
import { decodeBase64, type LockedVersion, type PackageName } from '@holdfast/core'
import { type Answer, explainRefusal, fetchBounded, type Registry } from '../registry.ts'
import { Misbehaviour } from './misbehaviour.ts'

const maxAnswerBytes = 64 * 1024 * 1024
const versionsAtOnce = 500

/** What a registry says about where a version stands in its log. */
export interface ClaimedProof {
  /** The signed note. */
  readonly checkpoint: string
  readonly index: number
  readonly entry: Uint8Array
  readonly path: readonly Uint8Array[]
}

/** What a registry says happened to a package. */
export interface ClaimedHistory {
  readonly checkpoint: string
  readonly entries: readonly { readonly index: number; readonly entry: Uint8Array }[]
}

/** The proof of each of these versions by `name@version`; those that the log does not have are missing. */
export async function fetchProofs(
  registry: Registry,
  versions: readonly LockedVersion[],
): Promise<ReadonlyMap<string, ClaimedProof>> {
  const parts = Array.from({ length: Math.ceil(versions.length / versionsAtOnce) }, (_, at) =>
    versions.slice(at * versionsAtOnce, (at + 1) * versionsAtOnce),
  )
  const answers = await Promise.all(parts.map(part => fetchSome(registry, part)))
  return new Map(answers.flat())
}

async function fetchSome(
  registry: Registry,
  versions: readonly LockedVersion[],
): Promise<readonly (readonly [string, ClaimedProof])[]> {
  const body = { versions: versions.map(({ name, version }) => ({ pkg: name, ver: version })) }
  const answer = await fetchBounded(registry, 'POST', 'log/proofs', maxAnswerBytes, { body })
  const { checkpoint, proofs } = readObject(registry, answer)
  return readList(proofs).flatMap(each => {
    const { pkg, ver, missing, index, entry, path } = each
    if (missing === true) return []
    const proof = { checkpoint: readText(checkpoint), index: readIndex(index), entry: readBytes(entry) }
    return [[`${pkg}@${ver}`, { ...proof, path: readTexts(path).map(readBytes) }] as const]
  })
}

/** The histories of these packages; a registry leaves some out of an answer that gets large. */
export async function fetchHistories(
  registry: Registry,
  names: readonly PackageName[],
): Promise<ReadonlyMap<string, ClaimedHistory>> {
  const parts = Array.from({ length: Math.ceil(names.length / versionsAtOnce) }, (_, at) =>
    names.slice(at * versionsAtOnce, (at + 1) * versionsAtOnce),
  )
  const answers = await Promise.all(parts.map(part => fetchPackages(registry, part)))
  const histories = new Map(answers.flat())
  for (const name of names) {
    if (histories.has(name)) continue
    const history = await fetchHistory(registry, name)
    if (history !== undefined) histories.set(name, history)
  }
  return histories
}

async function fetchPackages(
  registry: Registry,
  names: readonly PackageName[],
): Promise<readonly (readonly [string, ClaimedHistory])[]> {
  const body = { packages: names }
  const answer = await fetchBounded(registry, 'POST', 'log/packages', maxAnswerBytes, { body })
  const { checkpoint, packages } = readObject(registry, answer)
  return readList(packages).map(({ pkg, leaves }) => [readText(pkg), readHistory(checkpoint, leaves)])
}

function readHistory(checkpoint: unknown, leaves: unknown): ClaimedHistory {
  const entries = readList(leaves).map(({ index, entry }) => ({
    index: readIndex(index),
    entry: readBytes(entry),
  }))
  return { checkpoint: readText(checkpoint), entries }
}

/** Everything the log has about a package; undefined when the registry shows none. */
export async function fetchHistory(
  registry: Registry,
  name: PackageName,
): Promise<ClaimedHistory | undefined> {
  const answer = await fetchBounded(registry, 'GET', `log/package/${name}`, maxAnswerBytes)
  if (answer.status === 404) return undefined
  const { checkpoint, leaves } = readObject(registry, answer)
  return readHistory(checkpoint, leaves)
}

type Members = Readonly<Record<string, unknown>>

function readObject(registry: Registry, answer: Answer): Members {
  if (!answer.isOk) throw explainRefusal(registry, answer)
  try {
    return (JSON.parse(Buffer.from(answer.body).toString('utf8')) ?? {}) as Members
  } catch {
    throw malformed()
  }
}

function readList(value: unknown): readonly Members[] {
  if (!Array.isArray(value) || value.some(each => typeof each !== 'object' || each === null))
    throw malformed()
  return value
}

function readTexts(value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw malformed()
  return value.map(readText)
}

function readText(value: unknown): string {
  if (typeof value !== 'string') throw malformed()
  return value
}

function readIndex(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw malformed()
  return value as number
}

function readBytes(value: unknown): Uint8Array {
  const bytes = decodeBase64(readText(value))
  if (bytes === undefined) throw malformed()
  return bytes
}

function malformed(): Misbehaviour {
  return new Misbehaviour('what the registry says about its log cannot be read', 'Tell its operator.')
}
