// SPDX-License-Identifier: Apache-2.0
/** The probes of second factors and roles, each against twins of a real instance that break what it looks for. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { criticalMfa } from '../src/assess/probe/authn-2-critical.ts'
import { allMfa } from '../src/assess/probe/authn-3-all-mfa.ts'
import { criticalPhishing } from '../src/assess/probe/authn-3-critical-phishing.ts'
import { rbac } from '../src/assess/probe/authz-2-rbac.ts'
import type { Probe, ProbeInstance, Settings } from '../src/assess/probe.ts'
import { type Asked, accepted, startTwin, type Tamper } from './broken-twin.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let real: ProbedInstance
let lax: ProbedInstance

before(async () => {
  real = await startInstance()
  lax = await real.startOther({ HOLDFAST_MFA: 'optional' })
})
after(() => real.stop())

/** Runs a probe against a twin, and wants to see it fail for the reason. */
async function assertCaught(probe: Probe, why: RegExp, tamper: Tamper, change: Partial<ProbeInstance> = {}) {
  const twins = [await startTwin(real.url, tamper), await startTwin(lax.url, tamper)] as const
  const startOther = async (_: Settings) => ({ ...lax, url: twins[1].url, ...change })
  try {
    await assert.rejects(probe.run({ ...real, url: twins[0].url, startOther, ...change }), why)
  } finally {
    for (const twin of twins) twin.close()
  }
}

const isPublish = ({ method, path }: Asked) => method === 'PUT' && /^\/npm\/@[^/]+$/.test(path)
const isTag = ({ path }: Asked) => path.includes('/dist-tags/')
/** Lets through what the real instance refused. */
const letThrough =
  (isMeant: (asked: Asked) => boolean): Tamper =>
  (asked, answer) =>
    isMeant(asked) && answer.status >= 400 ? accepted : answer

test('a password alone that publishes is noticed, by each way in', async () => {
  await assertCaught(allMfa, /the token of a sign-in must not publish/, letThrough(isPublish))
  const byPassword = (asked: Asked) => isPublish(asked) && asked.authorization.startsWith('Basic')
  await assertCaught(allMfa, /the password with the request must not publish/, letThrough(byPassword))
})

test('a token from before the second factor that publishes by itself is noticed', async () => {
  const tamper: Tamper = (asked, answer) => (isPublish(asked) && answer.status === 401 ? accepted : answer)
  const onlyOtp: Tamper = (asked, answer) =>
    answer.body.includes('otp-required') ? tamper(asked, answer) : answer
  await assertCaught(allMfa, /a token from before must ask/, onlyOtp)
})

test('a refusal that does not say where to enrol is noticed', async () => {
  const tamper: Tamper = (asked, answer) =>
    isPublish(asked) && answer.status === 403 ? { ...answer, body: Buffer.from('{"error":"no"}') } : answer
  await assertCaught(allMfa, /must say where to enrol/, tamper)
})

test('a token that skips the second factor, made with a password alone, is noticed', async () => {
  const isWish = ({ path, body }: Asked) => path.endsWith('/v1/tokens') && body.includes('bypass_2fa')
  await assertCaught(allMfa, /must not make a token that skips/, letThrough(isWish))
})

test('a critical package that goes on taking publishes or tags is noticed', async () => {
  await assertCaught(criticalMfa, /a critical package must refuse/, letThrough(isPublish))
  await assertCaught(criticalMfa, /its tags must not move/, letThrough(isTag))
})

test('a mark that marks nothing is noticed', async () => {
  const operate = async (...args: string[]) => (args[0] === 'mark' ? '' : lax.operate(...args))
  await assertCaught(criticalMfa, /a critical package must refuse/, (_, answer) => answer, { operate })
})

test('codes that do on a critical package are noticed, alone and beside a passkey', async () => {
  await assertCaught(criticalPhishing, /codes alone must not change/, letThrough(isPublish))
  let isPasskeyThere = false
  const tamper: Tamper = (asked, answer) => {
    isPasskeyThere ||= asked.method === 'POST' && asked.path === '/account/passkeys/new'
    return isPasskeyThere && isPublish(asked) && answer.status >= 400 ? accepted : answer
  }
  await assertCaught(criticalPhishing, /a code must not do/, tamper)
})

test('a role that may more than is its, or less, is noticed', async () => {
  await assertCaught(rbac, /setting a tag must not be open to a stranger/, letThrough(isTag))
  const isOwning = ({ path }: Asked) => path.endsWith('/owners')
  await assertCaught(rbac, /giving ownership must not be open/, letThrough(isOwning))
  const refused = { status: 403, type: 'application/json', body: Buffer.from('{}') }
  await assertCaught(rbac, /setting a tag must be open/, (asked, answer) => (isTag(asked) ? refused : answer))
})

test('an organisation whose admins make owners, or whose developers manage, is noticed', async () => {
  const makesOwner = ({ method, path, body }: Asked) =>
    method === 'PUT' && /\/org\/[^/]+\/user$/.test(path) && body.includes('"owner"')
  await assertCaught(rbac, /an admin making itself owner must not/, letThrough(makesOwner))
  const isMember = ({ method, path }: Asked) => method === 'PUT' && /\/org\/[^/]+\/user$/.test(path)
  const notOwner = (asked: Asked) => isMember(asked) && !asked.body.includes('"owner"')
  await assertCaught(rbac, /a developer changing members must not/, letThrough(notOwner))
})
