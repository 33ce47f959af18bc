// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { Digest, PackageName, Version } from '@holdfast/core'
import type { Ingested } from '../../src/catalog/index.ts'
import { ingestEvent } from '../ingest-event.ts'
import { engines, openPair, type Pair } from './engine.ts'

const version = '1.0.0' as Version
const now = 1_700_000_000_000

for (const engine of engines)
  test(`${engine.name}: attestations are kept with their verdict, and what nobody looked at comes first`, async t => {
    const pair = await openPair(engine, () => now)
    t.after(() => pair.close())
    const { provenance, mirrors } = pair.store
    for (const state of ['none', 'due', 'unverified'] as const) await ingest(pair, state)
    const names = async (before: number, ...states: Ingested['provenance'][]) =>
      (await provenance.listDue(states, before, 10)).map(({ name }) => name)
    assert.deepEqual(await names(now, 'due'), ['due'])
    await provenance.markLooked('due' as PackageName, version, now)
    assert.deepEqual(await names(now, 'due', 'unverified'), ['unverified'])
    assert.deepEqual(await names(now + 1, 'due', 'unverified'), ['unverified', 'due'])

    const name = 'due' as PackageName
    assert.equal(await provenance.find(name, version), undefined)
    const finding = { kind: 'broken', why: 'it is about “other” bytes', root: 'f' } as const
    const kept = { text: '{"attestations": [1]}', finding, checkedAt: now }
    await pair.store.commit(pair.grant, { type: 'upstream-fault', pkg: name }, tx =>
      tx.upstream.noteAttestations(name, version, kept),
    )
    assert.deepEqual(await provenance.find(name, version), kept)
    assert.equal((await mirrors.findIngested(name, version))?.provenance, 'broken')
    assert.deepEqual(await names(now + 1, 'due'), [])

    const again = { ...kept, text: '{}', finding: { kind: 'unverified', why: '' } as const }
    await provenance.note(name, version, again)
    assert.deepEqual(await provenance.find(name, version), again)

    // What was found of these bytes stays when they come in again.
    await ingest(pair, 'due')
    assert.equal((await mirrors.findIngested(name, version))?.provenance, 'unverified')
  })

/** A version named after the state of its provenance. */
async function ingest({ store, grant }: Pair, provenance: Ingested['provenance']): Promise<void> {
  const made: Ingested = {
    package: provenance as string as PackageName,
    version,
    origin: 'up',
    digest: createHash('sha512').update(provenance).digest('hex') as Digest,
    shasum: 'a'.repeat(40),
    sizeBytes: 1,
    hasInstallScript: false,
    publishedAt: 1,
    ingestedAt: 1,
    lastUsedAt: 1,
    provenance,
  }
  await store.commit(grant, ingestEvent(made), tx => tx.upstream.addIngested(made))
}
