// SPDX-License-Identifier: Apache-2.0
/** Every critical change sends its letter, as it arrives at a real mail server. Whoever adds a change adds its line here. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { PackageName } from '@holdfast/core'
import { type CreationOptions, makeSoftwarePasskey } from '../../../cli/src/assess/software-passkey.ts'
import {
  addAddress,
  addOwner,
  askRecovery,
  beginPasskey,
  beginRecovery,
  beginTfa,
  cancelRecovery,
  changePassword,
  createToken,
  disableTfa,
  finishPasskey,
  finishTfa,
  removeAddress,
  removeOwner,
  removePasskey,
  removePassword,
  renewRecoveryCodes,
  setPrimaryAddress,
  signIn,
  verifyEmail,
} from '../../src/flow/index.ts'
import { type Person, toPerson, totpCode } from '../../src/identity/index.ts'
import { type Mailbox, openMailbox } from '../mailbox.ts'
import { openWorld, type Someone, type World, whence } from '../world.ts'

let world: World
let mailbox: Mailbox
let ann: Someone
let bob: Someone

before(async () => {
  mailbox = await openMailbox()
  world = await openWorld({ smtp: mailbox.url, mailFrom: 'registry@here.example', mfa: 'optional' })
  ann = await world.someone('ann')
  bob = await world.someone('bob')
  await world.publish(ann, 'told', '1.0.0')
})
after(async () => {
  await world.check()
  await world.close()
  await mailbox.close()
})

/** Somebody in a fresh session, as they are now. */
async function inBrowser(who: Someone, password = who.password, otp = ''): Promise<Person> {
  const { session } = await signIn(world.ports, { login: who.login, password, otp }, whence)
  const account = await world.ports.store.identity.findAccount(who.id)
  assert.ok(account !== undefined)
  return toPerson(account, { kind: 'session', id: session.id, freshUntil: session.freshUntil }, whence)
}

/** The letter is there for people and for their mail programs, says when and where, and links only to us. */
async function assertTold(email: string, subject: RegExp): Promise<void> {
  const { mail, html, to } = await mailbox.wait(email, subject)
  assert.deepEqual(to, [email])
  assert.equal(mail.from?.value[0]?.address, 'registry@here.example')
  assert.equal(mail.headers.get('auto-submitted'), 'auto-generated')
  for (const text of [mail.text ?? '', html]) assert.ok(text.includes('2026-01-05'), text)
  const hosts = [...html.matchAll(/href="([^"]+)"/g)].map(([, href = '']) => new URL(href).origin)
  assert.ok(hosts.length > 0 && hosts.every(origin => origin === world.url))
}

const fromLink = async (email: string, form: RegExp) =>
  form.exec((await mailbox.wait(email, /./)).mail.text ?? '')?.[1] ?? ''

test('a token that is made is told', async () => {
  const account = await world.ports.store.identity.findAccount(ann.id)
  assert.ok(account !== undefined)
  await createToken(world.ports, await inBrowser(ann), account, {
    name: 'of ann',
    limits: { permission: 'read-only', bypassTfa: false },
  })
  await assertTold(ann.email, /^A token named 'of ann' was made/)
})

test('a new password is told', async () => {
  const password = 'five other words in here'
  await changePassword(world.ports, await inBrowser(bob), bob.password, password)
  bob = { ...bob, password }
  await assertTold(bob.email, /^The password of your account was changed/)
})

test('a new address is told to the old one and the new one; so is one that goes', async () => {
  const actor = await inBrowser(bob)
  await addAddress(world.ports, actor, 'bob@second.example')
  await mailbox.wait('bob@second.example', /^Confirm your/)
  const code = await fromLink('bob@second.example', /\/verify\/(\S+)/)
  await verifyEmail(world.ports, code, whence)
  await assertTold(bob.email, /bob@second.example was added/)
  await setPrimaryAddress(world.ports, actor, 'bob@second.example')
  for (const email of [bob.email, 'bob@second.example'])
    await assertTold(email, /^The primary mail address .* was changed to bob@second/)
  await setPrimaryAddress(world.ports, actor, bob.email)
  await removeAddress(world.ports, actor, 'bob@second.example')
  await assertTold('bob@second.example', /was removed/)
})

test('a second factor that is switched on or off, and new recovery codes, are told', async () => {
  const address = await beginTfa(world.ports, await inBrowser(bob), bob.password, 'auth-only')
  const seed = new URL(address ?? '').searchParams.get('secret') ?? ''
  await finishTfa(world.ports, await inBrowser(bob), totpCode(seed, world.now()))
  await assertTold(bob.email, /^Two-factor authentication .* was switched on/)
  world.advance(60_000)
  const actor = await inBrowser(bob, bob.password, totpCode(seed, world.now()))
  await renewRecoveryCodes(world.ports, actor)
  await assertTold(bob.email, /^New recovery codes were made/)
  await disableTfa(world.ports, actor, bob.password)
  await assertTold(bob.email, /^Two-factor authentication .* was switched OFF/)
})

test('a passkey that comes or goes is told, and so is the end of the password', async () => {
  const cid = await world.someone('cid')
  const actor = await inBrowser(cid)
  const add = async (name: string) => {
    const passkey = makeSoftwarePasskey(world.url.replace('127.0.0.1', 'localhost'))
    const { options, sealed } = await beginPasskey(world.ports, actor)
    await finishPasskey(
      world.ports,
      actor,
      { sealed, text: passkey.create(options as CreationOptions) },
      name,
    )
    return passkey.id
  }
  const first = await add('ring')
  await assertTold(cid.email, /^A passkey named 'ring' was added/)
  await add('laptop')
  await removePasskey(world.ports, actor, first)
  await assertTold(cid.email, /^The passkey 'ring' was removed/)
  await removePassword(world.ports, actor)
  await assertTold(cid.email, /^The password of your account was removed/)
})

test('an owner who comes or goes is told', async () => {
  const actor = await inBrowser(ann)
  await addOwner(world.ports, actor, 'told' as PackageName, 'bob')
  await assertTold(bob.email, /^You are now an owner of told/)
  await removeOwner(world.ports, actor, 'told' as PackageName, 'bob')
  await assertTold(bob.email, /^You are no longer an owner of told/)
})

test('a recovery that begins is told to every mailbox, with a link that stops it, and so is its end', async () => {
  await askRecovery(world.ports, 'ann', whence)
  const { mail } = await mailbox.wait(ann.email, /^Your way back in/)
  const code = /\/recover\/(\S+)/.exec(mail.text ?? '')?.[1] ?? ''
  await beginRecovery(world.ports, code, '', whence)
  await assertTold(ann.email, /^A recovery of your account has begun/)
  const told = await mailbox.wait(ann.email, /^A recovery of your account has begun/)
  const stop = /\/recovery\/cancel\/([0-9A-Za-z]+)"/.exec(told.html)?.[1] ?? ''
  await cancelRecovery(world.ports, stop, whence)
  await assertTold(ann.email, /^The recovery of your account was stopped/)
})

test('a letter that the relay refuses is tried again, and the operator sees why it waits', async () => {
  mailbox.isDown = true
  await changePassword(world.ports, await inBrowser(bob), bob.password, 'yet another good secret')
  const isThis = (subject: string | undefined) => /^The password/.test(subject ?? '')
  const waiting = async () =>
    (await world.ports.store.mail.listWaiting(20)).find(each => isThis(each.subject))
  while ((await waiting())?.attempts !== 1) await delay(50)
  assert.match((await waiting())?.error ?? '', /come back later/)
  const count = mailbox.letters.length
  mailbox.isDown = false
  world.advance(10 * 60_000)
  while (!mailbox.letters.slice(count).some(each => isThis(each.mail.subject))) await delay(50)
  while ((await waiting()) !== undefined) await delay(50)
})
