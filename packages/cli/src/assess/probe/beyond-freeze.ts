// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { openProbeAccount, type ProbeAccount } from '../probe-account.ts'
import { describeReply, openProbeClient, type ProbeClient, tarballPath, until } from '../probe-client.ts'
import { openProbeOperator, type ProbeVisitor } from '../probe-visitor.ts'

/** Freezes at each size refuse publishes and are lifted again; a query quarantines, a revocation ends tokens, all is on record. */
export const freeze: Probe = { capability: 'beyond-freeze', run }

interface Scene {
  readonly other: ProbeInstance
  readonly client: ProbeClient
  readonly visit: ProbeVisitor
  readonly ann: ProbeAccount
}

async function run(instance: ProbeInstance): Promise<Evidence> {
  const other = await instance.startOther({ HOLDFAST_MFA: 'optional' })
  const client = await openProbeClient(other)
  const ann = await openProbeAccount(other, client)
  const scene = { other, client, ann, visit: await openProbeOperator(other) }
  const name = client.nameOf('ice')
  await mustPublish(scene, '1.0.0')
  await showOwnFreeze(scene, name)
  const scope = name.split('/')[0] ?? ''
  const subjects = [`package:${name}`, `scope:${scope}`, `account:${ann.login}`, 'publishing', 'registry']
  for (const [at, subject] of subjects.entries()) await showFreeze(scene, subject, `1.1.${at}`)
  await showQuarantine(scene, name)
  await showBlock(scene)
  await showRevocation(scene)
  return [
    `a maintainer froze a package and opened it; frozen and opened again: ${subjects.map(each => each.split(':')[0]).join(', ')}; each publish in between was refused`,
    'a package with a blocked text in it, written in base64, was not published while the block held, and was afterwards',
    'versions found by a query were refused by their address, and served when the measure was undone',
    'every token of an account ended by one command; each measure is on record with its maker',
  ]
}

async function showOwnFreeze({ client, ann, ...rest }: Scene, name: string): Promise<void> {
  const scene = { client, ann, ...rest }
  const post = (path: string, body: object) =>
    client.ask('POST', `/api/v1/measures/${path}`, { token: ann.token, body: JSON.stringify(body) })
  const frozen = await post('own', { package: name, words: 'probe' })
  demand(frozen.status === 201, `a maintainer must be able to freeze a package: ${describeReply(frozen)}`)
  await mustRefuse(scene, '1.0.1', 'its maintainer')
  const lifted = await post('undo', { id: JSON.parse(frozen.body.toString())['id'] })
  demand(lifted.status === 200, `whoever froze a package must be able to open it: ${describeReply(lifted)}`)
  await mustPublish(scene, '1.0.1')
}

async function showFreeze(scene: Scene, subject: string, version: string): Promise<void> {
  const { other, visit } = scene
  const word = subject === 'registry' ? ['--confirm', 'registry'] : []
  const taken = await other.operate('measure', 'freeze', subject, '--reason', 'security', ...word)
  await mustRefuse(scene, version, subject.split(':')[0] ?? '')
  demand((await visit('/operate/measures')).includes(subject), `the freeze of ${subject} must be on record`)
  await other.operate('measure', 'undo', taken.trim())
  await mustPublish(scene, version)
}

async function showQuarantine({ other, client, ann }: Scene, name: string): Promise<void> {
  const status = async () => (await client.ask('GET', tarballPath(name, '1.0.0'))).status
  const taken = await other.operate(
    'measure',
    'quarantine',
    `publisher=${ann.login}`,
    `package=${name}`,
    '--reason',
    'malware',
  )
  await until(async () => (await status()) === 403, 'a version that a query closed must be refused')
  await other.operate('measure', 'undo', taken.split('\t')[0] ?? '')
  const isServed = async () => (await status()) === 200
  await until(isServed, 'a version must be served again when its quarantine is undone')
}

async function showBlock({ other, client, ann }: Scene): Promise<void> {
  const hidden = Buffer.from('https://take.holdfast-probe.example/x').toString('base64')
  const publish = () =>
    client.publish({ name: client.nameOf('ice'), version: '1.3.0', content: hidden }, ann.token)
  const taken = await other.operate(
    'measure',
    'block',
    'indicator=take.holdfast-probe.example',
    '--reason',
    'malware',
  )
  const refused = await publish()
  demand(refused.status === 403, `what has a blocked text in it must be refused: ${describeReply(refused)}`)
  await other.operate('measure', 'undo', taken.trim())
  const after = await publish()
  demand(after.status < 300, `once a block ends what it refused must be taken: ${describeReply(after)}`)
}

async function showRevocation({ other, client, ann }: Scene): Promise<void> {
  await other.operate('measure', 'revoke', `account=${ann.login}`, '--reason', 'leaked')
  const isEnded = async () => (await client.ask('GET', '/npm/-/whoami', { token: ann.token })).status === 401
  await until(isEnded, 'a revoked token must end')
}

async function mustPublish({ client, ann }: Scene, version: string): Promise<void> {
  const reply = await client.publish({ name: client.nameOf('ice'), version, content: version }, ann.token)
  demand(reply.status < 300, `publishing what is not frozen must work: ${describeReply(reply)}`)
}

async function mustRefuse({ client, ann }: Scene, version: string, what: string): Promise<void> {
  const reply = await client.publish({ name: client.nameOf('ice'), version, content: version }, ann.token)
  demand(reply.status === 403, `a publish must be refused while frozen by ${what}: ${describeReply(reply)}`)
}
