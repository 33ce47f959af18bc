// SPDX-License-Identifier: Apache-2.0
/** `kill -9` at each point of a publish: what was acknowledged stays, what was not is there whole or not at all. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { publishDocument, put } from '../live.ts'
import { startVictim } from './child.ts'
import { points } from './point.ts'
import { verifyAcknowledged, verifyFolder } from './verify.ts'

const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
let victim = await startVictim(folder)
const { token } = victim
after(async () => {
  await victim.kill()
  await rm(folder, { recursive: true, force: true })
})

for (const point of points) {
  test(`a publish killed at ${point} loses nothing acknowledged and leaves nothing half done`, async () => {
    const name = `killed-at-${point.replace(':', '-')}`
    const files = { 'index.js': `module.exports = '${point}'` }
    const publish = (document: unknown) => put({ url: victim.url, token }, name, document)
    const before = await publish(publishDocument(name, '1.0.0', { files }))
    assert.equal(before.status, 201, await before.text())
    await victim.arm(point)
    const document = publishDocument(name, '2.0.0', { files })
    const isAnswered = await publish(document).then(
      answer => answer.status === 201,
      () => false,
    )
    assert.equal(await victim.ended, 'SIGKILL')
    await verifyFolder(folder)

    victim = await startVictim(folder)
    const acknowledged = [{ name, version: '1.0.0' }, ...(isAnswered ? [{ name, version: '2.0.0' }] : [])]
    await verifyAcknowledged(victim.url, acknowledged)
    // What clients do after a lost answer: the same again, and it is in either way.
    const repeated = await publish(document)
    assert.equal(repeated.status, 201, await repeated.text())
    await verifyAcknowledged(victim.url, [...acknowledged, { name, version: '2.0.0' }])
  })
}

test('after all of that the instance stops in peace and everything in its folder agrees', async () => {
  victim.child.kill('SIGTERM')
  assert.equal(await victim.ended, 0)
  await verifyFolder(folder)
})
