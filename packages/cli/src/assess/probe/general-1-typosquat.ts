// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { openProbeAccount } from '../probe-account.ts'
import {
  describeReply,
  listVersions,
  makeProbeToken,
  openProbeClient,
  type ProbeClient,
  tarballPath,
  until,
} from '../probe-client.ts'
import { openPerson } from '../probe-person.ts'
import { findProbeUpstream, type ProbeUpstream } from '../probe-upstream.ts'

/** Names that are taken for others are held when they first come in and when they are first published, and let go by a person. */
export const typosquats: Probe = { capability: 'general-1-typosquat', run }

const version = '1.0.0'
const policy = [
  { kind: 'malware', mode: 'enforce' },
  { kind: 'look-alike', action: 'hold', mode: 'enforce' },
  { name: 'look-alike-hosted', kind: 'look-alike', action: 'hold', mode: 'enforce', origins: ['hosted'] },
]

/** One name for each kind of trick. */
const squats: readonly (readonly [trick: string, name: string, target: string])[] = [
  ['letters swapped', 'exrpess', 'express'],
  ['a letter left out', 'typescrpt', 'typescript'],
  ['a letter doubled', 'chokidarr', 'chokidar'],
  ['a neighbouring key', 'webpsck', 'webpack'],
  ['a figure for a letter', 'c0mmander', 'commander'],
  ['other separators', 'cross.spawn', 'cross-spawn'],
  ['a scope left out', 'aws-sdk-client-s3', '@aws-sdk/client-s3'],
  ['a scope misspelt', '@babell/core', '@babel/core'],
  ['a word put to it', 'commander-js', 'commander'],
]
/** Whoever publishes both is no stranger. */
const byStranger = { _npmUser: { name: 'eve', email: 'eve@probe.example' } }
/** Well used, or like nothing. */
const honest = ['express', 'react-dom', '@babel/core']

async function run(instance: ProbeInstance): Promise<Evidence> {
  const upstream = await findProbeUpstream()
  const settings = { ...upstream.settings, HOLDFAST_POLICY: JSON.stringify(policy) }
  const other = await instance.startOther(settings)
  const client = await openProbeClient(other)
  await showProxying(client, upstream)
  const { name, target, notice } = await showPublish(other, client)
  await showRelease(other, client, name)
  demand(notice.includes(`did you mean ${target}?`), `whoever published ${name} must be asked: '${notice}'`)
  return [
    `held when they first came in: ${squats.map(([trick, name]) => `${name} (${trick})`).join(', ')}; each refusal asks which name was meant`,
    `not held: ${honest.join(', ')}, a name like no other, and a look-alike that has been there for years`,
    'published here, a look-alike of a hosted name is kept and not given out; its publisher is asked what was meant; a responder’s waiver opened it',
    'recall and false alarms on labelled pairs: npm run evaluate -- --only look-alikes',
  ]
}

async function showProxying(client: ProbeClient, upstream: ProbeUpstream): Promise<void> {
  for (const [trick, name, target] of squats) {
    upstream.publish({ name, version, ageDays: 30, manifest: byStranger })
    const reply = await client.ask('GET', tarballPath(name, version))
    demand(reply.status === 403, `${name} must be held for ${trick}: ${describeReply(reply)}`)
    const said = reply.body.toString()
    demand(said.includes(`did you mean ${target}?`), `the refusal of ${name} must ask for ${target}: ${said}`)
  }
  const old = 'commnader'
  const plain = upstream.nameOf('plain')
  upstream.publish({ name: old, version, ageDays: 2000, manifest: byStranger })
  for (const name of [...honest, plain]) upstream.publish({ name, version, ageDays: 30 })
  for (const name of [...honest, plain, old]) {
    const reply = await client.ask('GET', tarballPath(name, version))
    demand(reply.status === 200, `${name} must come in: ${describeReply(reply)}`)
  }
}

/** A look-alike of a name that is hosted here, and what its publisher reads. */
async function showPublish(
  other: ProbeInstance,
  client: ProbeClient,
): Promise<{ name: string; target: string; notice: string }> {
  const target = client.nameOf('gateway')
  const published = await client.publish({ name: target, version })
  demand(published.status < 300, `publishing must work, and answers ${describeReply(published)}`)
  const squat = target.slice(1).replace('/', '-')
  await other.operate('host', squat)
  const stranger = await makeProbeToken(other, `${client.user}-eve`, squat)
  const reply = await client.publish({ name: squat, version }, stranger)
  demand(reply.status < 300, `a look-alike must be kept for a person to look at: ${describeReply(reply)}`)
  const bytes = await client.ask('GET', tarballPath(squat, version))
  demand(bytes.status === 403, `a look-alike that was published here must be held: ${describeReply(bytes)}`)
  demand((await listVersions(client, squat)).length === 0, 'its packument must not show it')
  const own = await client.ask('GET', tarballPath(target, version))
  demand(own.status === 200, `the name that was there first must not be held: ${describeReply(own)}`)
  return { name: squat, target, notice: reply.headers.get('npm-notice') ?? '' }
}

async function showRelease(other: ProbeInstance, client: ProbeClient, name: string): Promise<void> {
  const asker = await openProbeAccount(other, client)
  const responder = await openPerson(other, ['responder'])
  const body = JSON.stringify({ name, version, reason: 'it is ours as well' })
  const asked = await client.ask('POST', '/api/v1/waivers', { body, token: asker.token })
  demand(asked.status === 201, `anybody with an account must be able to ask: ${describeReply(asked)}`)
  const { id } = JSON.parse(asked.body.toString()) as { id: string }
  const given = await responder.browser.post('/operate/waivers', {
    id,
    act: 'grant',
    days: '30',
    words: 'seen',
  })
  demand(given.status === 303, `a responder must be able to grant it: ${given.status}`)
  const isOpen = async () => (await client.ask('GET', tarballPath(name, version))).status === 200
  await until(isOpen, 'a waiver must open a look-alike')
}
