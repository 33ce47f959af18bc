// SPDX-License-Identifier: Apache-2.0
/** Provenance that names a source which is not public: nobody comes to see it by the way. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import type { PackageName } from '@holdfast/core'
import { approveStaged, changeAccess, setPackageRole } from '../../src/flow/index.ts'
import { packPackage } from '../fixture/tarball.ts'
import { publishDocument } from '../live.ts'
import { somebodyTouching, type Touching } from '../passkey-person.ts'
import { openSigstoreBox } from '../sigstore-box.ts'
import { type Json, openWorld, type Reply } from '../world.ts'

const box = await openSigstoreBox()
const world = await openWorld({ sigstoreTrustRoot: box.rootFile })
world.advance(Date.now() - world.now())
const { ports } = world
const ann = await somebodyTouching(world, 'ann')
const bob = await somebodyTouching(world, 'bob')
/** Has no passkey. */
const cid = await world.someone('cid')

after(async () => {
  assert.deepEqual(world.errors, [])
  await world.check()
  await world.close()
})

const manifest = { repository: 'git+https://github.com/acme/widget.git' }

/** Sends a version that was built from a private repository. */
async function send(line: string, name: string, version: string): Promise<Reply> {
  const tarball = packPackage({ name, version, ...manifest })
  const digest = createHash('sha512').update(tarball).digest('hex')
  const data = await box.sign({ name, version, digest, claims: { repository_visibility: 'private' } })
  const body: Json = publishDocument(name, version, { tarball, manifest, access: 'restricted' })
  body._attachments[`${name}-${version}.sigstore`] = {
    content_type: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    ...{ data, length: data.length },
  }
  return world.npm(`${line}${name.replace('/', '%2f')}`, { token: ann.token, body })
}

const fresh = ({ actor }: Touching) => {
  assert.ok(actor.credential.kind === 'session')
  return {
    ...actor,
    credential: { ...actor.credential, freshUntil: world.now() + 60_000, byPasskey: true },
  }
}

test('a package built from a private source opens only when its owner says that this may be seen', async () => {
  const name = '@acme/hidden' as PackageName
  const first = await send('PUT /', name, '1.0.0')
  assert.equal(first.status, 201, first.text)
  await assert.rejects(changeAccess(ports, fresh(ann), name, { access: 'public' }), {
    code: 'provenance-exposed',
    message: /https:\/\/github\.com\/acme\/widget, which is not public/,
  })
  assert.equal((await world.npm('GET /@acme%2fhidden')).status, 404)
  await setPackageRole(ports, fresh(ann), name, cid.login, 'owner')
  const { cookie } = await world.browse(cid)
  const page = await world.ask(`GET /access/npm/${name}`, { headers: { cookie } })
  assert.match(page.text, /name="expose" value="yes"/)
  await changeAccess(ports, fresh(ann), name, { access: 'public', mayExpose: true })
  assert.equal((await world.npm('GET /@acme%2fhidden')).status, 200)
})

test('a version that was staged while its package was restricted does not come out once it is open', async () => {
  const name = '@acme/opened' as PackageName
  await world.publish(ann, name, '1.0.0', { access: 'restricted' })
  await setPackageRole(ports, fresh(ann), name, bob.login, 'maintainer')
  const staged = await send('POST /-/stage/package/', name, '1.1.0')
  assert.equal(staged.status, 201, staged.text)
  await changeAccess(ports, fresh(ann), name, { access: 'public' })
  const { stageId } = staged.body
  await assert.rejects(approveStaged(ports, bob.actor, stageId, await bob.touch(stageId)), {
    code: 'provenance-refused',
    message: /its source is private, and anybody could read about it here/,
  })
  assert.deepEqual(Object.keys((await world.document(name)).versions), ['1.0.0'])
  await changeAccess(ports, fresh(ann), name, { access: 'restricted' })
  const again = await approveStaged(ports, bob.actor, stageId, await bob.touch(stageId))
  assert.equal(again.missing, 0)
})
