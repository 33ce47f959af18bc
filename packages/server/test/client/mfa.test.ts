// SPDX-License-Identifier: Apache-2.0
/** What people with real npm see of the rule of second factors, on an instance as it comes. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openDesk } from './client.ts'
import { fails, passes } from './expect.ts'
import { enableTfa, makePerson, signInAs } from './person.ts'
import { startRegistry } from './registry.ts'

const registry = await startRegistry()
after(() => registry.stop())

test('npm prints why a password alone publishes nothing and where to enrol; with a second factor the same command passes', async t => {
  const person = await makePerson(registry, 'nell')
  const token = await signInAs(registry, person)
  const desk = await openDesk('npm', registry.npm, token)
  t.after(() => desk.remove())
  await desk.folder('lib', { name: 'nells-lib', version: '1.0.0' })
  const refused = await desk.run('lib', ['publish'])
  fails(refused, /takes changes only from accounts with two-factor authentication/)
  assert.ok(refused.text.includes(`${registry.url}/account/security`), refused.text)
  const [code = '', next = ''] = await enableTfa(registry, person, token)
  passes(await desk.run('lib', ['publish', `--otp=${code}`]))
  await registry.operate('mark', 'nells-lib', '--words', 'everybody builds on it')
  const critical = await desk.run('lib', ['dist-tag', 'add', 'nells-lib@1.0.0', 'next', `--otp=${next}`])
  fails(
    critical,
    /is a critical package \(everybody builds on it\): only accounts with a passkey may change it/,
  )
})
