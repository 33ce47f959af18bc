// SPDX-License-Identifier: Apache-2.0
/** Whatever a browser claims to answer, a passkey comes out or a refusal: never a bug, and never somebody else. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { isProblem } from '@holdfast/core'
import fc from 'fast-check'
import {
  type CreationOptions,
  makeSoftwarePasskey,
  type RequestOptions,
} from '../../../cli/src/assess/software-passkey.ts'
import {
  beginPasskey,
  beginPasskeySignIn,
  finishPasskey,
  removePasskey,
  signInByPasskey,
} from '../../src/flow/index.ts'
import { toPerson } from '../../src/identity/index.ts'
import { openWorld, whence } from '../world.ts'

const world = await openWorld()
const { ports } = world
const origin = world.url.replace('127.0.0.1', 'localhost')
after(async () => {
  assert.deepEqual(world.errors, [])
  await world.close()
})

const who = await world.someone('ann')
const account = await ports.store.identity.findAccount(who.id)
assert.ok(account !== undefined)
const { session } = await world.browse(who)
const person = toPerson(
  account,
  { kind: 'session', id: session.id, freshUntil: Number.MAX_SAFE_INTEGER },
  whence,
)
const kept = makeSoftwarePasskey(origin)
const wish = await beginPasskey(ports, person)
await finishPasskey(
  ports,
  person,
  { sealed: wish.sealed, text: kept.create(wish.options as CreationOptions) },
  'kept',
)

/** Changes bytes of one member of an answer. */
function damage(
  text: string,
  member: string,
  changes: readonly (readonly [at: number, to: number])[],
): string {
  const answer = JSON.parse(text)
  const bytes = Buffer.from(answer.response[member], 'base64url')
  for (const [at, to] of changes) bytes[at % bytes.length] = to
  answer.response[member] = bytes.toString('base64url')
  return JSON.stringify(answer)
}

const isRefusal = (error: unknown) => isProblem(error) && error.status >= 400 && error.status < 500
const changes = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 6 })

test('an answer that is no answer is refused', async () => {
  const texts = fc.oneof(
    fc.string(),
    fc.json(),
    fc.jsonValue().map(each => JSON.stringify({ response: each })),
  )
  await fc.assert(
    fc.asyncProperty(texts, async text => {
      const signIn = signInByPasskey(ports, { sealed: beginPasskeySignIn(ports).sealed, text }, whence)
      await assert.rejects(signIn, isRefusal)
      const { sealed } = await beginPasskey(ports, person)
      await assert.rejects(finishPasskey(ports, person, { sealed, text }, 'x'), isRefusal)
      await assert.rejects(finishPasskey(ports, person, { sealed: text, text }, 'x'), isRefusal)
    }),
    { numRuns: 60 },
  )
})

test('a new passkey with damaged bytes is refused, or is one of this account', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('attestationObject', 'clientDataJSON'), changes, async (member, to) => {
      const { options, sealed } = await beginPasskey(ports, person)
      const text = damage(makeSoftwarePasskey(origin).create(options as CreationOptions), member, to)
      const made = await finishPasskey(ports, person, { sealed, text }, 'x').catch(error => {
        assert.ok(isRefusal(error), String(error))
      })
      if (made === undefined) return
      assert.equal(made.accountId, who.id)
      await removePasskey(ports, person, made.id)
    }),
    { numRuns: 60 },
  )
})

test('a sign-in with one changed byte in what was signed, or at the end of the signature, is refused', async () => {
  const members = fc.constantFrom('authenticatorData', 'clientDataJSON', 'signature')
  await fc.assert(
    fc.asyncProperty(members, fc.nat(400), fc.integer({ min: 1, max: 255 }), async (member, at, by) => {
      const { options, sealed } = beginPasskeySignIn(ports)
      const right = kept.get(options as RequestOptions)
      const bytes = Buffer.from(JSON.parse(right).response[member], 'base64url')
      // Lengths inside a signature are read leniently; the numbers in it are not.
      const place = member === 'signature' ? bytes.length - 1 - (at % 16) : at % bytes.length
      const text = damage(right, member, [[place, (bytes[place] ?? 0) ^ by]])
      await assert.rejects(signInByPasskey(ports, { sealed, text }, whence), isRefusal)
      // Ten failures in a row would end the experiment.
      world.advance(16 * 60_000)
    }),
    { numRuns: 60 },
  )
})
