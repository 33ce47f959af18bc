// SPDX-License-Identifier: Apache-2.0
/** An import into packages that ask for approvals or proof: refused, unless the operator says why. */
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { decodeLeaf, type PackageName } from '@holdfast/core'
import { changeAccess, importVersions } from '../../src/flow/index.ts'
import { authorize, operator } from '../../src/identity/index.ts'
import { saltDocument } from '../../src/integrity/index.ts'
import { packPackage } from '../fixture/tarball.ts'
import { publishDocument } from '../live.ts'
import { somebodyTouching } from '../passkey-person.ts'
import { openWorld } from '../world.ts'

const world = await openWorld()
const { ports } = world
const ann = await somebodyTouching(world, 'ann')

after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

async function* arrivals(name: string, versions: readonly string[]) {
  for (const version of versions)
    yield {
      source: version,
      publishedAt: world.now(),
      async *read() {
        yield packPackage({ name, version })
      },
    }
}

async function bringIn(name: string, versions: readonly string[], pastSafeguards?: string) {
  const wishes = { access: 'public', hostNames: false, ...(pastSafeguards && { pastSafeguards }) } as const
  const said: string[] = []
  for await (const each of importVersions(ports, operator, arrivals(name, versions), wishes))
    said.push(each.kind === 'refused' ? each.problem.code : each.kind)
  return said
}

const importLeaves = async (name: string) =>
  (await ports.store.events.ofPackage(name as PackageName))
    .filter(({ type }) => type === 'operator')
    .map(({ leaf, detail }) => [decodeLeaf(leaf ?? '')['op'], detail['reason'], detail['versions']])

test('a package that asks for approvals takes no import, unless a reason says so in log and letters', async () => {
  const name = 'approved' as PackageName
  await world.publish(ann, name, '1.0.0')
  const { credential } = ann.actor
  assert.ok(credential.kind === 'session')
  const fresh = { ...credential, freshUntil: world.now() + 60_000, byPasskey: true }
  await changeAccess(ports, { ...ann.actor, credential: fresh }, name, { approvals: 1 })
  const stage = await world.npm(`POST /-/stage/package/${name}`, {
    token: ann.token,
    body: publishDocument(name, '2.0.0'),
  })
  assert.equal(stage.status, 201, stage.text)
  assert.deepEqual(await bringIn(name, ['1.1.0', '1.2.0']), ['stage-required', 'stage-required'])
  assert.deepEqual(await importLeaves(name), [])
  // What waits for its approval keeps its number, whatever the operator says.
  const told = await bringIn(name, ['1.1.0', '1.2.0', '2.0.0'], 'the old registry goes')
  assert.deepEqual(told.sort(), ['imported', 'imported', 'version-staged'])
  assert.deepEqual(await importLeaves(name), [['import', 'the old registry goes', ['1.1.0', '1.2.0']]])
  const letters = await ports.store.mail.listRecent(50)
  assert.ok(letters.some(({ to, subject }) => to === ann.email && subject.includes('past what it asks for')))
})

test('a package whose versions prove where they were built takes no import, and its trust stays', async () => {
  const name = 'proven' as PackageName
  await world.publish(ann, name, '1.0.0')
  const trust = { level: 'provenance', sources: [], lowering: null } as const
  const document = saltDocument(trust)
  await ports.store.commit(
    await authorize(ports, operator, 'instance:operate', ''),
    {
      type: 'policy',
      pkg: name,
      fields: { op: 'raise', config: document.digest },
      detail: { trust },
      document,
    },
    tx => tx.trust.setTrust(name, trust),
  )
  assert.deepEqual(await bringIn(name, ['1.1.0']), ['trust-downgrade'])
  assert.deepEqual(await bringIn(name, ['1.1.0'], 'backports'), ['imported'])
  assert.deepEqual(await ports.store.trust.findTrust(name), trust)
  const [leaf] = await importLeaves(name)
  assert.deepEqual(leaf, ['import', 'backports', ['1.1.0']])
})

test('a package that asks for nothing takes an import as before', async () => {
  await world.publish(ann, 'plain', '1.0.0')
  assert.deepEqual(await bringIn('plain', ['1.1.0'], 'no need of it'), ['imported'])
  assert.deepEqual(await importLeaves('plain'), [])
})
