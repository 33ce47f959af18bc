// SPDX-License-Identifier: Apache-2.0
import { type MailSink, openMailSink } from '../mail-sink.ts'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { describeReply, openProbeClient, type ProbeClient, tarballPath, until } from '../probe-client.ts'
import { basicOf, openPerson, type ProbePerson } from '../probe-person.ts'
import { listCasePaths, reportByApi } from '../probe-report.ts'

/** Who got these bytes is one question: people, tokens, clients, what depends on them; and whoever has them is told. */
export const blast: Probe = { capability: 'beyond-blast', run }

const client = 'npm/11.0.0 node/v24.0.0 linux x64 probe'

async function run(instance: ProbeInstance): Promise<Evidence> {
  const sink = await openMailSink()
  try {
    const other = await instance.startOther({ HOLDFAST_MFA: 'optional', HOLDFAST_SMTP: sink.url })
    return await ask(other, sink)
  } finally {
    sink.close()
  }
}

async function ask(instance: ProbeInstance, sink: MailSink): Promise<Evidence> {
  const npm = await openProbeClient(instance)
  const [bad, user, far] = ['bad', 'user', 'far'].map(npm.nameOf) as [string, string, string]
  await publish(npm, bad, {})
  await publish(npm, user, { [bad]: '^1.0.0' })
  await publish(npm, far, { [user]: '^1.0.0' })
  const holder = await openPerson(instance)
  const stranger = await openPerson(instance)
  const responder = await openPerson(instance, ['responder'])
  await fetchAs(instance, holder, bad)
  await reportByApi(instance, stranger, { package: bad, version: '1.0.0' })
  const [path = ''] = await listCasePaths(responder)
  await demandFound(responder, `${path}/blast`, holder)
  await demandContainers(responder, `${path}/blast`, [user, far])
  await demandClosed(stranger, path)
  await demandTold(responder, `${path}/blast`, sink, holder)
  return [
    'who fetched a version stands there with account, client, network and time, and in a file of all of them',
    'what is hosted here and depends on it is found through another package too',
    'nobody but those who respond sees it',
    'whoever has it gets a letter when a responder says so',
  ]
}

async function publish(npm: ProbeClient, name: string, dependencies: Record<string, string>): Promise<void> {
  const reply = await npm.publish({ name, version: '1.0.0', dependencies })
  demand(reply.status < 300, `publishing must work, and answers ${describeReply(reply)}`)
}

async function fetchAs({ url }: ProbeInstance, person: ProbePerson, name: string): Promise<void> {
  const reply = await fetch(url + tarballPath(name, '1.0.0'), {
    headers: { authorization: basicOf(person), 'user-agent': client },
  })
  demand(reply.status === 200, `a version must be given out before anything is known: ${reply.status}`)
  await reply.arrayBuffer()
}

async function demandFound({ browser }: ProbePerson, page: string, { login }: ProbePerson): Promise<void> {
  const has = async (path: string) => {
    const { text } = await browser.get(path)
    return text.includes(login) && text.includes(client)
  }
  await until(() => has(page), 'whoever fetched the bytes must be named, with the client')
  demand(await has(`${page}.csv`), 'whoever fetched the bytes must stand in the exported file')
}

async function demandContainers(
  { browser }: ProbePerson,
  page: string,
  names: readonly string[],
): Promise<void> {
  const { text } = await browser.get(page)
  for (const name of names) demand(text.includes(`>${name}</a>`), `${name} contains it and must be named`)
}

async function demandClosed({ browser }: ProbePerson, path: string): Promise<void> {
  for (const each of [`${path}/blast`, `${path}/blast.csv`]) {
    const { status } = await browser.get(each)
    demand(status >= 400 && status < 500, `others must not see who has what, and get ${status}`)
  }
}

async function demandTold(
  { browser }: ProbePerson,
  page: string,
  sink: MailSink,
  { email }: ProbePerson,
): Promise<void> {
  const told = await browser.post(page, {})
  demand(told.status === 303, `a responder must be able to tell who has it: ${told.status}`)
  const letter = await sink.find(email, /./, /bad@1\.0\.0/)
  demand(letter !== undefined, 'whoever has the bytes must hear of it')
}
