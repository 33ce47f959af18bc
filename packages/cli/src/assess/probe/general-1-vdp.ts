// SPDX-License-Identifier: Apache-2.0
import { parseSecurityText, type SecurityText } from '@holdfast/core'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { openFormBrowser, openPerson } from '../probe-person.ts'

/** Whoever finds a weakness finds out whom to tell, what is promised, and that it is allowed to look. */
export const disclosure: Probe = { capability: 'general-1-vdp', run }

const contact = 'mailto:security@probe.example'
const yearMs = 366 * 24 * 3600_000

async function run(shared: ProbeInstance): Promise<Evidence> {
  const instance = await shared.startOther({ HOLDFAST_SECURITY_CONTACT: contact })
  const told = await readSecurityText(instance)
  await checkPolicy(instance, told)
  await checkEdit(instance)
  return [
    `/.well-known/security.txt is of RFC 9116, names ${contact}, and may be believed until ${new Date(told.expiresAt).toISOString().slice(0, 10)}`,
    'the policy it leads to has the contact, safe harbour for research in good faith, and the aim of 90 days',
    'operators put it in their own words: scripts in them run nowhere, what it said before stays readable, a second edit of the same text is refused',
  ]
}

async function readSecurityText({ url }: ProbeInstance): Promise<SecurityText> {
  const answer = await fetch(`${url}/.well-known/security.txt`, { redirect: 'manual' })
  demand(answer.status === 200, `/.well-known/security.txt must be there: ${answer.status}`)
  const type = answer.headers.get('content-type') ?? ''
  demand(/^text\/plain; ?charset=utf-8$/i.test(type), `security.txt must be plain text in UTF-8: ${type}`)
  const told = parseSecurityText(await answer.text())
  demand(told.contacts.includes(contact), 'security.txt must name the contact of the configuration')
  demand(told.expiresAt > Date.now(), 'security.txt must not have expired')
  demand(told.expiresAt < Date.now() + yearMs, 'security.txt must expire within a year')
  demand(
    told.canonicals.some(each => each.endsWith('/.well-known/security.txt')),
    'security.txt must name its own address',
  )
  return told
}

async function checkPolicy(instance: ProbeInstance, { policies }: SecurityText): Promise<void> {
  const [address = ''] = policies
  demand(URL.canParse(address), 'security.txt must lead to the policy')
  const page = await openFormBrowser(instance).get(new URL(address).pathname)
  demand(page.status === 200, `the disclosure policy must be public: ${page.status}`)
  for (const words of [/safe harbour/i, /not take legal action/i, /90 days/, /security@probe\.example/])
    demand(words.test(page.text), `the disclosure policy must speak of ${words.source}`)
}

async function checkEdit(instance: ProbeInstance): Promise<void> {
  const { browser } = await openPerson(instance, ['operator'])
  const path = '/operate/pages/disclosure'
  const edit = {
    act: 'save',
    base: '0',
    text: 'We keep our word <script>alert(1)</script> for 90 days.',
    words: 'ours',
  }
  const saved = await browser.post(path, edit)
  demand(saved.status === 303, `an operator must be able to edit the policy: ${saved.status}`)
  const again = await browser.post(path, { ...edit, text: 'Of two edits of one text one is first.' })
  demand(again.status === 409, `a second edit of the same text must be refused: ${again.status}`)
  const visitor = openFormBrowser(instance)
  const { text } = await visitor.get('/policy/disclosure')
  demand(/We keep our word/.test(text), 'the page must say what the operator wrote')
  demand(!/alert\(1\)/.test(text), 'a script in the text must not reach the page')
  const before = await visitor.get('/policy/disclosure?version=0')
  demand(/safe harbour/i.test(before.text), 'what it said before must stay readable')
  const history = await visitor.get('/policy/disclosure/history')
  demand(/<ins>\+We keep our word/.test(history.text), 'the history must show what changed')
}
