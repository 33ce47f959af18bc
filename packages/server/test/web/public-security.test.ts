// SPDX-License-Identifier: Apache-2.0
/** The pages that say how this registry keeps itself, and where leaked tokens go. */
import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { after, test } from 'node:test'
import { capabilities, tokenRules } from '@holdfast/core'
import manifest from '../../package.json' with { type: 'json' }
import { keepAssessment } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { openWorld } from '../world.ts'
import { get, post } from './site.ts'

const world = await openWorld({ mfa: 'required' })
after(() => world.close())

const at = '2026-01-05T08:00:00.000Z'
const levels = { authentication: 1, authorization: 3, general: 0, cli: 2 }

/** Stores what an assessment printed: everything passes, save what is said otherwise. */
async function store(release: string, but: Record<string, string> = {}): Promise<readonly string[]> {
  const found = capabilities.map(({ id }) => ({
    id,
    status: but[id] ?? 'pass',
    evidence: [`seen ${id} & <more>`],
  }))
  const text = JSON.stringify({ release, at, framework: '0.1', levels, capabilities: found })
  world.advance(60_000)
  return keepAssessment(world.ports, operator, text)
}

/** The row of one capability, as text. */
async function rowOf(id: string): Promise<string> {
  const { text } = await get(world, '/security')
  return new RegExp(`<tr id="${id}">([\\s\\S]*?)</tr>`).exec(text)?.[1] ?? ''
}

test('without a stored assessment every capability stands there as not measured', async () => {
  const { status, text } = await get(world, '/security')
  assert.equal(status, 200)
  for (const { id } of capabilities) {
    const row = await rowOf(id)
    if (['authn-1-notify', 'authn-1-recovery', 'general-3-review'].includes(id)) continue
    assert.match(row, /not measured/, id)
  }
  assert.doesNotMatch(text, /> shown</)
})

test('a stored assessment shows what passed with its evidence, escaped, and what failed or has no check', async () => {
  await store(manifest.version, { 'authz-3-scanning': 'fail', 'general-3-log': 'missing' })
  assert.match(await rowOf('authz-1-prefix'), /shown[\s\S]*seen authz-1-prefix &amp; &lt;more&gt;/)
  assert.match(await rowOf('authz-3-scanning'), /failed/)
  assert.match(await rowOf('general-3-log'), /no check yet/)
  assert.match((await get(world, '/security')).text, /Authorization <span class="small">level 3 of 3/)
  assert.match((await get(world, '/security')).text, /aria-label="Levels: [^"]*Authorization 3 of 3/)
})

test('a registry that takes fresh releases, or does not look for its names upstream, does not claim to', async t => {
  const open = async (policy: object[], more: object = {}) => {
    const origins = JSON.stringify({ up: 'https://up.example' })
    const other = await openWorld({ origins, policy: JSON.stringify(policy), ...more })
    t.after(() => other.close())
    return (await get(other, '/security')).text
  }
  const age = { kind: 'release-age', days: 3 }
  const lax = await open([age])
  assert.match(lax, /<tr id="beyond-fix-aware-age">[\s\S]*?not here[\s\S]*?Releases of any age/)
  assert.match(lax, /<tr id="beyond-confusion">[\s\S]*?not here[\s\S]*?Nobody looks here/)
  const strict = await open([{ ...age, mode: 'enforce' }], { askUpstreamsAbout: '@acme/*' })
  assert.doesNotMatch(strict, /Releases of any age|Nobody looks here/)
})

test('a registry without mail does not claim what needs it, whatever was measured elsewhere', async () => {
  assert.match(await rowOf('authn-1-notify'), /not here[\s\S]*sends no mail/)
  assert.match((await get(world, '/security')).text, /Authentication <span class="small">level 0 of 3/)
})

test('a registry where a password alone publishes says so', async t => {
  const lax = await openWorld({ mfa: 'optional' })
  const late = await openWorld({ mfa: 'required', mfaGraceUntil: '2026-02-01' })
  t.after(() => Promise.all([lax.close(), late.close()]))
  assert.match((await get(lax, '/security')).text, /lets accounts without a second factor publish/)
  assert.match((await get(late, '/security')).text, /may still publish until 2026-02-01/)
  late.advance(28 * 24 * 3600_000)
  assert.doesNotMatch((await get(late, '/security')).text, /may still publish/)
})

test('an assessment of another release, or one that cannot be read, counts for nothing', async () => {
  await store('0.0.9')
  assert.match(await rowOf('authz-1-prefix'), /not measured/)
  assert.match((await get(world, '/security')).text, /of release 0\.0\.9/)
  for (const text of ['{"release": 1}', 'no JSON', `"${'x'.repeat(3_000_000)}"`])
    await assert.rejects(keepAssessment(world.ports, operator, text), { code: 'assessment-unreadable' })
  assert.match((await get(world, '/security')).text, /of release 0\.0\.9/)
})

test('results are kept with a signature that anybody can check, and staff hear what turned red', async () => {
  await world.someone('olive', ['operator'])
  await store(manifest.version)
  const red = await store(manifest.version, { 'general-3-log': 'fail' })
  assert.deepEqual(red, ['general-3-log'])
  const letters = (await world.ports.store.mail.listRecent(10)).filter(each =>
    /turned red/.test(each.subject),
  )
  assert.equal(letters.length, 1)
  assert.match(letters[0]?.text ?? '', /\/security#general-3-log/)
  const { assessments } = world.ports.store
  const kept = await assessments.find((await assessments.list(1))[0]?.at ?? 0)
  const served = await get(world, `/security/assessment/${kept?.at}.json`)
  assert.equal(served.text, kept?.text)
  const key = world.ports.signer.publicKeys.find(({ keyid }) => keyid === kept?.keyId)
  const spki = createPublicKey({ key: Buffer.from(key?.key ?? '', 'base64'), format: 'der', type: 'spki' })
  const signature = Buffer.from(kept?.signature ?? '', 'base64')
  assert.ok(verify('sha256', Buffer.from(served.text), spki, signature))
  assert.match((await get(world, '/security')).text, /<table>[\s\S]*Passed[\s\S]*<code class="break">/)
  assert.equal((await get(world, '/security/assessment/1.json')).status, 404)
})

test('the foot of every page leads to the security page and the rules for tokens', async () => {
  const { text } = await get(world, '/')
  assert.match(text, /<footer[\s\S]*href="\/security"[\s\S]*href="\/policy\/tokens"/)
})

test('the rules for tokens name this instance, and each scanner rule is served as a file', async () => {
  const { text } = await get(world, '/policy/tokens')
  assert.ok(text.includes(world.ports.store.instance.id))
  for (const { file, type, text: rule } of tokenRules) {
    const served = await get(world, `/policy/tokens/rules/${file}`)
    assert.deepEqual([served.status, served.text], [200, rule])
    assert.ok(served.headers.get('content-type')?.startsWith(type))
    assert.equal(served.headers.get('x-content-type-options'), 'nosniff')
  }
  assert.equal((await get(world, '/policy/tokens/rules/nothing.toml')).status, 404)
})

test('anybody ends a token by the page; the answer is the same for one that never was', async () => {
  const ann = await world.someone('ann')
  const token = await world.token(ann)
  const good = await post(world, '/revoke-token', { text: `my .npmrc: ${token}` })
  assert.equal((await world.npm('GET /-/whoami', { token })).status, 401)
  const again = await post(world, '/revoke-token', { text: token })
  assert.deepEqual([good.status, again.text], [200, good.text])
  assert.ok(!good.text.includes(token))
  const nothing = await post(world, '/revoke-token', { text: 'nothing' })
  assert.equal(nothing.status, 400)
  assert.match(nothing.text, /no token in this text/)
})
