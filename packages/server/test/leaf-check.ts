// SPDX-License-Identifier: Apache-2.0
/** Leaves are for ever: each is canonical, short and what the table says, and names nobody. */
import assert from 'node:assert/strict'
import { decodeLeaf, findLeafFault } from '@holdfast/core'
import type { StoredEvent } from '../src/integrity/index.ts'
import type { Ports } from '../src/main.ts'

const opaque = /^(?:a|rb|t|tm|tp|wv)_[0-9a-f]{16,}$/
const mail = /[^"\s]@[a-z0-9-]+\.[a-z]{2,}/i
const address = /\b\d{1,3}(?:\.\d{1,3}){3}\b|\b(?:[0-9a-f]{1,4}:){3,}[0-9a-f]{1,4}\b/i
/** Names of packages and digests are no prose: they may look like anything. */
const named = new Set(['pkg', 'ver', 'scope', 'pattern', 'log', 'integrity', 'id', 'prev'])

export async function checkLeaves(ports: Ports, events: readonly StoredEvent[]): Promise<void> {
  const secrets = await listSecrets(ports, events)
  for (const event of events) {
    if (event.leaf === null) continue
    const leaf = decodeLeaf(event.leaf)
    assert.equal(findLeafFault(leaf), undefined, event.leaf)
    assert.ok(event.leaf.length <= 8192)
    checkIds(leaf)
    for (const text of textsOf(leaf)) checkText(text, secrets, event.leaf)
  }
}

function checkIds(leaf: Readonly<Record<string, unknown>>): void {
  const { kind, id } = leaf['actor'] as { kind: string; id: string }
  assert.match(id, kind === 'admin' || kind === 'system' ? /^sys_[a-z-]+$/ : opaque)
  const { subject } = leaf as { subject?: string | { id: string } }
  if (subject !== undefined) assert.match(typeof subject === 'string' ? subject : subject.id, opaque)
}

function checkText(text: string, secrets: ReadonlySet<string>, leaf: string): void {
  assert.doesNotMatch(text, mail, `a leaf holds an address: ${leaf}`)
  assert.doesNotMatch(text, address, `a leaf holds a network address: ${leaf}`)
  assert.ok(!secrets.has(text.toLowerCase()), `a leaf names ${text}: ${leaf}`)
}

/** What must not be read out of a leaf: logins, addresses, repositories, the names of tokens, robots and teams. */
async function listSecrets(ports: Ports, events: readonly StoredEvent[]): Promise<ReadonlySet<string>> {
  const accounts = await ports.store.identity.listAccounts('', 1000)
  const known = accounts.flatMap(({ login, email }) => [login, email, email.split('@')[0] ?? ''])
  const told = events.flatMap(({ detail }) => [
    ...wordsIn(detail, ['repository', 'workflow', 'environment', 'ref', 'name', 'team', 'address', 'words']),
  ])
  const codes = ['latest', 'next', 'owner']
  return new Set(
    [...known, ...told].map(each => each.toLowerCase()).filter(each => each !== '' && !codes.includes(each)),
  )
}

function* wordsIn(value: unknown, keys: readonly string[]): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, each] of Object.entries(value)) {
    if (typeof each === 'string' && keys.includes(key)) yield each
    yield* wordsIn(each, keys)
  }
}

function* textsOf(value: unknown, key = ''): Generator<string> {
  if (typeof value === 'string' && !named.has(key)) yield value
  if (typeof value !== 'object' || value === null) return
  for (const [name, each] of Object.entries(value)) yield* textsOf(each, Array.isArray(value) ? key : name)
}
