// SPDX-License-Identifier: Apache-2.0
/** A packument's bytes into what we keep of it: in a thread, and never more of it as objects than one version. */
import { gunzipSync } from 'node:zlib'
import {
  compareVersions,
  type DistTag,
  excerpt,
  isProblem,
  type PackageName,
  parseDistTag,
  parseJson,
  type Version,
} from '@holdfast/core'
import type { LeftOut, UpstreamVersion } from '../../catalog/index.ts'
import type { PublicKey, UpstreamContent } from '../../ports.ts'
import { eachMember, endOfValue, NotJson, skipSpace } from './json-members.ts'
import { readyKeys, signatureAtSight, verifySignature } from './signature.ts'
import { letGo, SourceLines } from './source-lines.ts'
import { asMembers, readVersion, textOf, Untrusted } from './version.ts'

/** What a reading needs to know; it goes to the thread. */
export interface ReadingWords {
  readonly name: PackageName
  readonly origin: string
  /** The origin's address. */
  readonly url: string
  /** The body as it came, in pieces. */
  readonly pieces: readonly Uint8Array<ArrayBuffer>[]
  readonly isGzip: boolean
  /** The most it may be when inflated. */
  readonly maxBytes: number
  readonly keys: readonly PublicKey[]
  /** What it said before, and when that was read: what stays the same keeps its times, and is not verified again. */
  readonly before: { readonly checkedAt: number; readonly versions: readonly KnownVersion[] } | undefined
  readonly now: number
}

/** What of a version stays as it was while its bytes do. */
export type KnownVersion = Pick<
  UpstreamVersion,
  'version' | 'digest' | 'shasum' | 'publishedAt' | 'knownSince' | 'signature' | 'upstreamSignatures'
>

/** What the thread makes of it; a refusal says why the document is wrong as a whole. */
export type Reading =
  | {
      readonly kind: 'told'
      readonly content: Omit<UpstreamContent, 'etag' | 'lastModified'>
      /** Compressed by zstd. */
      readonly source: Uint8Array<ArrayBuffer>
      readonly leftOut: readonly LeftOut[]
    }
  | { readonly kind: 'gone' }
  | { readonly kind: 'refused'; readonly why: string }

/** More are no package but a way to fill our memory. The largest real ones have some ten thousand. */
const mostVersions = 50_000
/** In all lists of names that differ: each name is an object here and beside the loop. */
const mostDependencies = 500_000
/** So many are verified at once: they are what ranges and people ask for. Any other when its bytes are asked for. */
const verifiedAtOnce = { newest: 8, tagged: 24 }
const longestHead = 4 * 1024 * 1024
/** Of the package itself, for pages and the full document. */
const headMembers = new Set([
  ...['description', 'keywords', 'readme', 'readmeFilename', 'maintainers', 'homepage', 'repository'],
  ...['license', 'bugs', 'author', 'contributors'],
])

class Refused extends Error {}

/**
 * Reads one. What is hostile about it becomes a refusal; only a lack of memory throws. The pieces are empty afterwards: what is
 * large is let go of at once, since the collector sees the small objects that hold it and not the megabytes behind them.
 */
export function readPackument(words: ReadingWords): Reading {
  let bytes: Buffer | undefined
  try {
    bytes = join(words.pieces)
    if (words.isGzip) bytes = inflate(bytes, words.maxBytes)
    return readDocument(bytes, words)
  } catch (error) {
    if (error instanceof Refused) return { kind: 'refused', why: error.message }
    if (error instanceof NotJson) return { kind: 'refused', why: 'its document is not JSON' }
    throw error
  } finally {
    letGo(bytes)
  }
}

function join(pieces: readonly Uint8Array<ArrayBuffer>[]): Buffer {
  const whole = Buffer.allocUnsafeSlow(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
    piece.buffer.transfer(0)
  }
  return whole
}

function readDocument(bytes: Buffer, words: ReadingWords): Reading {
  const outline = readOutline(bytes)
  const said = parseMember(bytes, outline.members.get('name'))
  // A document for another name: a case twin, a cache that mixes things up, or somebody who wants to be taken for another.
  if (said !== words.name) throw new Refused(`it answers with a document for ${excerpt(said)}`)
  const times = asMembers(parseMember(bytes, outline.members.get('time'))) ?? {}
  if (outline.versions.length === 0) {
    if (asMembers(times['unpublished']) !== undefined) return { kind: 'gone' }
    // A registry that is broken says this too, and what is gone is contained here.
    throw new Refused('its document lists no version')
  }
  const leftOut: LeftOut[] = []
  const head = readHead(bytes, outline.members)
  const source = new SourceLines(bytes.length)
  const first = source.add(JSON.stringify(head))
  const found = readVersions(bytes, outline.versions, times, words, source, leftOut)
  if (found.length === 0)
    throw new Refused(`no version of it can be trusted: ${leftOut[0]?.version} because ${leftOut[0]?.why}`)
  const tags = readTags(parseMember(bytes, outline.members.get('dist-tags')), found)
  const versions = verifyNewest(found, tags, words)
  letGo(bytes)
  return {
    kind: 'told',
    content: {
      name: words.name,
      origin: words.origin,
      description: textOf(head['description'], 10_000),
      ...packageTimes(times, versions, words.now),
      tags,
      versions,
    },
    source: source.inOrder([first, ...found.map(({ line }) => line)]),
    leftOut,
  }
}

/** A member of an object: its key, and where its value lies. */
interface Member {
  readonly key: string
  readonly from: number
  /** Index after the value's last byte. */
  readonly to: number
}

interface Outline {
  /** The members of the document but `versions`. */
  readonly members: ReadonlyMap<string, Member>
  readonly versions: readonly Member[]
}

function readOutline(bytes: Buffer): Outline {
  const members = new Map<string, Member>()
  const versions: Member[] = []
  const end = eachMember(bytes, 0, (key, from) => {
    // Readers disagree on which of two counts: what we check must be what clients get.
    if (members.has(key)) throw new Refused(`its document says '${excerpt(key)}' twice`)
    if (members.size > 1000) throw new Refused('its document has more than 1000 members')
    const to = key === 'versions' ? readList(bytes, from, versions) : endOfValue(bytes, from)
    members.set(key, { key, from, to })
    return to
  })
  if (skipSpace(bytes, end) !== bytes.length) throw new NotJson()
  return { members, versions }
}

function readList(bytes: Buffer, list: number, versions: Member[]): number {
  return eachMember(bytes, list, (key, from) => {
    const to = endOfValue(bytes, from)
    if (versions.push({ key, from, to }) > mostVersions)
      throw new Refused(`it lists more than ${mostVersions} versions`)
    return to
  })
}

/** A member read as strangers' JSON is; undefined when it is not there. */
function parseMember(bytes: Buffer, member: Member | undefined): unknown {
  if (member === undefined) return undefined
  try {
    return parseJson(bytes.toString('utf8', member.from, member.to))
  } catch (error) {
    if (!isProblem(error)) throw error
    throw new Refused(`its '${excerpt(member.key)}' cannot be read: ${error.data['why']}`)
  }
}

/** A version with the place of its line in the source. */
type Found = UpstreamVersion & { readonly line: number }

function readVersions(
  bytes: Buffer,
  members: readonly Member[],
  times: Readonly<Record<string, unknown>>,
  words: ReadingWords,
  source: SourceLines,
  leftOut: LeftOut[],
): readonly Found[] {
  const host = new URL(words.url)
  // Who signed before has keys, also when it does not tell them any more: to take them back must not make its word count more.
  const hasKeys = words.keys.length > 0 || words.before?.versions.some(isVerified) === true
  const known = new Map(words.before?.versions.map(each => [each.version, each]))
  const twice = repeated(members)
  const lists = new DependencyLists()
  const found: Found[] = []
  for (const member of members) {
    try {
      if (twice.has(member.key)) throw new Untrusted('it is there twice')
      const text = bytes.toString('utf8', member.from, member.to)
      const { dependencies, line, ...read } = readVersion(words.name, host, member.key, text)
      const same = sameAsBefore(known.get(read.version), read)
      const timed = { ...read, ...(same ?? versionTimes(times[read.version], words)) }
      const signature = same !== undefined && isVerified(same) ? 'verified' : signatureAtSight(hasKeys, timed)
      found.push({ ...timed, signature, dependencies: lists.share(dependencies), line: source.add(line) })
    } catch (error) {
      if (!(error instanceof Untrusted)) throw error
      leftOut.push({ version: excerpt(member.key), why: error.message })
    }
  }
  return found.sort((a, b) => a.publishedAt - b.publishedAt || compareVersions(a.version, b.version))
}

function repeated(members: readonly Member[]): ReadonlySet<string> {
  const seen = new Set<string>()
  return new Set(members.filter(({ key }) => seen.size === seen.add(key).size).map(({ key }) => key))
}

/** Most versions of a package depend on the same names: one list for all of them, here and in the answer of the thread. */
class DependencyLists {
  readonly #lists = new Map<string, readonly string[]>()
  #names = 0

  /** The list with these names, in this order. */
  share(names: readonly string[]): readonly string[] {
    const key = names.join('\n')
    const known = this.#lists.get(key)
    if (known !== undefined) return known
    this.#names += names.length
    if (this.#names > mostDependencies)
      throw new Refused(`it names more than ${mostDependencies} dependencies`)
    this.#lists.set(key, names)
    return names
  }
}

function isVerified({ signature }: Pick<UpstreamVersion, 'signature'>): boolean {
  return signature === 'verified'
}

type Times = Pick<UpstreamVersion, 'publishedAt' | 'knownSince'>

/** Times of a version do not move while its bytes stay, whatever the upstream says now; neither does a signature that was good. */
function sameAsBefore(
  before: KnownVersion | undefined,
  read: Pick<UpstreamVersion, 'digest' | 'shasum' | 'upstreamSignatures'>,
): (Times & Pick<UpstreamVersion, 'signature'>) | undefined {
  if (before === undefined || before.digest !== read.digest || before.shasum !== read.shasum) return undefined
  const { publishedAt, knownSince, upstreamSignatures } = before
  const signature = upstreamSignatures === read.upstreamSignatures ? before.signature : 'unverified'
  return { publishedAt, knownSince, signature }
}

/**
 * When a version was published, as the upstream tells it, unless that is to come. A version that was not there when we last
 * looked cannot have been known to anybody then: with an early date it would pass rules about age.
 */
function versionTimes(said: unknown, { before, now }: ReadingWords): Times {
  const at = Date.parse(textOf(said, 40))
  const publishedAt = Number.isNaN(at) || at > now || at < 0 ? now : at
  return { publishedAt, knownSince: Math.max(publishedAt, before?.checkedAt ?? 0) }
}

function packageTimes(
  times: Readonly<Record<string, unknown>>,
  versions: readonly UpstreamVersion[],
  now: number,
): Pick<UpstreamContent, 'createdAt' | 'modifiedAt'> {
  const first = versions[0]?.publishedAt ?? now
  const last = versions.at(-1)?.publishedAt ?? now
  const [created, modified] = [times['created'], times['modified']].map(each => Date.parse(textOf(each, 40)))
  return {
    createdAt: created !== undefined && created >= 0 && created <= first ? created : first,
    modifiedAt: modified !== undefined && modified >= last && modified <= now ? modified : last,
  }
}

/** Tags that are tags, on versions that are there. */
function readTags(said: unknown, versions: readonly UpstreamVersion[]): ReadonlyMap<DistTag, Version> {
  const byText = new Map<unknown, Version>(versions.map(({ version }) => [version, version]))
  const tags = new Map<DistTag, Version>()
  for (const [tag, target] of Object.entries(asMembers(said) ?? {})) {
    const version = byText.get(target)
    if (version !== undefined && isTag(tag)) tags.set(tag, version)
  }
  return tags
}

function isTag(text: string): text is DistTag {
  try {
    parseDistTag(text)
    return true
  } catch {
    return false
  }
}

function verifyNewest(
  found: readonly Found[],
  tags: ReadonlyMap<DistTag, Version>,
  words: ReadingWords,
): readonly UpstreamVersion[] {
  const keys = readyKeys(words.keys)
  if (keys.size === 0) return found.map(({ line: _, ...version }) => version)
  const newest = found.length - verifiedAtOnce.newest
  const tagged = new Set([...tags.values()].slice(0, verifiedAtOnce.tagged))
  return found.map(({ line: _, ...version }, index) =>
    version.signature === 'unverified' && (index >= newest || tagged.has(version.version))
      ? { ...version, signature: verifySignature(keys, words.name, version) }
      : version,
  )
}

function readHead(bytes: Buffer, members: Outline['members']): Readonly<Record<string, unknown>> {
  const head: [string, unknown][] = []
  for (const [key, member] of members) {
    if (headMembers.has(key) && member.to - member.from <= longestHead)
      head.push([key, parseMember(bytes, member)])
  }
  return Object.fromEntries(head)
}

/** Inflated up to a limit: a few kilobytes can be gigabytes. What gzip says of its size spares a copy, where it is true. */
function inflate(body: Buffer, maxBytes: number): Buffer {
  const said = body.length < 18 ? 0 : body.readUInt32LE(body.length - 4)
  const chunkSize = Math.max(1024, Math.min(said, maxBytes) + 1)
  try {
    return gunzipSync(body, { maxOutputLength: maxBytes, chunkSize })
  } catch (error) {
    const isTooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
    throw new Refused(
      isTooLarge
        ? `its document has more than ${maxBytes} bytes`
        : 'its document is no gzip, though it says so',
    )
  } finally {
    letGo(body)
  }
}
