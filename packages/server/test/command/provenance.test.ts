// SPDX-License-Identifier: Apache-2.0
/** `holdfast provenance show` as a process of its own, over HTTP, and the API behind it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { packPackage } from '../fixture/tarball.ts'
import { publishDocument } from '../live.ts'
import { openSigstoreBox, type SigstoreBox } from '../sigstore-box.ts'
import { type Json, openWorld, type Someone, type World } from '../world.ts'
import { holdfast } from './command-line.ts'

let world: World
let box: SigstoreBox
let pia: Someone

before(async () => {
  box = await openSigstoreBox()
  world = await openWorld({ sigstoreTrustRoot: box.rootFile })
  world.advance(Date.now() - world.now())
  pia = await world.someone('pia')
  await world.publish(pia, 'plain', '1.0.0')
  await publishBuilt('built', '1.0.0')
})
after(() => world.close())

async function publishBuilt(name: string, version: string): Promise<void> {
  const manifest = { repository: 'github:acme/widget' }
  const tarball = packPackage({ name, version, ...manifest })
  const digest = createHash('sha512').update(tarball).digest('hex')
  const document: Json = publishDocument(name, version, { tarball, manifest })
  const data = await box.sign({ name, version, digest })
  document._attachments[`${name}-${version}.sigstore`] = { content_type: 'x', data, length: data.length }
  const reply = await world.npm(`PUT /${name}`, { token: pia.token, body: document })
  assert.equal(reply.status, 201, reply.text)
}

const show = (spec: string, ...more: string[]) =>
  holdfast('provenance', 'show', spec, '--registry', world.url, ...more)

test('it tells where a version was built, and what this machine checked of that', async () => {
  const { code, out, err } = await show('built@1.0.0')
  assert.equal(code, 0, err)
  assert.match(out, /built@1\.0\.0: the registry verified its provenance at 20/)
  assert.match(out, /built from +https:\/\/github\.com\/acme\/widget\n/)
  assert.match(out, /SLSA build +level 2/)
  assert.match(out, /package\.json +names this repository/)
  assert.match(out, /✓ the bundle is the one that was published\n.*✓ it is about these very bytes\n/)
  assert.match(out, /– who signed it: the registry checked that; npm audit signatures does too/)
  assert.match(out, /The next version must show at least: source, from https:\/\/github\.com\/acme\/widget\./)
})

test('of what nobody proves it says so, and its exit code is 1', async () => {
  const { code, out } = await show('plain@1.0.0')
  assert.deepEqual([code, out], [1, 'plain@1.0.0: nobody proves where it was built.\n'])
})

test('with --json everything is there for programs', async () => {
  const { code, out } = await show('built@1.0.0', '--json')
  assert.equal(code, 0)
  const told = JSON.parse(out)
  assert.deepEqual(
    [told.state, told.slsa.level, told.demand.level, told.bundle.isPublic, told.checks.length],
    ['verified', 2, 'source', false, 4],
  )
})

test('a bundle that was exchanged in the database is found out', async () => {
  const { store } = world.ports
  const { findProvenance } = store.trust
  Object.assign(store.trust, {
    findProvenance: async (...about: Parameters<typeof findProvenance>) => {
      const kept = await findProvenance(...about)
      return kept && { ...kept, text: kept.text.replace('"bundle', '"Bundle').replace('{', '{ ') }
    },
  })
  try {
    const { code, out } = await show('built@1.0.0')
    assert.equal(code, 1)
    assert.match(out, /✕ the bundle is the one that was published/)
  } finally {
    Object.assign(store.trust, { findProvenance })
  }
})

test('what cannot be read says what to write', async () => {
  const { code, err } = await holdfast('provenance', 'show')
  assert.equal(code, 2)
  assert.match(err, /holdfast provenance show PACKAGE@VERSION/)
  assert.equal((await show('nothing@1.0.0')).code, 2)
})
