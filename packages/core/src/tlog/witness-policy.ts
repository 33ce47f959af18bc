// SPDX-License-Identifier: Apache-2.0
/**
 * Whom a client believes, by C2SP tlog-policy: the keys of logs, the witnesses that watch them, and how many of those
 * must have signed a checkpoint.
 *
 *     log registry.example/log+12519b36+AXjQTA0C/tWlVxb4+mJlvN967C4TBtKSuQ1bicq/2eLz https://registry.example/log
 *     witness w1 witness.example/w1+6fc2f2cf+BMd/h4jfmZ5i/QlbSTmm7fCDvpehe+0GazBnSNUupm/F
 *     witness w2 witness.example/w2+167d8e1a+BJ3h0o7Qscm1HYM+VZF8k8f5kfl9vpD2vrHtWT2NHG02
 *     group both all w1 w2
 *     quorum both
 */
import { excerpt, problem } from '../problem.ts'
import { encodeHex } from './bytes.ts'
import type { LogCrypto } from './log-crypto.ts'
import { keyType, parseVerifierKey, type VerifierKey } from './note.ts'

const maxLength = 262_144
const maxLines = 1024

export interface PolicyLog {
  readonly key: VerifierKey
  readonly url?: string
}

export interface PolicyWitness {
  readonly name: string
  readonly key: VerifierKey
  /** Where it takes checkpoints. */
  readonly url?: string
}

export interface WitnessPolicy {
  readonly logs: readonly PolicyLog[]
  readonly witnesses: readonly PolicyWitness[]
  /** Whether no witness is asked for. */
  readonly isNone: boolean
  /** Whether these keys, whose cosignatures verified, are enough. */
  isMet(witnessKeys: readonly VerifierKey[]): boolean
}

type IsMet = (signed: ReadonlySet<string>) => boolean

/** What the lines so far have said. */
interface Draft {
  readonly logs: PolicyLog[]
  readonly witnesses: PolicyWitness[]
  /** Witnesses and groups by their names, in one space. */
  readonly rules: Map<string, IsMet>
  /** Names that are members of a group already. */
  readonly members: Set<string>
  readonly publicKeys: Set<string>
  quorum: string | undefined
}

/** Reads a policy file, or throws `witness-policy-refused` with the line that is wrong. */
export async function parseWitnessPolicy(crypto: LogCrypto, text: string): Promise<WitnessPolicy> {
  const lines = text.split('\n')
  if (text.length > maxLength || lines.length > maxLines) throw refuse(0, 'it is too long')
  const draft: Draft = {
    logs: [],
    witnesses: [],
    rules: new Map(),
    members: new Set(),
    publicKeys: new Set(),
    quorum: undefined,
  }
  for (const [at, line] of lines.entries()) {
    const items = line
      .replace(/#.*/, '')
      .split(/[ \t\r]+/)
      .filter(item => item !== '')
    if (items.length > 0) await readLine(crypto, draft, at + 1, items)
  }
  return toPolicy(draft)
}

async function readLine(
  crypto: LogCrypto,
  draft: Draft,
  at: number,
  items: readonly string[],
): Promise<void> {
  const [word, ...rest] = items
  if (word === 'log') return readLog(crypto, draft, at, rest)
  if (word === 'witness') return readWitness(crypto, draft, at, rest)
  if (word === 'group') return readGroup(draft, at, rest)
  if (word === 'quorum') return readQuorum(draft, at, rest)
  throw refuse(at, `${excerpt(word)} is no word of a policy`)
}

async function readLog(crypto: LogCrypto, draft: Draft, at: number, items: readonly string[]): Promise<void> {
  const [vkey = '', url, ...more] = items
  if (more.length > 0) throw refuse(at, 'a log has a key and an address')
  const key = await readKey(crypto, draft, at, vkey)
  if (key.type === keyType.cosignature) throw refuse(at, 'this is the key of a witness')
  draft.logs.push({ key, ...readUrl(at, url) })
}

async function readWitness(
  crypto: LogCrypto,
  draft: Draft,
  at: number,
  items: readonly string[],
): Promise<void> {
  const [name = '', vkey = '', url, ...more] = items
  if (more.length > 0) throw refuse(at, 'a witness has a name, a key and an address')
  const key = await readKey(crypto, draft, at, vkey)
  if (key.type === keyType.ed25519) throw refuse(at, 'this key is no key of a witness')
  draft.witnesses.push({ name, key, ...readUrl(at, url) })
  addRule(draft, at, name, signed => signed.has(keyName(key)))
}

async function readKey(crypto: LogCrypto, draft: Draft, at: number, vkey: string): Promise<VerifierKey> {
  const key = await parseVerifierKey(crypto, vkey).catch((error: Error) => {
    throw refuse(at, error.message)
  })
  const hex = encodeHex(key.publicKey)
  // One key under two names would count twice, or sign for two purposes.
  if (draft.publicKeys.has(hex)) throw refuse(at, 'this key stands in the policy already')
  draft.publicKeys.add(hex)
  return key
}

function readUrl(at: number, url: string | undefined): { readonly url?: string } {
  if (url === undefined) return {}
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw refuse(at, `${excerpt(url)} is no address`)
  return { url }
}

function readGroup(draft: Draft, at: number, items: readonly string[]): void {
  const [name = '', word = '', ...members] = items
  const needed = readThreshold(at, word, members.length)
  const rules = members.map(member => takeMember(draft, at, member))
  addRule(draft, at, name, signed => rules.filter(isMet => isMet(signed)).length >= needed)
}

function readThreshold(at: number, word: string, count: number): number {
  if (word === 'any' && count > 0) return 1
  if (word === 'all' && count > 0) return count
  const needed = /^[1-9]\d{0,3}$/.test(word) ? Number(word) : Number.NaN
  if (!(needed <= count)) throw refuse(at, `${excerpt(word)} of ${count} can never be met`)
  return needed
}

function takeMember(draft: Draft, at: number, member: string): IsMet {
  const isMet = draft.rules.get(member)
  if (isMet === undefined) throw refuse(at, `${excerpt(member)} is not named above`)
  // Whoever counts in two groups would count twice where these meet.
  if (draft.members.has(member)) throw refuse(at, `${excerpt(member)} is a member already`)
  draft.members.add(member)
  return isMet
}

function addRule(draft: Draft, at: number, name: string, isMet: IsMet): void {
  if (name === '' || name === 'none' || draft.rules.has(name))
    throw refuse(at, `the name ${excerpt(name)} cannot be used`)
  draft.rules.set(name, isMet)
}

function readQuorum(draft: Draft, at: number, items: readonly string[]): void {
  const [name = ''] = items
  if (draft.quorum !== undefined) throw refuse(at, 'there is a second quorum')
  if (items.length !== 1 || (name !== 'none' && !draft.rules.has(name)))
    throw refuse(at, `${excerpt(name)} is not named above`)
  draft.quorum = name
}

function toPolicy({ logs, witnesses, rules, quorum }: Draft): WitnessPolicy {
  const isMet = quorum === 'none' ? () => true : rules.get(quorum ?? '')
  if (isMet === undefined) throw refuse(0, 'it has no quorum line')
  return {
    logs,
    witnesses,
    isNone: quorum === 'none',
    isMet: witnessKeys => isMet(new Set(witnessKeys.map(keyName))),
  }
}

function keyName({ name, id }: VerifierKey): string {
  return `${name}+${id}`
}

function refuse(line: number, why: string) {
  return problem('witness-policy-refused', { why: line === 0 ? why : `line ${line}: ${why}` })
}
