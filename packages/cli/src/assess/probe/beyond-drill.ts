// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'
import { drillKey, drillLogin, drillScope } from '@holdfast/core'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { openProbeAccount } from '../probe-account.ts'
import { describeReply, openProbeClient, type ProbeClient, tarballPath, until } from '../probe-client.ts'
import { basicOf, openPerson, type ProbePerson } from '../probe-person.ts'

/** Incidents are rehearsed on the running registry: a worm is contained by itself, and by two acts of a responder; nothing is left of it. */
export const drill: Probe = { capability: 'beyond-drill', run }

const wormPackages = 100
const containedWithinMs = 60_000
const fewPackages = 5
const mostActs = 3
const endsWithinMs = 150_000
const askEveryMs = 300

interface Scene {
  readonly other: ProbeInstance
  readonly client: ProbeClient
  readonly responder: ProbePerson
}

interface Told {
  readonly id: string
  readonly endedAt: number | null
  readonly attackAt: number | null
  readonly detectedAt: number | null
  readonly notifiedAt: number | null
  readonly containedAt: number | null
  readonly report: {
    readonly infected: number
    readonly actions: readonly unknown[]
    readonly fault: string
  }
}

async function run(instance: ProbeInstance): Promise<Evidence> {
  const other = await instance.startOther({ HOLDFAST_MFA: 'optional' })
  const client = await openProbeClient(other)
  const scene = { other, client, responder: await openPerson(other, ['responder']) }
  const calm = client.nameOf('calm')
  const published = await client.publish({ name: calm, version: '1.0.0' })
  demand(published.status < 300, `publishing must work: ${describeReply(published)}`)
  const before = await readDocument(scene, calm)
  await demandFence(scene)
  const alone = await showAlone(scene)
  const acts = await showPeople(scene)
  demand((await readDocument(scene, calm)) === before, 'a drill must leave other packages as they are')
  return [
    `a worm went for ${wormPackages} packages of a sandbox and was contained after ${(alone / 1000).toFixed(1)} s without anybody, told to those who respond`,
    `where no rule saw it, ${acts} acts of a responder contained it, by what a reader got`,
    'nothing of it is served afterwards, other packages are as they were; strangers begin no drill and publish nothing in the sandbox',
  ]
}

async function demandFence({ other, client, responder }: Scene): Promise<void> {
  const ann = await openProbeAccount(other, client)
  const body = JSON.stringify({ playbook: 'worm' })
  const begun = await client.ask('POST', '/api/v1/drills', { token: ann.token, body })
  demand(begun.status === 403, `a stranger must not begin a drill: ${describeReply(begun)}`)
  const inside = await client.publish({ name: `${drillScope}/mine`, version: '1.0.0' }, ann.token)
  demand(inside.status === 403, `nobody else must publish in the sandbox: ${describeReply(inside)}`)
  const { status } = await ask({ other, responder }, 'POST', 'drills', { playbook: 'fire' })
  demand(status === 400, `there must be no drill of an unknown playbook: ${status}`)
}

/** How long it took, by the registry's own word, which the other checks hold against what a reader gets. */
async function showAlone(scene: Scene): Promise<number> {
  const begun = await begin(scene, { playbook: 'worm', packages: wormPackages })
  const told = await waitFor(scene, begun.id, each => each.endedAt !== null)
  const { attackAt, detectedAt, notifiedAt, containedAt, report } = told
  demand(report.fault === '' && containedAt !== null, `the worm must be contained: ${report.fault}`)
  demand(attackAt !== null && detectedAt !== null, 'the worm must be seen')
  demand(notifiedAt !== null, 'those who respond must be told')
  demand(
    report.infected > 1 && report.infected < wormPackages,
    `the worm must get on until it is stopped, and got into ${report.infected}`,
  )
  const tookMs = containedAt - attackAt
  demand(tookMs >= 0 && tookMs <= containedWithinMs, `it must be contained within a minute: ${tookMs} ms`)
  await demandGone(scene, begun.id)
  return tookMs
}

async function showPeople(scene: Scene): Promise<number> {
  const { id } = await begin(scene, { playbook: 'worm', path: 'people', packages: fewPackages })
  await waitFor(scene, id, each => each.notifiedAt !== null)
  const file = infectedFile(id)
  demand(
    (await scene.client.ask('GET', file)).status === 200,
    'what no rule sees must be open until somebody acts',
  )
  const victim = drillLogin(id, 'victim')
  const said = { reason: 'malware', words: 'probe' }
  for (const [path, body] of [
    ['measures/revoke', { account: victim, ...said }],
    ['measures', { kind: 'quarantine', publisher: victim, ...said }],
  ] as const) {
    const { status } = await ask(scene, 'POST', path, body)
    demand(status < 300, `a responder must be able to act on a drill: ${status}`)
  }
  const isClosed = async () => (await scene.client.ask('GET', file)).status !== 200
  await until(isClosed, 'what a responder closed must not be served')
  const told = await waitFor(scene, id, each => each.endedAt !== null)
  const { actions, fault } = told.report
  demand(fault === '' && told.containedAt !== null, `people must be able to contain it: ${fault}`)
  demand(
    actions.length >= 1 && actions.length <= mostActs,
    `the acts of people must be counted: ${actions.length}`,
  )
  await demandGone(scene, id)
  return actions.length
}

/** The drill is over: nobody installs any of it. */
async function demandGone({ client }: Scene, id: string): Promise<void> {
  const { status } = await client.ask('GET', infectedFile(id))
  demand(status >= 400, `nothing of a drill must be served when it is over: ${status}`)
}

function infectedFile(id: string): string {
  return tarballPath(`${drillScope}/${drillKey(id)}-001`, '1.0.1')
}

async function begin(scene: Scene, wish: object): Promise<Told> {
  const { status, told } = await ask(scene, 'POST', 'drills', wish)
  demand(status === 201, `a responder must be able to begin a drill: ${status}`)
  return told as Told
}

async function waitFor(scene: Scene, id: string, isSo: (told: Told) => boolean): Promise<Told> {
  for (let waitedMs = 0; waitedMs < endsWithinMs; waitedMs += askEveryMs) {
    const told = (await ask(scene, 'GET', `drills/${id}`)).told as Told
    if (isSo(told)) return told
    demand(told.endedAt === null, `the drill ended too early: ${told.report.fault}`)
    await delay(askEveryMs)
  }
  throw new Error('a drill must get to its end')
}

async function ask(
  { other, responder }: Pick<Scene, 'other' | 'responder'>,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly told: unknown }> {
  const reply = await fetch(`${other.url}/api/v1/${path}`, {
    method,
    headers: { authorization: basicOf(responder), 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: reply.status, told: await reply.json().catch(() => undefined) }
}

async function readDocument({ client }: Scene, name: string): Promise<string> {
  const reply = await client.ask('GET', `/npm/${name.replace('/', '%2f')}`)
  demand(reply.status === 200, `a package must be read: ${describeReply(reply)}`)
  return reply.body.toString()
}
