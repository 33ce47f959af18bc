// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { PackageName, Version } from '@holdfast/core'
import { openCase } from '../../src/flow/index.ts'
import type { IncidentCase } from '../../src/incident/index.ts'
import type { Store, Tx } from '../../src/ports.ts'
import { engines, openPair, type Pair, type StoreEngine } from './engine.ts'

for (const engine of engines) caseContract(engine)

/** What the record of incidents asks of the store. */
function caseContract(engine: StoreEngine): void {
  describe(`cases on ${engine.name}`, () => {
    let pair: Pair
    let store: Store
    const now = 1_700_000_000_000
    const worm = 'worm' as PackageName
    const version = (text: string) => text as Version
    const change = (work: (tx: Tx) => Promise<void>) =>
      store.commit(pair.grant, { type: 'case', pkg: worm }, work)

    before(async () => {
      pair = await openPair(engine, () => now)
      store = pair.store
    })
    after(() => pair.close())

    const made = (id: string, openedAt: number, more: Partial<IncidentCase> = {}) => ({
      id,
      kind: 'takedown' as const,
      title: `${id} of the upstream`,
      state: 'draft' as const,
      severity: 'critical' as const,
      openedBy: 'reconcile',
      openedAt,
      ...more,
    })

    test('a case keeps each subject once and its notes in the order they were written', async () => {
      await change(async tx => {
        await tx.incident.addCase(made('case-1', now))
        for (const each of ['2.0.0', '1.0.0', '2.0.0'])
          await tx.incident.addCaseSubjects('case-1', [{ package: worm, version: version(each) }])
        // Written in one moment: their order is that of the writing.
        for (const words of ['first', 'second'])
          await tx.incident.addCaseNote('case-1', { at: now, by: 'reconcile', words })
      })
      const found = await pair.second.incident.findCase('case-1')
      assert.deepEqual(found, {
        ...made('case-1', now),
        subjects: ['1.0.0', '2.0.0'].map(each => ({ package: worm, version: each })),
        timeline: ['first', 'second'].map(words => ({ at: now, by: 'reconcile', words })),
      })
      assert.equal(await store.incident.findCase('case-2'), undefined)
    })

    test('the case of a kind and title is found until it is closed', async () => {
      await change(async tx => {
        await tx.incident.addCase(made('case-2', now + 1))
        await tx.incident.addCaseSubjects('case-2', [{ package: worm, version: '' }])
      })
      const { title } = made('case-2', now)
      assert.equal(await store.incident.findOpenCase('takedown', title), 'case-2')
      assert.equal(await store.incident.findOpenCase('private-name', title), undefined)
      await change(tx => tx.incident.setCaseState('case-2', 'closed'))
      assert.equal(await store.incident.findOpenCase('takedown', title), undefined)
      assert.equal((await store.incident.findCase('case-2'))?.state, 'closed')
      assert.equal((await store.incident.findCase('case-1'))?.state, 'draft')
    })

    test('of many who open the same case at once, in two processes, one does and the others add to it', async () => {
      const draft = {
        kind: 'upstream-fault',
        title: 'raced',
        severity: 'low',
        subjects: [{ package: worm, version: '' }],
        words: 'seen',
      } as const
      const racing = Array.from({ length: 8 }, (_, i) => {
        const on = i % 2 === 0 ? store : pair.second
        return on.commit(pair.grant, [], tx => openCase(tx, 'reconcile', now - 1, draft))
      })
      const opened = await Promise.all(racing)
      const ids = new Set(opened.map(each => each.id))
      assert.equal(ids.size, 1)
      assert.equal(opened.filter(each => each.isNews).length, 1)
      const [id = ''] = ids
      assert.equal((await store.incident.findCase(id))?.timeline.length, 8)
      await change(tx => tx.incident.setCaseState(id, 'closed'))
    })

    test('cases are listed newest first with the number of their subjects, a page at a time', async () => {
      const list = async (before: number, limit: number) =>
        (await store.incident.listCases(before, limit))
          .filter(each => each.title !== 'raced')
          .map(each => [each.id, each.subjectCount])
      assert.deepEqual(await list(Number.MAX_SAFE_INTEGER, 10), [
        ['case-2', 1],
        ['case-1', 2],
      ])
      assert.deepEqual(await list(now + 1, 1), [['case-1', 2]])
      assert.deepEqual(await list(Number.MAX_SAFE_INTEGER, 1), [['case-2', 1]])
    })

    test('those that are not closed are listed gravest first, then oldest, and leads by case', async () => {
      await change(async tx => {
        await tx.incident.addCase(made('case-8', now + 8, { severity: 'low' }))
        await tx.incident.addCase(made('case-9', now + 9))
        await tx.incident.takeCase('case-9', 'a_1', now)
      })
      const open = (await store.incident.listOpenCases(10)).map(each => each.id)
      assert.deepEqual(open, ['case-1', 'case-9', 'case-8'])
      assert.deepEqual([...(await pair.second.incident.listLeads())], [['case-9', 'a_1']])
      await change(async tx => {
        assert.equal(await tx.incident.changeCase('case-9', 0, { severity: 'low', lead: '' }), false)
        assert.equal(await tx.incident.changeCase('case-9', 1, { severity: 'low', lead: '' }), true)
      })
    })
  })
}
