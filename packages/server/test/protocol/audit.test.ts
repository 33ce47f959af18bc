// SPDX-License-Identifier: Apache-2.0
/** What is known against what somebody has installed, for `npm audit` and its like. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type PackageName, parsePackageName, parseVersion } from '@holdfast/core'
import { type Advisory, patchedRange } from '../../src/catalog/index.ts'
import { authorize, operator } from '../../src/identity/index.ts'
import { isHere, openDesk } from '../client/client.ts'
import { openWorld, type Someone, type World } from '../world.ts'

let world: World
let ann: Someone
const bulk = '/-/npm/v1/security/advisories/bulk'

before(async () => {
  world = await openWorld()
  ann = await world.someone('ann')
  await world.publish(ann, 'left-pad', '1.0.0')
  await world.publish(ann, '@acme/secret', '1.0.0', { access: 'restricted' })
  await advise('GHSA-aaaa-bbbb-cccc', 'left-pad', '<1.2.0', {
    fixed: [parseVersion('1.2.0')],
    cwe: ['CWE-79'],
    cvss: { score: 7.5, vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' },
  })
  await advise('XX-1', 'left-pad', '<1.1.0', { aliases: ['GHSA-aaaa-bbbb-cccc'], severity: 'low' })
  await advise('GHSA-old', 'left-pad', '*', { withdrawnAt: world.now() })
  await advise('HF-1', '@acme/secret', '*')
  await advise('HF-2', 'elsewhere', 'no range at all')
})
after(() => world.close())

async function advise(id: string, name: string, range: string, more: Partial<Advisory> = {}): Promise<void> {
  const grant = await authorize(world.ports, operator, 'instance:operate', '')
  const at = world.now()
  const advisory: Advisory = {
    id,
    package: parsePackageName(name),
    range,
    fixed: [],
    kind: 'vulnerability',
    severity: 'high',
    aliases: [],
    cvss: null,
    cwe: [],
    title: `trouble in ${name}`,
    url: `https://advisories.example/${id}`,
    publishedAt: at,
    modifiedAt: at,
    withdrawnAt: null,
    ...more,
  }
  const event = { type: 'critical', pkg: name as PackageName } as const
  await world.ports.store.commit(grant, event, tx => tx.policy.setAdvisory(advisory))
}

test('the answer names only what something is known against, in the shape that every client reads', async () => {
  const { status, body } = await world.npm(`POST ${bulk}`, {
    body: { 'left-pad': ['1.0.0', '1.3.0'], lodash: ['4.17.20'], elsewhere: ['1.0.0'] },
  })
  assert.equal(status, 200)
  assert.deepEqual(Object.keys(body).sort(), ['elsewhere', 'left-pad'])
  const [entry, ...more] = body['left-pad']
  assert.deepEqual(more, [])
  const { id, ...rest } = entry
  assert.ok(Number.isSafeInteger(id) && id > 0)
  assert.deepEqual(rest, {
    url: 'https://advisories.example/GHSA-aaaa-bbbb-cccc',
    title: 'trouble in left-pad',
    severity: 'high',
    vulnerable_versions: '<1.2.0 || <1.1.0',
    patched_versions: '>=1.2.0',
    cwe: ['CWE-79'],
    cvss: { score: 7.5, vectorString: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' },
    github_advisory_id: 'GHSA-aaaa-bbbb-cccc',
  })
  assert.equal(body.elsewhere[0].vulnerable_versions, '*')
  assert.deepEqual((await world.npm(`POST ${bulk}`, { body: { 'left-pad': ['1.3.0'] } })).body, {})
})

test('what is mended ends where the next trouble begins', () => {
  const range = '<1.2.0 || >=2.0.0 <2.1.0 || 3.0.0'
  const patched = (...fixed: string[]) => patchedRange({ range, fixed: fixed.map(parseVersion) })
  assert.equal(patched('2.1.0', '1.2.0'), '>=1.2.0 <2.0.0 || >=2.1.0')
  assert.equal(patched('1.1.0', '2.1.0', '2.2.0'), '>=2.1.0')
  assert.equal(patched(), '<0.0.0')
})

test('who may not read a package learns nothing of it', async () => {
  const asked = { body: { '@acme/secret': ['1.0.0'] } }
  assert.deepEqual((await world.npm(`POST ${bulk}`, asked)).body, {})
  assert.deepEqual(
    (await world.npm(`POST ${bulk}`, { ...asked, token: (await world.someone('eve')).token })).body,
    {},
  )
  const { body } = await world.npm(`POST ${bulk}`, { ...asked, token: ann.token })
  assert.deepEqual(Object.keys(body), ['@acme/secret'])
})

test('gzip is read, and what is no list of packages is refused or passed over', async () => {
  const send = async (path: string, body: string | Uint8Array, headers = {}) => {
    const request = {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: body as BodyInit,
    }
    const answer = await fetch(`${world.url}/npm${path}`, request)
    return { status: answer.status, body: await answer.json() }
  }
  const zipped = gzipSync(JSON.stringify({ 'left-pad': ['1.0.0'] }))
  assert.ok('left-pad' in (await send(bulk, zipped, { 'content-encoding': 'gzip' })).body)
  for (const bad of ['[]', '"x"', 'null', '{']) assert.equal((await send(bulk, bad)).status, 400, bad)
  assert.deepEqual((await send(bulk, '{"__proto__": {"left-pad": ["1.0.0"]}}')).body, {})
  const odd = { '../etc': ['1.0.0'], 'left-pad': ['file:../x', 5, null, {}], lodash: 'x' }
  assert.deepEqual(await send(bulk, JSON.stringify(odd)), { status: 200, body: {} })
  const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024, ' '))
  assert.equal((await send(bulk, bomb, { 'content-encoding': 'gzip' })).status, 413)
  let deep: unknown = {}
  for (let i = 0; i < 60; i++) deep = { dependencies: { a: { version: '1.0.0', ...(deep as object) } } }
  assert.ok([200, 400].includes((await send('/-/npm/v1/security/audits/quick', JSON.stringify(deep))).status))
})

test('versions without end under one name are refused before they cost anybody time', {
  timeout: 20_000,
}, async () => {
  const body = { 'left-pad': Array.from({ length: 100_000 }, (_, at) => `${at}.0.0`) }
  const refused = await world.npm(`POST ${bulk}`, { body })
  assert.deepEqual([refused.status, refused.body.code], [400, 'invalid-body'])
})

test('older clients send a tree, and get a report', async () => {
  const tree = {
    dependencies: { app: { version: '1.0.0', dependencies: { 'left-pad': { version: '1.0.0' } } } },
  }
  for (const path of ['/-/npm/v1/security/audits/quick', '/-/npm/v1/security/audits']) {
    const { body } = await world.npm(`POST ${path}`, { body: tree })
    const [advisory] = Object.values(body.advisories) as Record<string, unknown>[]
    assert.deepEqual(
      [advisory?.['module_name'], advisory?.['vulnerable_versions']],
      ['left-pad', '<1.2.0 || <1.1.0'],
    )
    assert.equal(body.metadata.vulnerabilities.high, 1)
  }
})

const clients = [
  { kind: 'npm', audit: ['audit'], fix: [['audit', 'fix']] },
  {
    kind: 'pnpm',
    audit: ['audit'],
    fix: [
      ['audit', '--fix'],
      ['install', '--no-frozen-lockfile'],
    ],
  },
  { kind: 'berry', audit: ['npm', 'audit'], fix: [] },
  { kind: 'bun', audit: ['audit'], fix: [] },
] as const

for (const { kind, audit, fix } of clients)
  test(`${kind} says what is known, of private packages too${fix.length > 0 ? ', and mends it' : ''}`, {
    timeout: 150_000,
    skip: !isHere(kind),
  }, async t => {
    const name = `@acme/flawed-${kind}`
    await world.publish(ann, name, '1.0.0', { access: 'restricted' })
    await advise(`GHSA-${kind}-flaw-here`, name, '<1.0.1', { fixed: [parseVersion('1.0.1')] })
    const desk = await openDesk(kind, `${world.url}/npm/`, ann.token)
    t.after(() => desk.remove())
    await desk.folder('app', { name: 'app', version: '1.0.0', dependencies: { [name]: '^1.0.0' } })
    const installed = await desk.run('app', ['install'])
    assert.equal(installed.code, 0, installed.text)
    await world.publish(ann, name, '1.0.1', { access: 'restricted' })
    const { code, text } = await desk.run('app', audit)
    assert.equal(code, 1, text)
    assert.ok(text.includes(`trouble in ${name}`), text)
    for (const words of fix) await desk.run('app', words)
    if (fix.length === 0) return
    assert.equal((await desk.installed('app', name))?.['version'], '1.0.1')
    assert.equal((await desk.run('app', audit)).code, 0)
  })
