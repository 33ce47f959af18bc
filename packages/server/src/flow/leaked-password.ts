// SPDX-License-Identifier: Apache-2.0
/** Passwords that others have seen: on the list that comes with us, and at a range service where one is configured. */
import { createHash } from 'node:crypto'
import { problem } from '@holdfast/core'
import { type Account, authorize, isCommonPassword, toPerson, type Whence } from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { addNotice } from './letter.ts'

const deadlineMs = 2000
const maxBytes = 256 * 1024
const keptMs = 24 * 3600_000
const pauseMs = 10_000
const maxKept = 500

/** What a range service said of one prefix, and until when it counts. */
interface Range {
  readonly suffixes: ReadonlySet<string>
  readonly until: number
}

interface Memory {
  readonly ranges: Map<string, Range>
  /** Until then a service that did not answer is left alone: nobody waits for it at each sign-in. */
  pausedUntil: number
}

const memoryOf = new WeakMap<Ports['store'], Memory>()

/** Throws `weak-password` for a new password that others have seen. */
export async function checkNotLeaked(ports: Ports, password: string): Promise<void> {
  if (await isLeaked(ports, password))
    throw problem('weak-password', { why: 'it is in collections of leaked passwords' })
}

/**
 * After a sign-in with the right password: one that has leaked is noted, told to its owner, and from then on the account
 * can do nothing but change it. Says the account as it is now.
 */
export async function noteLeak(
  ports: Ports,
  account: Account,
  password: string,
  from: Whence,
): Promise<Account> {
  if (account.passwordLeakedAt !== null || !(await isLeaked(ports, password))) return account
  const at = ports.clock()
  const actor = toPerson(account, { kind: 'password' }, from)
  const grant = await authorize(ports, actor, 'session:create', account.id)
  const event = { type: 'account-change', detail: { account: account.id, op: 'password-leaked' } } as const
  await ports.store.commit(grant, event, async tx => {
    await tx.identity.setPasswordLeaked(account.id, at)
    const what =
      'The password of your account was found in collections of leaked passwords and must be changed'
    await addNotice(tx, ports, account, what)
  })
  return { ...account, passwordLeakedAt: at }
}

async function isLeaked(ports: Ports, password: string): Promise<boolean> {
  if (isCommonPassword(password)) return true
  const { leakedPasswords } = ports.config
  if (leakedPasswords === undefined) return false
  const hash = createHash('sha1').update(password, 'utf8').digest('hex').toUpperCase()
  return (await readRange(ports, leakedPasswords, hash.slice(0, 5))).has(hash.slice(5))
}

/**
 * All that the service knows under the first five digits of a hash: it never learns which one was asked for. When it
 * does not answer, nobody is kept out: the list that comes with us has spoken, and it is asked again a little later.
 */
async function readRange(ports: Ports, address: string, prefix: string): Promise<ReadonlySet<string>> {
  const memory = memoryOf.get(ports.store) ?? { ranges: new Map<string, Range>(), pausedUntil: 0 }
  memoryOf.set(ports.store, memory)
  const { ranges } = memory
  const kept = ranges.get(prefix)
  const now = ports.clock()
  const fallback = kept?.suffixes ?? new Set<string>()
  if ((kept !== undefined && kept.until > now) || memory.pausedUntil > now) return fallback
  const suffixes = await askRange(ports, `${address.replace(/\/+$/, '')}/${prefix}`)
  if (suffixes === undefined) memory.pausedUntil = now + pauseMs
  if (suffixes === undefined) return fallback
  if (ranges.size >= maxKept) ranges.delete(ranges.keys().next().value ?? '')
  ranges.set(prefix, { suffixes, until: now + keptMs })
  return suffixes
}

async function askRange(ports: Ports, url: string): Promise<ReadonlySet<string> | undefined> {
  // Padded, so that the length of the answer does not tell an eavesdropper which range it was.
  const headers = { 'add-padding': 'true', accept: 'text/plain' }
  const answer = await ports.outbound.ask({ url, headers, deadlineMs, maxBytes }).catch(() => undefined)
  if (answer?.status !== 200) return undefined
  const lines = Buffer.from(answer.bytes).toString('latin1').split(/\r?\n/)
  // A count of 0 is padding.
  return new Set(lines.flatMap(line => /^([0-9A-F]{35}):0*[1-9]\d*$/i.exec(line)?.[1]?.toUpperCase() ?? []))
}
