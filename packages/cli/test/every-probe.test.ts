// SPDX-License-Identifier: Apache-2.0
/** Every probe on one instance that has all it looks for. Beside this each is run against instances that lack it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { probes } from '../src/assess/probe-list.ts'
import { startThrowAwayInstance } from '../src/assess/throw-away-instance.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let instance: ProbedInstance
before(async () => {
  instance = await startInstance()
})
after(() => instance.stop())

describe('on a fresh instance, one after the other, the probe passes and leaves evidence:', () => {
  for (const probe of probes)
    test(probe.capability, async () => {
      assert.ok((await probe.run(instance)).length > 0)
    })
})

test('the instance of an assessment is a server of its own, its operator acts, and it starts others', async t => {
  const real = await startThrowAwayInstance({ HOLDFAST_MFA: 'optional' })
  t.after(() => real.stop())
  const other = await real.startOther({ HOLDFAST_SECURITY_CONTACT: 'mailto:here@probe.example' })
  await other.operate('host', '@there/*')
  assert.match(await other.operate('host'), /@there/)
  assert.doesNotMatch(await real.operate('host'), /@there/)
  const contact = await fetch(`${other.url}/.well-known/security.txt`)
  assert.match(await contact.text(), /here@probe\.example/)
  await assert.rejects(real.startOther({ HOLDFAST_ORIGINS: 'no address' }), /exit code/)
  await assert.rejects(real.operate('no-such-act'))
})
