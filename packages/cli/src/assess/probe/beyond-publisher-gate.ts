// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { makeLimitedToken, openProbeAccount, type ProbeAccount } from '../probe-account.ts'
import { describeReply, encodeName, openProbeClient, type ProbeClient, tarballPath } from '../probe-client.ts'
import { openProbeOperator, type ProbeVisitor } from '../probe-visitor.ts'
import type { SamplePackage } from '../sample-package.ts'

/** A publisher breaks each habit in turn: each publish is held with its reason, and what breaks none passes. */
export const publisherGate: Probe = { capability: 'beyond-publisher-gate', run }

/** Under a second: what takes a week where people live. */
const settings = { HOLDFAST_HABIT_DAYS: '0.00001', HOLDFAST_MFA: 'optional' }
const habitMs = 1000
/** A token that is silent for 13 habits is idle. */
const idleMs = 12_000
const history = ['1.0.0', '1.0.1', '1.0.2']
const next = '1.0.3'
const atOnce = 12

interface Scene {
  readonly other: ProbeInstance
  readonly client: ProbeClient
  readonly visit: ProbeVisitor
}

async function run(instance: ProbeInstance): Promise<Evidence> {
  const other = await instance.startOther(settings)
  const client = await openProbeClient(other)
  const scene = { other, client, visit: await openProbeOperator(other) }
  const [ann, idle] = [await openProbeAccount(other, client), await openProbeAccount(other, client)]
  await establish(scene, 'idle', idle)
  const since = Date.now()
  await showContent(scene, ann)
  await showHand(scene, ann)
  await showVelocity(scene)
  await showRelease(scene)
  await delay(Math.max(0, idleMs - (Date.now() - since)))
  await mustBeHeld(scene, 'idle', idle.token, 'idle-token')
  return [
    'held with its reason: the first install script, also where a binding.gyp implies it; a new maintainer; a token that nobody published with before, and one that was silent for long',
    `held: the ${atOnce}th package of an identity within an hour that never released more than a few`,
    'the same new file in two packages of one release: everything of that release was held, the token ended, a case opened',
    'not held: the next version by the same hand; a drop of proof is refused outright (authz-3-provenance)',
  ]
}

/** A package with a history by one hand. */
async function establish({ client }: Scene, word: string, by: ProbeAccount): Promise<void> {
  for (const version of history) await put(client, { name: client.nameOf(word), version }, by.token)
}

async function showContent(scene: Scene, ann: ProbeAccount): Promise<void> {
  for (const word of ['plain', 'script', 'gyp']) await establish(scene, word, ann)
  await delay(habitMs)
  const setup = { files: { 'setup.js': '// sets up\n' }, scripts: { postinstall: 'node setup.js' } }
  await mustBeHeld(scene, 'script', ann.token, 'first-install-script', setup)
  const gyp = { files: { 'binding.gyp': '{"targets": []}\n' }, scripts: { install: 'node-gyp rebuild' } }
  await mustBeHeld(scene, 'gyp', ann.token, 'first-install-script', gyp)
  const name = scene.client.nameOf('plain')
  await put(scene.client, { name, version: next, content: 'next' }, ann.token)
  const bytes = await scene.client.ask('GET', tarballPath(name, next))
  demand(bytes.status === 200, `what breaks no habit must pass: ${describeReply(bytes)}`)
}

async function showHand(scene: Scene, ann: ProbeAccount): Promise<void> {
  const { client, other } = scene
  const bob = await openProbeAccount(other, client)
  for (const word of ['hand', 'token']) await establish(scene, word, ann)
  const body = JSON.stringify({ user: bob.login })
  const path = `/npm/-/package/${encodeName(client.nameOf('hand'))}/owners`
  const added = await client.ask('PUT', path, { body, token: ann.token })
  demand(added.status < 300, `an owner must be able to add one: ${describeReply(added)}`)
  await delay(habitMs)
  await mustBeHeld(scene, 'hand', bob.token, 'new-maintainer')
  await mustBeHeld(scene, 'token', await makeLimitedToken(client, ann, { readonly: false }), 'new-token')
}

async function showVelocity(scene: Scene): Promise<void> {
  const { client, other } = scene
  const dave = await openProbeAccount(other, client)
  await put(client, { name: client.nameOf('many-0'), version: next }, dave.token)
  await delay(habitMs)
  for (let at = 1; at < atOnce - 1; at++)
    await put(client, { name: client.nameOf(`many-${at}`), version: next }, dave.token)
  await mustBeHeld(scene, `many-${atOnce - 1}`, dave.token, 'velocity')
}

async function showRelease(scene: Scene): Promise<void> {
  const { client, other, visit } = scene
  const erin = await openProbeAccount(other, client)
  const words = ['sibling-0', 'sibling-1', 'sibling-2']
  for (const word of words) await establish(scene, word, erin)
  await delay(habitMs)
  const [first = '', second = '', third = ''] = words.map(word => client.nameOf(word))
  const spread = { files: { 'lib/spread.js': 'module.exports = 1\n' } }
  await put(client, { name: first, version: next, ...spread }, erin.token)
  await mustBeHeld(scene, 'sibling-1', erin.token, 'same-news', spread)
  const fellow = await client.ask('GET', tarballPath(first, next))
  demand(fellow.status === 403, `what went out with it must be held too: ${describeReply(fellow)}`)
  const more = await client.publish({ name: third, version: next }, erin.token)
  demand(more.status === 401, `its token must be ended: ${describeReply(more)}`)
  demand((await visit('/operate/cases')).includes(second), 'there must be a case of it')
}

async function mustBeHeld(
  { client, visit }: Scene,
  word: string,
  token: string,
  rule: string,
  more: Partial<SamplePackage> = {},
): Promise<void> {
  const name = client.nameOf(word)
  await put(client, { name, version: next, content: 'next', ...more }, token)
  const bytes = await client.ask('GET', tarballPath(name, next))
  demand(bytes.status === 403, `${name} must be held for ${rule}: ${describeReply(bytes)}`)
  const page = await visit(`/operate/holds/${name}/${next}`)
  demand(page.includes(`<strong>${rule}</strong>`), `the hold of ${name} must give ${rule} as its reason`)
}

async function put(client: ProbeClient, sample: SamplePackage, token: string): Promise<void> {
  const reply = await client.publish(sample, token)
  demand(reply.status < 300, `publishing ${sample.name} must work, and answers ${describeReply(reply)}`)
}
