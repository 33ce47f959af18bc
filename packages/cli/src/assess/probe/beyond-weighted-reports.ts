// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { describeReply, openProbeClient, type ProbeClient, tarballPath, until } from '../probe-client.ts'
import { openPerson, type ProbePerson } from '../probe-person.ts'
import { listCasePaths, reportByApi } from '../probe-report.ts'
import { findProbeUpstream } from '../probe-upstream.ts'

/** A trusted reporter's word closes what is young, two close what is older, and none what many rely on. */
export const weightedReports: Probe = { capability: 'beyond-weighted-reports', run }

const version = '1.0.0'
/** As many in 30 days are much use here. */
const fetches = 500

interface Scene {
  readonly instance: ProbeInstance
  readonly client: ProbeClient
  readonly responder: ProbePerson
  readonly second: ProbePerson
  readonly trusted: ProbePerson
  readonly other: ProbePerson
}

async function run(instance: ProbeInstance): Promise<Evidence> {
  const upstream = await findProbeUpstream()
  const started = await instance.startOther({ ...upstream.settings, HOLDFAST_MFA: 'optional' })
  const scene: Scene = {
    instance: started,
    client: await openProbeClient(started),
    responder: await openPerson(started, ['responder']),
    second: await openPerson(started, ['responder']),
    trusted: await openPerson(started),
    other: await openPerson(started),
  }
  const mark = { who: scene.trusted.login, act: 'trust' }
  const marked = await scene.responder.browser.post('/operate/reporters', mark)
  demand(marked.status === 303, `a responder must be able to trust a reporter: ${marked.status}`)
  const [older, old] = [upstream.nameOf('older'), upstream.nameOf('old')]
  upstream.publish({ name: older, version, ageDays: 5 })
  upstream.publish({ name: old, version, ageDays: 40 })
  const young = await publish(scene, 'young')
  const used = await publish(scene, 'used')
  await tryYoung(scene, young)
  await tryOlder(scene, older)
  await tryBreaker(scene, old, used)
  await tryDismissal(scene, young)
  return [
    'of a package younger than a day the word of one trusted reporter quarantined the version; that of another person, or on spam, did not',
    'of a package of five days one trusted reporter was not enough, and two reporters were',
    `a version that is out for 40 days, and one that was fetched ${fetches} times, stayed open whoever reported it`,
    'dismissed by one responder, what only reports had closed stayed closed; by two it was released, and the reporter’s weight fell',
  ]
}

async function publish({ client }: Scene, word: string): Promise<string> {
  const name = client.nameOf(word)
  const reply = await client.publish({ name, version })
  demand(reply.status === 201, `a package must be published: ${describeReply(reply)}`)
  return name
}

async function isOpen({ client }: Scene, name: string): Promise<boolean> {
  const { status } = await client.ask('GET', tarballPath(name, version))
  return status === 200
}

async function tryYoung(scene: Scene, name: string): Promise<void> {
  const { instance, trusted, other } = scene
  const about = { package: name, version }
  await reportByApi(instance, other, about)
  await reportByApi(instance, trusted, about, 'spam')
  demand(await isOpen(scene, name), 'neither a stranger’s word nor spam must close anything')
  await reportByApi(instance, trusted, about)
  await until(
    async () => !(await isOpen(scene, name)),
    'a trusted reporter’s word on malware must close a young package',
  )
}

async function tryOlder(scene: Scene, name: string): Promise<void> {
  const { instance, trusted, other } = scene
  const about = { package: name, version }
  demand(await isOpen(scene, name), 'a version of an upstream must come in')
  await reportByApi(instance, trusted, about)
  demand(await isOpen(scene, name), 'one reporter alone must not close what is older than a day')
  await reportByApi(instance, other, about)
  await until(
    async () => !(await isOpen(scene, name)),
    'two reporters, one of them trusted, must close what is older',
  )
}

async function tryBreaker(scene: Scene, old: string, used: string): Promise<void> {
  const { instance, client, trusted, other } = scene
  demand(await isOpen(scene, old), 'a version of an upstream must come in')
  for (let left = fetches; left > 0; left -= 25)
    await Promise.all(Array.from({ length: 25 }, () => client.ask('GET', tarballPath(used, version))))
  // Fetches are written down each second.
  await new Promise(resolve => setTimeout(resolve, 2500))
  for (const name of [old, used])
    for (const who of [trusted, other]) await reportByApi(instance, who, { package: name, version })
  demand(await isOpen(scene, old), 'reports alone must not close what is long out')
  demand(await isOpen(scene, used), 'reports alone must not close what is much used')
}

async function tryDismissal(scene: Scene, young: string): Promise<void> {
  const { browser } = scene.responder
  for (const path of await listCasePaths(scene.responder)) {
    const { text } = await browser.get(path)
    if (!text.includes(`${young} is reported`)) continue
    for (const each of [browser, scene.second.browser]) {
      demand(!(await isOpen(scene, young)), 'one responder alone must not open what reports closed')
      const closed = await each.post(path, { words: 'a probe', outcome: 'dismissed' })
      demand(closed.status === 303, `a responder must be able to dismiss reports: ${closed.status}`)
    }
  }
  await until(() => isOpen(scene, young), 'what only reports closed must open when they are dismissed')
  const { text } = await browser.get('/operate/reporters')
  const row = text.slice(text.indexOf(`<td>${scene.other.login}</td>`))
  demand(/^<td>[^<]*<\/td><td>0<\/td><td>1<\/td>/.test(row), 'being wrong must stand in a reporter’s record')
}
