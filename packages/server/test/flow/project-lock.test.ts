// SPDX-License-Identifier: Apache-2.0
/** Lock files that people submit: kept for a branch, seen by whose they are, refused where they cannot be counted on. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parsePackageName } from '@holdfast/core'
import { createOrg } from '../../src/flow/index.ts'
import { toPerson } from '../../src/identity/index.ts'
import { type Json, openWorld, type Reply, type Someone, type World, whence } from '../world.ts'

let world: World
let ann: Someone
let bob: Someone
let eve: Someone

before(async () => {
  world = await openWorld()
  ann = await world.someone('ann')
  bob = await world.someone('bob')
  eve = await world.someone('eve')
  const { session } = await world.browse(ann)
  const account = await world.ports.store.identity.findAccount(ann.id)
  assert.ok(account)
  const credential = { kind: 'session', id: session.id, freshUntil: session.freshUntil } as const
  await createOrg(world.ports, toPerson(account, credential, whence), 'acme')
})
after(async () => {
  assert.deepEqual(world.errors, [])
  await world.check()
  await world.close()
})

const lockfile = (packages: Json = {}) =>
  JSON.stringify({
    name: 'shop',
    version: '1.0.0',
    lockfileVersion: 3,
    packages: {
      '': { name: 'shop', version: '1.0.0', dependencies: { top: '^1.0.0' }, devDependencies: { tool: '1' } },
      'node_modules/top': {
        version: '1.2.0',
        resolved: `${world.url}/npm/top/-/top-1.2.0.tgz`,
        dependencies: { deep: '*' },
      },
      'node_modules/deep': { version: '2.0.0', resolved: 'https://elsewhere.example/deep/-/deep-2.0.0.tgz' },
      'node_modules/tool': { version: '1.0.0', dev: true },
      ...packages,
    },
  })

const submit = (
  who: Someone,
  project: string,
  branch: string,
  text: string,
  token = who.token,
  manifests?: readonly object[],
): Promise<Reply> =>
  world.ask(`POST /api/v1/projects/${project}/lockfiles`, {
    token,
    body: { branch, lockfile: text, ...(manifests === undefined ? {} : { manifests }) },
  })

const list = async (who: Someone): Promise<string[]> => {
  const { body } = await world.ask('GET /api/v1/projects', { token: who.token })
  return body.lockfiles.map((each: Json) => `${each.project} ${each.branch} ${each.entries}`)
}

test('a lock file is kept with the way to each version, and the next of the branch takes its place', async () => {
  const first = await submit(ann, 'shop', 'main', lockfile())
  assert.equal(first.status, 201, first.text)
  assert.equal(first.body.manager, 'npm')
  const uses = await world.ports.store.projects.listUses(['deep', 'top', 'tool'].map(parsePackageName), 10)
  assert.deepEqual(
    uses.map(each => [
      each.package,
      each.version,
      each.isDirect,
      each.scope,
      each.isOwn,
      each.path.join(' > '),
    ]),
    [
      ['deep', '2.0.0', false, 'required', false, 'top@1.2.0 > deep@2.0.0'],
      ['tool', '1.0.0', true, 'dev', undefined, 'tool@1.0.0'],
      ['top', '1.2.0', true, 'required', true, 'top@1.2.0'],
    ],
  )
  await submit(ann, 'shop', 'main', lockfile({ 'node_modules/deep': { version: '2.0.1' } }))
  await submit(ann, 'shop', 'next/one', lockfile({ 'node_modules/more': { version: '1.0.0' } }))
  assert.deepEqual(await list(ann), ['shop main 3', 'shop next/one 4'])
  const now = await world.ports.store.projects.listUses([parsePackageName('deep')], 10)
  assert.deepEqual(
    now.map(each => each.version),
    ['2.0.1', '2.0.0'],
  )
})

test('a project is its owner’s alone, one of an organisation is its members’', async () => {
  assert.deepEqual(await list(bob), [])
  const gone = await world.ask('DELETE /api/v1/projects/shop/lockfiles/main', { token: bob.token })
  assert.equal(gone.status, 404)
  assert.equal((await submit(bob, '@acme/site', 'main', lockfile())).status, 403)
  assert.equal((await submit(ann, '@acme/site', 'main', lockfile())).status, 201)
  assert.ok((await list(ann)).includes('@acme/site main 3'))
  const own = await world.ask('DELETE /api/v1/projects/shop/lockfiles/next%2Fone', { token: ann.token })
  assert.equal(own.status, 200, own.text)
  assert.ok(!(await list(ann)).some(each => each.includes('next/one')))
  assert.deepEqual(await world.ports.store.projects.listUses([parsePackageName('more')], 10), [])
})

test('nobody submits without an account, nor with a token that only reads', async () => {
  const anonymous = await world.ask('POST /api/v1/projects/shop/lockfiles', {
    body: { branch: 'main', lockfile: lockfile() },
  })
  assert.equal(anonymous.status, 401)
  const reading = await world.token(eve, { permission: 'read-only' })
  assert.equal((await submit(eve, 'shop', 'main', lockfile(), reading)).status, 403)
})

test('what is no lock file, lies about names, or names too much is refused with the reason', async () => {
  const why = async (text: string) => {
    const { status, body } = await submit(eve, 'shop', 'main', text)
    assert.deepEqual([status, body.code], [400, 'lockfile-refused'])
    return String(body.why)
  }
  assert.match(await why('hello'), /no format/)
  assert.match(await why(JSON.stringify({ lockfileVersion: 3, packages: 7 })), /no format/)
  const empty = 'lockfileVersion: "9.0"\nimporters:\n  .: {}\n'
  const manifests = [{ folder: '', manifest: { dependencies: { top: '^1.0.0' } } }]
  const emptied = await submit(eve, 'shop', 'main', empty, undefined, manifests)
  assert.match(String(emptied.body.why), /does not hold all that is needed: there is no top/)
  const swapped = { 'node_modules/top': { name: 'evil', version: '1.2.0' } }
  assert.match(await why(lockfile(swapped)), /evil@1.2.0: it stands where top was asked for/)
  const many = Object.fromEntries(
    Array.from({ length: 20_001 }, (_, at) => [`node_modules/p${at}`, { version: '1.0.0' }]),
  )
  assert.match(await why(lockfile(many)), /more than 20000/)
  for (const [project, branch] of [
    ['sh%20op', 'main'],
    ['shop', ''],
    ['shop', 'a\u202eb'],
  ] as const)
    assert.equal((await submit(eve, project, branch, lockfile())).body.code, 'invalid-body')
  assert.deepEqual(await list(eve), [])
})
