// SPDX-License-Identifier: Apache-2.0
/** `holdfast provenance show` as a process of its own, over HTTP, and the API behind it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { builtDocument, openSigstoreBox, type SigstoreBox } from '../sigstore-box.ts'
import { openWorld, type Someone, type World } from '../world.ts'
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
  const body = await builtDocument(box, 'built', '1.0.0')
  assert.equal((await world.npm('PUT /built', { token: pia.token, body })).status, 201)
})
after(() => world.close())

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
