// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { enrolOnPage } from '../enrolment.ts'
import { type MailSink, openMailSink } from '../mail-sink.ts'
import { loginAsNpm } from '../npm-login.ts'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { linkIn, openFormBrowser, openPerson, type ProbePerson } from '../probe-person.ts'

/** The recovery policy is published, and recovery needs what it says. */
export const recovery: Probe = { capability: 'authn-1-recovery', run }

interface Scene {
  readonly instance: ProbeInstance
  readonly sink: MailSink
}

async function run(shared: ProbeInstance): Promise<Evidence> {
  const sink = await openMailSink()
  try {
    const instance = await shared.startOther({ HOLDFAST_SMTP: sink.url })
    const scene = { instance, sink }
    await checkPolicy(instance)
    await checkWait(scene, await openPerson(instance))
    await checkTwoProofs(scene, await openPerson(instance))
    await checkStaff(scene, await openPerson(instance))
    await checkRecord(instance)
    return [
      '/policy/recovery says what is needed, how long it waits, and what always happens',
      'a mailbox alone waits for days: finishing early is refused, every letter has a link that stops it, and what was stopped is over',
      'a mailbox and a recovery code set a new password at once; link, code and old password are used up',
      'one of the staff alone recovers nobody, not even with the policy of two; the machine’s owner can, and the letter says so',
      'each step stands in the record',
    ]
  } finally {
    sink.close()
  }
}

async function checkPolicy(instance: ProbeInstance): Promise<void> {
  const page = await openFormBrowser(instance).get('/policy/recovery')
  demand(page.status === 200, `the policy must be published: ${page.status}`)
  for (const word of [/recovery code/, /second|two confirmed/i, /3 days/, /letter/, /staff/])
    demand(word.test(page.text), `the policy must speak of ${word.source}`)
}

/** Asks for the letter, and begins with its link. */
async function begin({ instance, sink }: Scene, who: ProbePerson, otp: string): Promise<string> {
  const stranger = openFormBrowser(instance)
  await stranger.post('/recover', { name: who.login })
  const letter = await sink.find(who.email, /way back/)
  const link = linkIn(letter?.text, /(\/recover\/\S+)/)
  demand(link !== '', 'the letter must have a link')
  const begun = await stranger.post(link, { otp })
  demand(/^\/recovery\//.test(begun.location), `the link must begin a recovery: ${begun.status}`)
  const replay = await stranger.post(link, { otp })
  demand(replay.status === 410, `the link must work once: ${replay.status}`)
  return begun.location
}

async function checkWait(scene: Scene, who: ProbePerson): Promise<void> {
  const stranger = openFormBrowser(scene.instance)
  const path = await begin(scene, who, '')
  const fresh = randomBytes(18).toString('base64url')
  const early = await stranger.post(path, { new: fresh, again: fresh })
  demand(early.status === 403, `finishing before the wait is over must be refused: ${early.status}`)
  const told = await scene.sink.find(who.email, /recovery of your account has begun/)
  const stop = linkIn(told?.text, /(\/recovery\/cancel\/\S+)/)
  demand(stop !== '', 'the letter must have a link that stops it')
  demand((await stranger.get(stop)).status === 200, 'the link must lead to a page')
  demand((await stranger.get(path)).status === 200, 'looking at the link must stop nothing')
  await stranger.post(stop, {})
  const over = await stranger.get(path)
  demand(over.status === 410, `a stopped recovery must be over: ${over.status}`)
  const old = await loginAsNpm(scene.instance, who)
  demand(old.status === 201, `the old password must go on: ${old.status}`)
}

async function checkTwoProofs(scene: Scene, who: ProbePerson): Promise<void> {
  const { recoveryCodes } = await enrolOnPage(who)
  const code = recoveryCodes[0] ?? ''
  const path = await begin(scene, who, code)
  const fresh = randomBytes(18).toString('base64url')
  const done = await openFormBrowser(scene.instance).post(path, { new: fresh, again: fresh })
  demand(done.status === 303, `two proofs must set a new password at once: ${done.status}`)
  const account = await who.browser.get('/account')
  demand(account.status === 303, `the sessions from before must be over: ${account.status}`)
  const [old, used, next] = [
    await loginAsNpm(scene.instance, who, recoveryCodes[1]),
    await loginAsNpm(scene.instance, { login: who.login, password: fresh }, code),
    await loginAsNpm(scene.instance, { login: who.login, password: fresh }, recoveryCodes[2]),
  ]
  demand(old.status === 401, `the old password must be void: ${old.status}`)
  demand(used.status === 401, `the recovery code must be used up: ${used.status}`)
  demand(next.status === 201, `new password and another code must sign in: ${next.status}`)
}

async function checkStaff(scene: Scene, who: ProbePerson): Promise<void> {
  const path = '/operate/recovery'
  const [one, two] = [
    await openPerson(scene.instance, ['responder']),
    await openPerson(scene.instance, ['responder']),
  ]
  const email = `new-${who.email}`
  await one.browser.post(path, { act: 'propose', login: who.login, email })
  const id = /name="recovery" value="(r_[0-9a-f]+)"/.exec((await two.browser.get(path)).text)?.[1] ?? ''
  demand(id !== '', 'a second one must be asked to agree')
  const alone = await one.browser.post(path, { act: 'agree', recovery: id })
  demand(alone.status === 403, `whoever proposed it must not agree to it: ${alone.status}`)
  const agreed = await two.browser.post(path, { act: 'agree', recovery: id })
  demand(agreed.status === 303, `a second one must be able to agree: ${agreed.status}`)
  const letter = await scene.sink.find(email, /keep this letter/)
  const link = linkIn(letter?.text, /(\/recovery\/[^\s/]+)/)
  const fresh = randomBytes(18).toString('base64url')
  const early = await openFormBrowser(scene.instance).post(link, { new: fresh, again: fresh })
  demand(early.status === 403, `two of the staff must not shorten the wait: ${early.status}`)
  await scene.instance.operate('recover', '--user', who.login)
  const told = await scene.sink.find(who.email, /has begun/, /owner of this registry's machine/)
  demand(told !== undefined, 'what is done at the machine must be told')
}

async function checkRecord(instance: ProbeInstance): Promise<void> {
  const auditor = await openPerson(instance, ['auditor'])
  const record = await auditor.browser.get('/operate/audit/export?format=jsonl')
  for (const op of ['asked', 'begun', 'cancelled', 'done', 'agreed'])
    demand(record.text.includes(`recovery-${op}`), `the record must have recovery-${op}`)
}
