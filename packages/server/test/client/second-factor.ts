// SPDX-License-Identifier: Apache-2.0
/** How each client asks for the second factor when it publishes, and goes on with it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { commands, type Desk, type Kind, noTerminal, openDesk, type RunOptions } from './client.ts'
import { fails, passes } from './expect.ts'
import { browsing, typing } from './npm-account.ts'
import { enableTfa, makePerson, type Person, signInAs } from './person.ts'
import type { Registry } from './registry.ts'

export function secondFactorStory(kind: Kind, registry: Registry): void {
  const name = `${kind}-strict`
  const { publish, install } = commands[kind]
  let desk: Desk
  let person: Person
  let recovery: string[]

  before(async () => {
    person = await makePerson(registry, `${kind}-strict-owner`)
    const token = await signInAs(registry, person)
    recovery = await enableTfa(registry, person, token)
    desk = await openDesk(kind, registry.npm, token)
    await desk.folder('.', { name, version: '1.0.0', license: 'MIT' })
    if (kind === 'berry') passes(await desk.run('.', install))
  })
  after(() => desk?.remove())

  test('is told that a second factor is missing, or that it was denied', async () => {
    // bun asks for an approval without a terminal too.
    const options = kind === 'bun' ? browsing(person, 'deny', () => recovery.pop() ?? '') : {}
    fails(await desk.run('.', publish, options), asked[kind])
    assert.equal((await registry.call(`/${name}`)).status, 404)
  })

  test('asks in a terminal, and publishes once it has it', { skip: noTerminal }, async () => {
    const answer: RunOptions = opensPage.has(kind)
      ? browsing(person, 'grant', () => recovery.pop() ?? '')
      : typing([/one-time password:|one-time password .*‣/i, recovery.pop() ?? ''])
    passes(await desk.run('.', publish, { terminal: true, ...answer }))
    assert.equal((await registry.call(`/${name}/1.0.0`)).status, 200)
  })
}

/** These show a page to approve on and poll; the others want digits. */
const opensPage: ReadonlySet<Kind> = new Set(['npm', 'pnpm', 'bun'])

const asked: Record<Kind, RegExp> = {
  npm: /EOTP/,
  pnpm: /OTP/,
  yarn: /one-time password/i,
  berry: /one-time password/i,
  bun: /to approve this operation/,
}
