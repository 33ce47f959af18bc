// SPDX-License-Identifier: Apache-2.0

import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { openProbeAccount } from '../probe-account.ts'
import { type KnownFlaw, tellAdvisories } from '../probe-advisory.ts'
import {
  describeReply,
  listVersions,
  openProbeClient,
  type ProbeClient,
  type Reply,
  tarballPath,
  until,
} from '../probe-client.ts'
import { openPerson } from '../probe-person.ts'
import { findProbeUpstream, type ProbeUpstream } from '../probe-upstream.ts'

/** What is fresh waits; the fix of a known flaw does not; a waiver opens one version until its date. */
export const fixAwareAge: Probe = { capability: 'beyond-fix-aware-age', run }

const old = '1.0.0'
const fix = '1.0.1'
const feature = '1.1.0'
const waiverMs = 6000
const dayMs = 24 * 3600_000

/** Packages where a fresh version is said to be a fix and is none that may pass. */
const baits: readonly (readonly [word: string, why: string, flaw: Partial<KnownFlaw>, manifest: object])[] = [
  ['stale', 'the advisory is old: anybody could wait for it', { publishedAt: Date.now() - 100 * dayMs }, {}],
  ['script', 'it brings an install script', {}, { scripts: { install: 'node x.js' } }],
  ['stranger', 'somebody else published it', {}, { _npmUser: { name: 'eve', email: 'eve@probe.example' } }],
  ['grown', 'it brings a dependency', {}, { dependencies: { 'probe-unknown': '1.0.0' } }],
]

async function run(instance: ProbeInstance): Promise<Evidence> {
  const upstream = await findProbeUpstream()
  const other = await instance.startOther(upstream.settings)
  const client = await openProbeClient(other)
  const mended = publishFresh(upstream, 'mended', {})
  const baited = baits.map(([word, , , manifest]) => publishFresh(upstream, word, manifest))
  for (const name of [mended, ...baited]) await refuseFresh(client, name)
  const fixed = { fixed: fix, publishedAt: Date.now() }
  await tellAdvisories(other, [
    { name: mended, ...fixed },
    ...baits.map(([, , flaw], at) => ({ name: baited[at] ?? '', ...fixed, ...flaw })),
  ])
  await until(
    async () => (await listVersions(client, mended)).join() === `${old},${fix}`,
    'a fix must pass at once, and nothing newer with it',
  )
  demand((await fetchBytes(client, mended, fix)).status === 200, 'the bytes of a fix must come')
  for (const [at, [, why]] of baits.entries()) {
    const reply = await fetchBytes(client, baited[at] ?? '', fix)
    demand(reply.status === 403, `what claims to be a fix must wait when ${why}: ${describeReply(reply)}`)
  }
  await showWaiver(other, client, mended)
  return [
    `a version of this morning waits with its date, and ranges and tags stay at ${old}`,
    `its neighbour that a new advisory names as the fix passes at once; ${feature}, which has it too, waits`,
    `these wait although an advisory names them: ${baits.map(([, why]) => why).join('; ')}`,
    `a waiver opened ${feature} alone, and closed it again ${waiverMs / 1000} seconds later, when it ended`,
  ]
}

/** A package with an old version and two of today. */
function publishFresh(upstream: ProbeUpstream, word: string, manifest: object): string {
  const name = upstream.nameOf(word)
  upstream.publish({ name, version: old })
  upstream.publish({ name, version: fix, ageDays: 0.4, manifest: { ...manifest } })
  upstream.publish({ name, version: feature, ageDays: 0.2 })
  return name
}

async function refuseFresh(client: ProbeClient, name: string): Promise<void> {
  const versions = await listVersions(client, name)
  demand(versions.join() === old, `versions of today must wait, and ${versions.join()} are listed`)
  for (const version of [fix, feature]) {
    const reply = await fetchBytes(client, name, version)
    const says = reply.body.toString()
    demand(reply.status === 403, `the bytes of a version of today must wait: ${describeReply(reply)}`)
    demand(/\d{4}-\d\d-\d\d/.test(says), `the refusal must say until when: ${describeReply(reply)}`)
  }
}

function fetchBytes(client: ProbeClient, name: string, version: string): Promise<Reply> {
  return client.ask('GET', tarballPath(name, version))
}

async function showWaiver(other: ProbeInstance, client: ProbeClient, name: string): Promise<void> {
  const asker = await openProbeAccount(other, client)
  const responder = await openPerson(other, ['responder'])
  const body = JSON.stringify({ name, version: feature, reason: 'the probe needs it' })
  const asked = await client.ask('POST', '/api/v1/waivers', { body, token: asker.token })
  demand(asked.status === 201, `anybody with an account must be able to ask: ${describeReply(asked)}`)
  const { id } = JSON.parse(asked.body.toString()) as { id: string }
  demand((await fetchBytes(client, name, feature)).status === 403, 'to ask must open nothing')
  const days = String(waiverMs / dayMs)
  const given = await responder.browser.post('/operate/waivers', { id, act: 'grant', days, words: 'for now' })
  demand(given.status === 303, `a responder must be able to grant it: ${given.status}`)
  const endsAt = Date.now() + waiverMs
  const isOpen = async () => (await fetchBytes(client, name, feature)).status === 200
  await until(isOpen, 'a waiver must open its version')
  demand(Date.now() < endsAt, 'the machine is too busy to see a waiver of seconds end')
  await new Promise(resolve => setTimeout(resolve, endsAt - Date.now()))
  await until(async () => !(await isOpen()), 'a waiver must end on its date')
  demand(
    !(await listVersions(client, name)).includes(feature),
    'a version must leave the packument when its waiver ends',
  )
}
