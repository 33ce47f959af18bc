// SPDX-License-Identifier: Apache-2.0
/** What an entry of the log says, and the chain that holds a package's entries together. */
import { decodeLeaf } from '../canonical-json.ts'
import { isPackageName, type PackageName } from '../package-name.ts'
import { excerpt, problem } from '../problem.ts'
import { decodeBase64, encodeBase64 } from './bytes.ts'
import type { LogCrypto } from './log-crypto.ts'
import { hashLeaf, hashLength } from './merkle.ts'

const maxLeafBytes = 8192

/** One entry of a log. Its type may be one that this code does not know. */
export interface Leaf {
  /** The origin of the log it belongs to. */
  readonly log: string
  /** Different in every leaf. */
  readonly id: string
  /** Milliseconds since the epoch at which the registry accepted the change, as it claims. */
  readonly at: number
  readonly type: string
  readonly actor: { readonly kind: string; readonly id: string }
  /** The package it is about, with its place in that package's chain. */
  readonly link?: ChainLink
  /** Everything it says, the above included. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Which entry of a package a leaf is. */
export interface ChainLink {
  readonly pkg: PackageName
  /** 1, 2, 3… */
  readonly seq: number
  /** Base64 leaf hash of the package's entry before; empty for the first. */
  readonly prev: string
}

/** Where a package's chain ends so far. */
export interface ChainEnd {
  readonly seq: number
  /** Base64 leaf hash of its last entry. */
  readonly hash: string
}

/** Reads an entry, or throws `leaf-refused` unless it is canonical and has all that every leaf has. */
export function readLeaf(entry: Uint8Array): Leaf {
  if (entry.length > maxLeafBytes) throw refuse(`it is longer than ${maxLeafBytes} bytes`)
  const fields = decodeFields(entry)
  const { v, log, id, at, type } = fields
  if (v !== 1) throw refuse('its format is not version 1')
  if (typeof log !== 'string' || log === '') throw refuse('it names no log')
  if (
    typeof id !== 'string' ||
    !/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)
  )
    throw refuse('it has no id')
  if (typeof at !== 'number' || at < 0) throw refuse('it has no time')
  if (typeof type !== 'string' || !/^[a-z]+(-[a-z]+)*$/.test(type)) throw refuse('it has no type')
  return { log, id, at, type, actor: readActor(fields['actor']), ...readLink(fields), fields }
}

function decodeFields(entry: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return decodeLeaf(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(entry))
  } catch (error) {
    throw refuse(error instanceof TypeError ? 'it is no text' : (error as Error).message)
  }
}

const actorKinds = ['user', 'oidc', 'admin', 'system']

function readActor(actor: unknown): Leaf['actor'] {
  const { kind, id, ...more } = (actor ?? {}) as { readonly kind?: unknown; readonly id?: unknown }
  const isSane = typeof kind === 'string' && actorKinds.includes(kind) && typeof id === 'string' && id !== ''
  if (!isSane || Object.keys(more).length > 0) throw refuse('it does not say who acted')
  return { kind, id }
}

function readLink({ pkg, seq, prev }: Readonly<Record<string, unknown>>): { readonly link?: ChainLink } {
  if (pkg === undefined && seq === undefined && prev === undefined) return {}
  if (!isPackageName(pkg)) throw refuse('it has a place in the chain of no package')
  if (typeof seq !== 'number' || seq < 1) throw refuse(`it has no place in the chain of ${pkg}`)
  const isFirst = seq === 1
  const isHash = typeof prev === 'string' && decodeBase64(prev)?.length === hashLength
  if (isFirst ? prev !== '' : !isHash) throw refuse(`it does not say what came before it in ${pkg}`)
  return { link: { pkg, seq, prev: prev as string } }
}

/** Reads all entries of one package, oldest first, or throws `leaf-refused` where one is missing, changed or of another. */
export async function checkChain(
  crypto: LogCrypto,
  entries: readonly Uint8Array[],
): Promise<readonly Leaf[]> {
  const leaves: Leaf[] = []
  let end: ChainEnd | undefined
  for (const entry of entries) {
    const leaf = readLeaf(entry)
    const name = leaves[0]?.link?.pkg ?? leaf.link?.pkg
    if (leaf.link === undefined || leaf.link.pkg !== name)
      throw refuse(`it is not about ${excerpt(name ?? 'a package')}`)
    end = await extendChain(crypto, end, entry, leaf.link)
    leaves.push(leaf)
  }
  return leaves
}

/** Where a chain ends with one more entry, or throws `leaf-refused` when the entry does not come next. */
export async function extendChain(
  crypto: LogCrypto,
  end: ChainEnd | undefined,
  entry: Uint8Array,
  { pkg, seq, prev }: ChainLink,
): Promise<ChainEnd> {
  const wanted = (end?.seq ?? 0) + 1
  if (seq !== wanted) throw refuse(`entry ${wanted} of ${pkg} is missing, this is entry ${seq}`)
  if (prev !== (end?.hash ?? '')) throw refuse(`before entry ${seq} of ${pkg} stood another one`)
  return { seq, hash: encodeBase64(await hashLeaf(crypto, entry)) }
}

function refuse(why: string) {
  return problem('leaf-refused', { why })
}
