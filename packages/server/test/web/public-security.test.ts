// SPDX-License-Identifier: Apache-2.0
/** The pages that say how this registry keeps itself, and where leaked tokens go. */
import assert from 'node:assert/strict'
import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { capabilities, tokenRules } from '@holdfast/core'
import manifest from '../../package.json' with { type: 'json' }
import { openWorld } from '../world.ts'
import { get, post } from './site.ts'

const world = await openWorld({ mfa: 'required' })
after(() => world.close())

const at = '2026-01-05T08:00:00.000Z'
const levels = { authentication: 1, authorization: 3, general: 0, cli: 2 }

/** Stores what an assessment printed: everything passes, save what is said otherwise. */
async function store(release: string, but: Record<string, string> = {}): Promise<void> {
  const found = capabilities.map(({ id }) => ({
    id,
    status: but[id] ?? 'pass',
    evidence: [`seen ${id} & <more>`],
  }))
  const file = join(world.ports.config.data, 'assessment.json')
  await writeFile(file, JSON.stringify({ release, at, framework: '0.1', levels, capabilities: found }))
  // Written twice within one tick of the clock it would look unchanged.
  await utimes(file, new Date(), new Date(Date.now() + Math.random() * 1e9))
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
    if (id === 'authn-1-notify' || id === 'authn-1-recovery') continue
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
  await writeFile(join(world.ports.config.data, 'assessment.json'), '{"release": 1}')
  assert.match(await rowOf('authz-1-prefix'), /not measured/)
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
