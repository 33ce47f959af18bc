// SPDX-License-Identifier: Apache-2.0
/** The tables are what the leaves say: nothing is decided beside the log. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  compareGate,
  type PackageName,
  type ReplayedPackage,
  readLeaf,
  replayGate,
  replayLeaves,
} from '@holdfast/core'
import type { StoredEvent } from '../src/integrity/index.ts'
import type { Ports } from '../src/main.ts'

const nothing: ReplayedPackage = { versions: new Map(), tags: new Map(), roles: new Map() }

/** Statuses, tags and roles of every package, and the rows of the gate, against those that follow from the leaves alone. */
export async function checkReplay(ports: Ports, events: readonly StoredEvent[]): Promise<void> {
  const leaves = events.flatMap(({ leaf }) => (leaf === null ? [] : readLeaf(Buffer.from(leaf))))
  const { packages, faults } = replayLeaves(leaves)
  assert.deepEqual(faults, [])
  const hosted = new Set(await ports.store.catalog.listNames('', 10_000))
  for (const name of hosted) await checkHosted(ports, name, packages.get(name) ?? nothing)
  for (const [name, told] of packages) if (!hosted.has(name)) await checkUpstream(ports, name, told)
  const { gate } = ports.store
  const texts = await gate.listDocuments()
  const documents = new Map(texts.map(text => [digestOf(text), JSON.parse(text)]))
  const now = ports.clock()
  assert.deepEqual(compareGate(replayGate(leaves, documents, now), await gate.list(now)), [])
}

function digestOf(text: string): string {
  return `sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}`
}

async function checkHosted(ports: Ports, name: PackageName, told: ReplayedPackage): Promise<void> {
  const { catalog } = ports.store
  const kept: Record<string, string> = {}
  for await (const page of catalog.versions(name))
    for (const { version, status } of page) kept[version] = status === 'pending' ? 'live' : status
  assert.deepEqual(statusesOf(told, 'hosted'), sorted(kept), `statuses of ${name}`)
  assert.deepEqual(
    sorted(Object.fromEntries(told.tags)),
    sorted(Object.fromEntries(await catalog.listTags(name))),
  )
  for (const target of told.tags.values())
    assert.notEqual(
      kept[target] ?? 'removed',
      'removed',
      `a tag of ${name} points at ${target}, which is gone`,
    )
  const people = (await catalog.listPeople(name)).map(each => [each.accountId, each.role] as const)
  const roles = [...told.roles].filter(([id]) => !id.startsWith('tm_'))
  assert.deepEqual(sorted(Object.fromEntries(roles)), sorted(Object.fromEntries(people)), `roles on ${name}`)
}

async function checkUpstream(ports: Ports, name: PackageName, told: ReplayedPackage): Promise<void> {
  const measures = await ports.store.mirrors.listMeasures(name)
  const closed = measures.filter(({ status }) => status !== 'live').map(each => [each.version, each.status])
  const said = Object.entries(statusesOf(told, 'upstream')).filter(([, status]) => status !== 'live')
  assert.deepEqual(Object.fromEntries(said), sorted(Object.fromEntries(closed)), `measures on ${name}`)
}

function statusesOf({ versions }: ReplayedPackage, source: 'hosted' | 'upstream'): Record<string, string> {
  const known = [...versions].filter(([, each]) => each.source === source && each.status !== 'staged')
  return sorted(Object.fromEntries(known.map(([version, { status }]) => [version, status])))
}

function sorted(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)))
}
