// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import {
  describeReply,
  listVersions,
  openProbeClient,
  type ProbeClient,
  tarballPath,
  until,
} from '../probe-client.ts'
import { findProbeUpstream, type ProbeUpstream } from '../probe-upstream.ts'
import { openProbeOperator, type ProbeVisitor } from '../probe-visitor.ts'

/** What an upstream withdraws is found by what it says, contained, and whoever has it is known; nobody lifts a hand. */
export const takedown: Probe = { capability: 'beyond-takedown', run }

const good = '1.0.0'
const bad = '1.0.1'

/** Ways to take a version back, with the word of the package to which it happens. */
const ways: readonly (readonly [
  word: string,
  what: string,
  how: (upstream: ProbeUpstream, name: string) => void,
])[] = [
  ['removed', 'removed', (upstream, name) => upstream.withdraw(name, bad)],
  ['changed', 'given other bytes', (upstream, name) => publishBad(upstream, name, { content: 'other' })],
  [
    'marked',
    'marked as malware',
    (upstream, name) => publishBad(upstream, name, { manifest: { deprecated: 'contains malicious code' } }),
  ],
]

async function run(instance: ProbeInstance): Promise<Evidence> {
  const upstream = await findProbeUpstream()
  const other = await instance.startOther(upstream.settings)
  const client = await openProbeClient(other)
  const visit = await openProbeOperator(other, 'responder')
  const cases = ways.map(([word, what, how]) => ({ name: upstream.nameOf(word), what, how }))
  for (const { name } of cases) {
    upstream.publish({ name, version: good })
    publishBad(upstream, name)
    const reply = await client.ask('GET', tarballPath(name, bad))
    demand(reply.status === 200, `the bytes of a version must come: ${describeReply(reply)}`)
  }
  for (const { name, how } of cases) how(upstream, name)
  // What the instance does by itself within minutes, asked for now.
  await other.operate('check-upstream', ...cases.map(({ name }) => name))
  for (const { name, what } of cases) await checkContained(client, visit, name, what)
  return [
    `found under an unchanged ETag, each with a case and a letter: a version that was ${ways.map(([, what]) => what).join(', one ')}`,
    `new installs fall back to ${good}; the bytes that came in are refused by their address`,
    'the case lists who fetched them, by account, network and client, for those who respond',
  ]
}

/** Old enough for the release age, and so young that its bytes are kept before they go out. */
function publishBad(upstream: ProbeUpstream, name: string, more: object = {}): void {
  upstream.publish({ name, version: bad, ageDays: 5, ...more })
}

async function checkContained(
  client: ProbeClient,
  visit: ProbeVisitor,
  name: string,
  what: string,
): Promise<void> {
  const isRefused = async () => (await client.ask('GET', tarballPath(name, bad))).status === 403
  await until(isRefused, `the bytes of a version that was ${what} upstream must be refused`)
  await until(
    async () => (await listVersions(client, name)).join() === good,
    `a version that was ${what} upstream must leave the packument`,
  )
  const path = new RegExp(`href="(/operate/cases/case-[^"]+)"><bdi>${name} `).exec(
    await visit('/operate/cases'),
  )
  demand(path !== null, `a version that was ${what} upstream must be a case`)
  const listsHolder = async () => (await visit(path[1] ?? '')).includes(`<td>${client.user}<`)
  await until(listsHolder, `the case of a version that was ${what} must list who fetched it`)
  const mail = await visit('/operate/mail')
  demand(mail.includes(`${name} was withdrawn`), `a version that was ${what} upstream must be told by mail`)
}
