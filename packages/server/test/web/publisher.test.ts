// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { openCiIssuer } from '../ci-issuer.ts'
import { publishDocument } from '../live.ts'
import { openWorld } from '../world.ts'
import { get, post, signInByPage } from './site.ts'

const issuer = await openCiIssuer()
const world = await openWorld({
  ciIssuers: `github=${issuer.url} gitlab circleci generic:sub+project=https://ci.acme.example`,
  allowPrivateHosts: '127.0.0.1',
})
after(async () => {
  await world.close()
  await issuer.close()
})
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

const ann = await world.someone('ann')
const bob = await world.someone('bob')
await world.publish(ann, '@acme/ui', '1.0.0')
const path = '/publishers/npm/@acme/ui'
const widget = { issuer: issuer.url, act: 'add', repository: 'acme/widget', workflow: 'publish.yml' }

test('an owner trusts a job on the page, the job publishes, the package says so, and the owner ends it', async () => {
  const cookie = await signInByPage(world, ann)
  assert.ok((await get(world, '/package/npm/@acme/ui', { cookie })).text.includes(`href="${path}"`))
  const added = await post(
    world,
    path,
    { ...widget, ref: 'refs/heads/main', condition: 'protectedRef' },
    { cookie },
  )
  assert.equal(added.status, 303, added.text)
  const page = await get(world, path, { cookie })
  for (const text of [
    'acme/widget',
    'publish.yml',
    'refs/heads/main',
    'protected refs',
    'ids of the first job',
  ])
    assert.ok(page.text.includes(text), text)
  const jwt = await issuer.github(world)
  const { body } = await world.ask('POST /-/npm/v1/oidc/token/exchange/package/@acme%2fui', { token: jwt })
  const publish = { token: body.token, body: publishDocument('@acme/ui', '1.1.0') }
  assert.equal((await world.npm('PUT /@acme%2fui', publish)).status, 201)
  const shown = await get(world, '/package/npm/@acme/ui?show=security', { cookie })
  for (const text of [
    'by a CI job',
    'trusted publisher',
    'acme/widget, publish.yml, refs/heads/main',
    '4711/1',
  ])
    assert.ok(shown.text.includes(text), text)
  const id = /name="id" value="(tp_\w+)"/.exec((await get(world, path, { cookie })).text)?.[1] ?? ''
  assert.equal((await post(world, path, { act: 'remove', id }, { cookie })).status, 303)
  assert.ok((await get(world, path, { cookie })).text.includes('There are none'))
})

test('a publisher may wait for a name that is not there yet', async () => {
  const cookie = await signInByPage(world, bob)
  const start = await get(world, '/publishers?name=new-name', { cookie })
  assert.equal(start.headers.get('location'), '/publishers/npm/new-name')
  assert.equal((await post(world, '/publishers/npm/new-name', widget, { cookie })).status, 303)
  assert.ok((await get(world, '/publishers/npm/new-name', { cookie })).text.includes('waits until'))
})

test('each CI service asks for its own parts, and a generic issuer for every claim that the operator named', async () => {
  const cookie = await signInByPage(world, bob)
  const ask = (service: string) =>
    get(world, `/publishers/npm/new-name?issuer=${encodeURIComponent(service)}`, { cookie })
  assert.ok((await ask('https://gitlab.com')).text.includes('Pipeline file'))
  assert.ok((await ask('https://oidc.circleci.com')).text.includes('Pipeline definition id'))
  assert.ok((await ask('https://ci.acme.example')).text.includes('Claim project'))
  const generic = { act: 'add', issuer: 'https://ci.acme.example', 'claim:sub': 'job-1', 'claim:project': '' }
  const missing = await post(world, '/publishers/npm/new-name', generic, { cookie })
  assert.equal(missing.status, 400)
  assert.ok(missing.text.includes('claim project is missing'))
  assert.ok(missing.text.includes('value="job-1"'), 'what was typed is still there')
  const whole = { ...generic, 'claim:project': 'acme' }
  assert.equal((await post(world, '/publishers/npm/new-name', whole, { cookie })).status, 303)
})

test('who does not own the package is refused, and a session that is not fresh is asked first', async () => {
  const stranger = await signInByPage(world, bob)
  assert.equal((await get(world, path, { cookie: stranger })).status, 403)
  assert.equal((await post(world, path, widget, { cookie: stranger })).status, 403)
  assert.equal((await get(world, path)).status, 303)
  const cookie = await signInByPage(world, ann)
  world.advance(3600_000)
  assert.match((await get(world, path, { cookie })).headers.get('location') ?? '', /^\/confirm/)
  assert.match((await post(world, path, widget, { cookie })).headers.get('location') ?? '', /^\/confirm/)
})
