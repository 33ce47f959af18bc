// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainDowngrade, noTrust, type PackageTrust, raiseTrust, trustLevelAt } from './package-trust.ts'
import type { BuildFacts } from './provenance.ts'

const build: BuildFacts = {
  repository: 'https://git.example/acme/widget',
  commit: 'c0ffee',
  ref: 'refs/heads/main',
  workflow: '',
  issuer: 'https://ci.example',
  builder: '',
  runner: '',
  repositoryId: '1001',
  ownerId: '77',
  trigger: 'push',
  run: '',
  visibility: '',
  environment: '',
}
const byToken = { isByJob: false, build: undefined }
const byJob = { isByJob: true, build: undefined }
const built = { isByJob: false, build }
const steps = [byToken, byJob, built]

test('each version proves at least what those before it did', () => {
  for (const [reached, first] of steps.entries()) {
    const trust = raiseTrust(noTrust, first, 1)
    for (const [at, next] of steps.entries())
      assert.equal(explainDowngrade(trust, next, 2) === undefined, at >= reached, `${reached} then ${at}`)
  }
})

test('a build counts from its repository alone: of the same name, id, owner and issuer', () => {
  const trust = raiseTrust(noTrust, built, 1)
  const changes = [
    { repository: 'https://git.example/acme/widget-evil' },
    { repositoryId: '1002' },
    { ownerId: '78' },
    { issuer: 'https://other.example' },
    { repositoryId: '' },
  ]
  for (const change of changes)
    assert.match(
      explainDowngrade(trust, { ...built, build: { ...build, ...change } }, 2) ?? '',
      /^it was built from/,
      JSON.stringify(change),
    )
  const renamed = { ...built, build: { ...build, repository: 'https://git.example/Acme/Widget' } }
  assert.equal(explainDowngrade(trust, renamed, 2), undefined)
})

test('a source that was added counts from its time on, and its first build fixes the ids', () => {
  const moved = {
    ...build,
    repository: 'https://git.example/new/widget',
    repositoryId: '2002',
    ownerId: '88',
  }
  const added = {
    issuer: build.issuer,
    repository: moved.repository,
    repositoryId: '',
    ownerId: '',
    startsAt: 10,
  }
  const before = raiseTrust(noTrust, built, 1)
  const trust: PackageTrust = { ...before, sources: [...before.sources, added] }
  assert.ok(explainDowngrade(trust, { ...built, build: moved }, 9) !== undefined)
  assert.equal(explainDowngrade(trust, { ...built, build: moved }, 10), undefined)
  const raised = raiseTrust(trust, { ...built, build: moved }, 10)
  assert.equal(raised.sources.length, 2)
  const resurrected = { ...moved, repositoryId: '3003' }
  assert.ok(explainDowngrade(raised, { ...built, build: resurrected }, 11) !== undefined)
  assert.equal(explainDowngrade(raised, built, 11), undefined)
})

test('a lowering counts from its time on, and the next that proves more ends it', () => {
  const trust: PackageTrust = { ...raiseTrust(noTrust, built, 1), lowering: { level: 'none', startsAt: 10 } }
  assert.ok(explainDowngrade(trust, byToken, 9) !== undefined)
  assert.equal(explainDowngrade(trust, byToken, 10), undefined)
  assert.equal(raiseTrust(trust, built, 9).lowering?.level, 'none')
  const after = raiseTrust(trust, byToken, 10)
  assert.deepEqual([after.level, after.lowering], ['none', null])
  const elsewhere = { ...build, repository: 'https://git.example/new/widget', repositoryId: '5' }
  const anew = raiseTrust(trust, { ...built, build: elsewhere }, 10)
  assert.equal(trustLevelAt(anew, 11), 'source')
  assert.ok(explainDowngrade(anew, built, 11) !== undefined)
})
