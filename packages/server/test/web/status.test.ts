// SPDX-License-Identifier: Apache-2.0
/** What everybody is told while something goes on. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { contain, parseDraft } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { openWorld } from '../world.ts'
import { get, post } from './site.ts'

const world = await openWorld()
after(() => world.close())

test('responders tell everybody of an incident, more of it, and its end; nobody else does', async () => {
  assert.match((await get(world, '/status')).text, /No incident is going on/)
  const rae = await world.browse(await world.someone('rae', ['responder']))
  const bob = await world.browse(await world.someone('bob', ['auditor']))
  const fields = { title: 'A <b>worm</b>', words: 'We look into it <script>1</script>.' }
  assert.equal((await post(world, '/status', fields, bob)).status, 403)
  assert.equal((await post(world, '/status', { ...fields, words: ' ' }, rae)).status, 400)
  assert.equal((await post(world, '/status', fields, rae)).status, 303)
  const { text } = await get(world, '/status')
  assert.match(text, /A &lt;b&gt;worm&lt;\/b&gt;[\s\S]*going on[\s\S]*We look into it/)
  assert.doesNotMatch(text, /<script>1|Tell everybody|No incident/)
  const id = /<article id="(an_[^"]+)"/.exec(text)?.[1] ?? ''
  await Promise.all(
    ['contained', 'who has it is told'].map(words => post(world, '/status', { id, act: 'more', words }, rae)),
  )
  await post(world, '/status', { id, act: 'end', words: 'All is well' }, rae)
  const later = (await get(world, '/status')).text
  for (const words of [/No incident is going on/, /contained/, /who has it is told/, /All is well/, /over/])
    assert.match(later, words)
  assert.equal((await post(world, '/status', { id: 'an_no', words: 'x' }, rae)).status, 404)
})

test('what responders switched off stands there for everybody, and no account or package does', async () => {
  const close = (subject: string) =>
    contain(
      world.ports,
      operator,
      parseDraft({ kind: 'freeze', subject, reason: 'security', words: 'secret words', confirm: subject }),
    )
  await close('publishing')
  await close('package:ui')
  const { text } = await get(world, '/status')
  assert.match(text, /Nothing can be published/)
  assert.match(text, /<dt>Publishing<\/dt><dd>[^\n]*switched off/)
  assert.doesNotMatch(text, /secret words|package:ui/)
})
