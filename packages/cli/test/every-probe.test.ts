// SPDX-License-Identifier: Apache-2.0
/** Every probe on one instance that has all it looks for. Beside this each is run against instances that lack it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { probes } from '../src/assess/probe-list.ts'
import { startThrowAwayInstance } from '../src/assess/throw-away-instance.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

/** Lines of evidence, where it matters: a probe that leaves a part of its work out still passes, with fewer. */
const lines: Readonly<Record<string, (count: number) => boolean>> = {
  'general-1-vdp': count => count === 3,
  'general-3-review': count => count === 3,
  'beyond-signatures': count => count === 3,
  'general-1-typosquat': count => count === 4,
  'general-2-malware': count => count === 5,
  'beyond-publisher-gate': count => count === 4,
  'beyond-freeze': count => count === 4,
  'authz-3-oidc': count => count === 3,
  'beyond-blast': count => count > 3,
  'authn-2-webauthn': count => count > 3,
  'authn-3-passkeys': count => count > 3,
  'authz-3-provenance': count => count > 3,
  'general-2-report': count => count > 2,
  'beyond-weighted-reports': count => count > 3,
  'beyond-airgap': count => count === 2,
  'beyond-staged': count => count > 3,
}

let instance: ProbedInstance
before(async () => {
  instance = await startInstance()
})
after(() => instance.stop())

describe('on a fresh instance, one after the other, the probe passes and leaves evidence:', () => {
  for (const probe of probes)
    test(probe.capability, async () => {
      const { length } = await probe.run(instance)
      assert.ok((lines[probe.capability] ?? (count => count > 0))(length), `${length} lines`)
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
