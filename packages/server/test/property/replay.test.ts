// SPDX-License-Identifier: Apache-2.0
/** Whoever plays the log from its beginning knows what the registry serves: after any history both are the same. */
import { after, before, test } from 'node:test'
import type { PackageName, Version } from '@holdfast/core'
import fc from 'fast-check'
import type { StoredEvent } from '../../src/integrity/index.ts'
import { checkLeaves } from '../leaf-check.ts'
import { type Live, publishDocument, put, startLive } from '../live.ts'
import { checkReplay } from '../replay-check.ts'
import { anyChange, make } from './change.ts'

let live: Live

before(async () => {
  live = await startLive()
})
after(() => live.stop())

// What no flow leads to yet has no leaf either.
const anyDecision = anyChange.filter(({ kind }) => kind !== 'status')
const versions = ['1.0.0', '1.0.1'] as Version[]
const anyMeasure = fc.record({
  kind: fc.constant('measure' as const),
  version: fc.constantFrom(...versions),
  measure: fc.constantFrom('quarantine', 'release', 'release', 'yank', 'unyank'),
})
const anyHistory = fc.array(fc.oneof(anyDecision, { weight: 2, arbitrary: anyMeasure }), {
  minLength: 10,
  maxLength: 40,
})

test('the statuses, tags and roles that are kept are those that follow from the leaves', async () => {
  let counter = 0
  const run = fc.asyncProperty(anyHistory, async changes => {
    counter += 1
    const name = `history${'bcdfghjkqz'[counter % 10]}${'z'.repeat(counter)}` as PackageName
    for (const version of versions) await (await put(live, name, publishDocument(name, version))).text()
    for (const change of changes) await make(live, live.ports, name, change)
    const events = await readAll()
    await checkReplay(live.ports, events)
    await checkLeaves(live.ports, events)
  })
  await fc.assert(run, { numRuns: 12, interruptAfterTimeLimit: 60_000 })
})

async function readAll(): Promise<StoredEvent[]> {
  const all: StoredEvent[] = []
  for (;;) {
    const page = await live.ports.store.events.read(all.length, 1000)
    if (page.length === 0) return all
    all.push(...page)
  }
}
