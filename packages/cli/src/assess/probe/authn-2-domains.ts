// SPDX-License-Identifier: Apache-2.0
import { type MailSink, openMailSink } from '../mail-sink.ts'
import { openNameService } from '../name-service.ts'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { linkIn, openFormBrowser, openPerson, type ProbePerson } from '../probe-person.ts'

/** An address whose domain was abandoned, or has a new owner, recovers nothing, and its owner is told otherwise. */
export const abandonedDomains: Probe = { capability: 'authn-2-domains', run }

const cases = [
  { domain: 'kept.example', works: true },
  { domain: 'lapsed.example', works: false },
  { domain: 'resold.example', works: false },
] as const

async function run(shared: ProbeInstance): Promise<Evidence> {
  const [sink, names] = [await openMailSink(), await openNameService()]
  try {
    const old = '2019-03-01T00:00:00Z'
    names.add('probe.example', old)
    names.add('kept.example', old)
    names.add('resold.example', new Date(Date.now() + 24 * 3600_000).toISOString())
    const instance = await shared.startOther({ ...names.settings, HOLDFAST_SMTP: sink.url })
    const who = await openPerson(instance)
    for (const { domain } of cases) await addAddress(who, sink, `${who.login}@${domain}`)
    const found = await instance.operate('check-domains')
    for (const { domain, works } of cases)
      demand(found.includes(domain) === !works, `the machine's owner must see of ${domain}: ${found}`)
    for (const { domain, works } of cases)
      await checkRecovery(instance, sink, `${who.login}@${domain}`, works)
    await checkTold(who, sink)
    return [
      'an address at a domain that does not exist any more gets no letter that opens an account, and neither does one at a domain that was registered after the address was proven (RDAP)',
      'an address at a domain that was kept goes on',
      'the owner is told by another mailbox and led to it at sign-in; the machine’s owner sees both domains',
      `the registry was asked ${names.asked.length} times, once for each domain`,
    ]
  } finally {
    sink.close()
    names.close()
  }
}

async function addAddress({ browser }: ProbePerson, sink: MailSink, email: string): Promise<void> {
  await browser.post('/account/addresses', { act: 'add', email })
  const link = linkIn((await sink.find(email, /Confirm/))?.text, /(\/verify\/\S+)/)
  const proven = await browser.post(link, {})
  demand(proven.status === 303, `the link must prove ${email}: ${proven.status}`)
}

async function checkRecovery(
  instance: ProbeInstance,
  sink: MailSink,
  email: string,
  works: boolean,
): Promise<void> {
  await openFormBrowser(instance).post('/recover', { name: email })
  const letter = await sink.find(email, /way back/, /./, works ? undefined : 3000)
  demand((letter !== undefined) === works, `recovery by ${email} must ${works ? 'go on' : 'be closed'}`)
}

async function checkTold({ login, password, browser }: ProbePerson, sink: MailSink): Promise<void> {
  for (const domain of ['lapsed.example', 'resold.example']) {
    const told = await sink.find(`${login}@probe.example`, new RegExp(`${domain} opens your account no more`))
    demand(told !== undefined, `another mailbox must be told of ${domain}`)
  }
  await browser.post('/sign-out', {})
  const page = await browser.post('/sign-in', { login, password })
  demand(page.location === '/account/addresses', `sign-in must lead to the addresses: ${page.location}`)
}
