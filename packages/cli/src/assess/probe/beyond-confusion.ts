// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import {
  describeReply,
  encodeName,
  listVersions,
  openProbeClient,
  type ProbeClient,
  tarballPath,
} from '../probe-client.ts'
import { findProbeUpstream, type ProbeUpstream } from '../probe-upstream.ts'
import { openProbeOperator, type ProbeVisitor } from '../probe-visitor.ts'

/** A name comes from one place; what is hosted here never comes from elsewhere, and a namesake upstream is noticed. */
export const confusion: Probe = { capability: 'beyond-confusion', run }

/** A version so high that whoever mixed both sources would take it. */
const bait = '99.0.0'

/** Configurations of which nobody could say where a name comes from. */
const origins = JSON.stringify({ one: 'https://one.probe.example', two: 'https://two.probe.example' })
const unclear: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['two origins and no routes', { HOLDFAST_ORIGINS: origins }],
  [
    'two origins for one pattern',
    { HOLDFAST_ORIGINS: origins, HOLDFAST_ROUTES: '{"@acme/*": "one", "@acme/*": "two", "*": "one"}' },
  ],
]

async function run(instance: ProbeInstance): Promise<Evidence> {
  for (const [what, settings] of unclear) await refuseStart(instance, what, settings)
  const upstream = await findProbeUpstream()
  const other = await instance.startOther(upstream.settings)
  const client = await openProbeClient(other)
  const visit = await openProbeOperator(other)
  // From now on the upstream's feed is followed.
  await other.operate('check-names')
  await showOneOrigin(client, upstream)
  await showAlarm(other, visit, client.nameOf(''))
  return [
    `an instance does not start with ${unclear.map(([what]) => what).join(', nor with ')}`,
    `of a hosted name only what was published here is there, though the upstream has version ${bait}; one that is hosted and not there yet is not found`,
    'the upstream was never asked for a name that is hosted here',
    'both names appeared in the upstream’s feed: there is a case, and a letter to those who operate',
  ]
}

async function refuseStart(
  instance: ProbeInstance,
  what: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const why = await instance.startOther(settings).then(
    () => undefined,
    (error: Error) => error.message,
  )
  demand(why !== undefined, `an instance must not start with ${what}`)
  demand(/^\s*routes: /m.test(why), `with ${what} it must say what is wrong, and says ${why}`)
}

async function showOneOrigin(client: ProbeClient, upstream: ProbeUpstream): Promise<void> {
  const [ours, planned] = [client.nameOf('ours'), client.nameOf('planned')]
  const published = await client.publish({ name: ours, version: '1.0.0' })
  demand(published.status < 300, `publishing must work, and answers ${describeReply(published)}`)
  const foreign = upstream.nameOf('foreign')
  for (const name of [ours, planned, foreign]) upstream.publish({ name, version: bait })
  const there = await client.ask('GET', tarballPath(foreign, bait))
  demand(there.status === 200, `a name of the upstream must come from there: ${describeReply(there)}`)
  const versions = await listVersions(client, ours)
  demand(versions.join() === '1.0.0', `a hosted package must be what is hosted, and not ${versions.join()}`)
  for (const path of [`/npm/${encodeName(planned)}`, tarballPath(planned, bait), tarballPath(ours, bait)]) {
    const reply = await client.ask('GET', path)
    demand(reply.status === 404, `${path} must not fall through to the upstream: ${describeReply(reply)}`)
  }
  const scope = client.nameOf('')
  const asked = upstream.asked.find(path => path.includes(scope))
  demand(asked === undefined, `the upstream must not be asked for a hosted name, and was for ${asked}`)
}

async function showAlarm(other: ProbeInstance, visit: ProbeVisitor, scope: string): Promise<void> {
  const found = await other.operate('check-names')
  for (const word of ['ours', 'planned'])
    demand(
      found.includes(scope + word),
      `${scope}${word} upstream must be noticed, and is not among: ${found}`,
    )
  const list = await visit('/operate/cases')
  const cases = await Promise.all(
    [...list.matchAll(/href="(\/operate\/cases\/case-[^"]+)"/g)].map(([, path = '']) => visit(path)),
  )
  demand(
    cases.some(page => page.includes(`${scope}ours`)),
    'a namesake upstream must be a case',
  )
  const mail = await visit('/operate/mail')
  demand(/published upstream/.test(mail), 'a namesake upstream must be told by mail')
}
