// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { packPackage } from '../../test/fixture/tarball.ts'
import { findIndicator } from './indicator-scan.ts'
import { defaultInspectLimits } from './inspect.ts'

const bad = 'drop.Collector.example'
const manifest = { name: 'a', version: '1.0.0' }

function find(files: Record<string, string | Buffer>, indicators = [bad], said: object = manifest) {
  const tarball = packPackage(said, files)
  return findIndicator(() => tarball, indicators, defaultInspectLimits)
}

const hidings: readonly (readonly [how: string, text: string])[] = [
  ['as it is', 'fetch("https://drop.Collector.example/x")'],
  ['in other capitals', 'fetch("https://DROP.collector.EXAMPLE/x")'],
  ['backwards', [...bad].reverse().join('')],
  ['in hexadecimal', Buffer.from(bad).toString('hex').toUpperCase()],
  ...['', 'x', 'xy', 'xyz'].map(
    before =>
      [`in base64 behind '${before}'`, Buffer.from(`${before}${bad}/path`).toString('base64')] as const,
  ),
  ['in base64, in small letters', Buffer.from(`https://${bad.toLowerCase()}/`).toString('base64')],
  ['far behind', `${'\n'.repeat(300_000)}${bad}`],
]

for (const [how, text] of hidings)
  test(`an indicator is found ${how}`, async () => assert.equal(await find({ 'lib/x.bin': text }), bad))

test('an indicator is found wherever the border of two pieces lies', async () => {
  for (let before = 65_400; before < 65_700; before += 3)
    assert.equal(await find({ 'x.js': `${'a'.repeat(before)}${bad}` }), bad, `${before}`)
})

test('an indicator is found in the manifest and in the name of a file', async () => {
  assert.equal(await find({}, [bad], { ...manifest, homepage: `https://${bad}` }), bad)
  assert.equal(await find({ 'payload-stage2.js': '' }, ['other', 'stage2.JS']), 'stage2.JS')
})

test('a file is known by its SHA-256', async () => {
  const hash = createHash('sha256').update('payload').digest('hex')
  assert.equal(await find({ 'a.bin': 'payload' }, [hash.toUpperCase()]), hash.toUpperCase())
  assert.equal(await find({ 'a.bin': 'payload.' }, [hash]), undefined)
})

test('what is not there is not found, and what stands in front of a fault is', async () => {
  assert.equal(await find({ 'x.js': 'fetch("https://collector.example/x")' }), undefined)
  const tarball = packPackage(manifest, { 'x.js': `${bad}${'a'.repeat(400_000)}` })
  const cut = tarball.subarray(0, tarball.length - 12)
  assert.equal(await findIndicator(() => cut, [bad], defaultInspectLimits), bad)
  assert.equal(await findIndicator(() => Buffer.from(bad), [bad], defaultInspectLimits), undefined)
})
