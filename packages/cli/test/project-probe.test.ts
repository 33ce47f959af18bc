// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { pinned } from '../src/assess/probe/cli-1-pin.ts'
import { fix } from '../src/assess/probe/cli-3-fix.ts'
import { cases, judgeFindings, reachability } from '../src/assess/probe/cli-3-reachability.ts'
import { sbom } from '../src/assess/probe/cli-3-sbom.ts'
import type { Probe } from '../src/assess/probe.ts'
import { type Answer, startTwin, type Tamper } from './broken-twin.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let real: ProbedInstance

before(async () => {
  real = await startInstance()
})
after(() => real.stop())

async function assertCaught(probe: Probe, why: RegExp, tamper: Tamper): Promise<void> {
  const twin = await startTwin(real.url, tamper)
  try {
    await assert.rejects(probe.run({ ...real, url: twin.url }), why)
  } finally {
    twin.close()
  }
}

const replaced = (answer: Answer, change: (body: string) => string): Answer => ({
  ...answer,
  body: Buffer.from(change(answer.body.toString('utf8'))),
})
const isBulk = (path: string) => path.endsWith('/security/advisories/bulk')

describe('the probes of the command line notice an instance', { concurrency: 1 }, () => {
  test('whose log proves nothing', async () => {
    await assertCaught(pinned, /must verify/, ({ path }, answer) =>
      path === '/log/proofs'
        ? replaced(answer, body => body.replace(/"path":\["[^"]*"/, '"path":["AAAA"'))
        : answer,
    )
  })

  test('that tells other digests than those of the bytes', async () => {
    await assertCaught(sbom, /digest of the published bytes/, ({ path, method }, answer) =>
      method === 'GET' && /deep\/1\.0\.0$/.test(path)
        ? replaced(answer, body =>
            body.replace(/"sha512-[^"]+"/, `"sha512-${Buffer.alloc(64).toString('base64')}"`),
          )
        : answer,
    )
  })

  test('that keeps silent about what it knows', async () => {
    await assertCaught(fix, /must tell what is known/, ({ path }, answer) =>
      isBulk(path) ? { ...answer, body: Buffer.from('{}') } : answer,
    )
  })

  test('that tells of nothing where everything is flawed', async () => {
    await assertCaught(reachability, /must tell what is known/, ({ path }, answer) =>
      isBulk(path) ? { ...answer, body: Buffer.from('{}') } : answer,
    )
  })

  test('that hides one flaw of many from the audit', async () => {
    await assertCaught(reachability, /findings must have an answer/, ({ path }, answer) =>
      isBulk(path)
        ? replaced(answer, body => {
            const told = JSON.parse(body)
            for (const name of Object.keys(told)) if (name.endsWith('/method')) delete told[name]
            return JSON.stringify(told)
          })
        : answer,
    )
  })

  test('that hides the smallest fix', async () => {
    await assertCaught(fix, /smallest step/, ({ path, method }, answer) =>
      method === 'GET' && /%2fdeep$/.test(path)
        ? replaced(answer, body => {
            const document = JSON.parse(body)
            delete document.versions['1.0.1']
            return JSON.stringify(document)
          })
        : answer,
    )
  })
})

describe('the probe of reachability notices an analysis', () => {
  const judge = (answer: (isCalled: boolean) => string, path: readonly string[] = ['index.js:1 weak']) =>
    judgeFindings(
      word => word,
      cases.map(({ word, isCalled }) => ({ name: word, reach: { answer: answer(isCalled), path } })),
    )

  test('that calls everything unreachable', () =>
    assert.throws(() => judge(() => 'not reachable'), /must not be called unreachable/))
  test('that tells nothing apart', () =>
    assert.throws(() => judge(() => 'unknown'), /false alarms must be cut/))
  test('that shows no way', () =>
    assert.throws(() => judge(called => (called ? 'reachable' : 'not reachable'), []), /with the way there/))
  test('and passes one that is right', () =>
    assert.equal(judge(called => (called ? 'reachable' : 'not reachable')).length, 2))
})
