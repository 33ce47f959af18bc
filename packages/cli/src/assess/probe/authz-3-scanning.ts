// SPDX-License-Identifier: Apache-2.0
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { openProbeAccount, type ProbeAccount } from '../probe-account.ts'
import { describeReply, openProbeClient, type ProbeClient, type Reply, tarballPath } from '../probe-client.ts'
import { openProbeOperator } from '../probe-visitor.ts'

/** A token that leaks is dead at once: handed in, reported, found by a programme that signs, or in a package. */
export const leakedTokens: Probe = { capability: 'authz-3-scanning', run }

const reportPath = '/api/v1/leaks/github'

/** The instance, and somebody on it whose tokens leak. */
interface Scene {
  readonly instance: ProbeInstance
  readonly client: ProbeClient
  readonly account: ProbeAccount
}

async function run(instance: ProbeInstance): Promise<Evidence> {
  const scene = await openScene(instance)
  await handIn(scene)
  await report(scene)
  await publishOne(scene)
  await checkTold(scene)
  await reportSigned(instance)
  return [
    'whoever posts a whole token ends it without an account, and is answered the same for one that never was',
    'a report of somebody with an account, and a signed one in GitHub’s partner format, end the token at once; a report signed by somebody else ends nothing',
    'a package with a token is refused by the name of the file, and the token is dead',
    'the owner of the token is told by mail',
  ]
}

async function openScene(instance: ProbeInstance): Promise<Scene> {
  const client = await openProbeClient(instance)
  return { instance, client, account: await openProbeAccount(instance, client) }
}

/** A token of the account that works. */
async function makeToken({ instance, client, account }: Scene): Promise<string> {
  const line = [
    'token',
    '--user',
    account.login,
    '--publish',
    client.nameOf('*'),
    '--read-only',
    '--expires',
    '1h',
  ]
  const token = (await instance.operate(...line)).trim()
  demand(await works(client, token), 'a new token must work')
  return token
}

async function works(client: ProbeClient, token: string): Promise<boolean> {
  return (await client.ask('GET', '/npm/-/whoami', { token })).status === 200
}

async function handIn(scene: Scene): Promise<void> {
  const { client } = scene
  const token = await makeToken(scene)
  const post = (each: string) =>
    client.ask('POST', '/api/v1/tokens/revoke', { token: '', body: JSON.stringify({ tokens: [each] }) })
  const unknown = await post(`${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`)
  demand(await works(client, token), 'a changed token that is handed in must end nothing')
  const known = await post(token)
  demand(known.status === 200, `handing in a token must work: ${describeReply(known)}`)
  demand(
    describeReply(known) === describeReply(unknown),
    'handing in a token must be answered the same, whether it was one or not',
  )
  demand(!(await works(client, token)), 'a token that was handed in must be dead')
}

async function report(scene: Scene): Promise<void> {
  const { client, account } = scene
  const token = await makeToken(scene)
  const body = JSON.stringify({ leaks: [{ token, url: 'https://paste.probe.example/1' }] })
  const anonymous = await client.ask('POST', '/api/v1/leaks', { token: '', body })
  demand(anonymous.status === 401, `a report must want an account: ${describeReply(anonymous)}`)
  checkLabels(await client.ask('POST', '/api/v1/leaks', { token: account.token, body }), ['true_positive'])
  demand(!(await works(client, token)), 'a token that was reported must be dead')
}

async function publishOne(scene: Scene): Promise<void> {
  const { client } = scene
  const token = await makeToken(scene)
  const name = client.nameOf('leaky')
  const reply = await client.publish({ name, version: '1.0.0', content: token })
  demand(
    reply.status >= 400 && reply.status < 500 && reply.body.includes('index.js'),
    `a package with a token must be refused by the name of the file: ${describeReply(reply)}`,
  )
  demand(!(await works(client, token)), 'a token in a package must be dead')
  const tarball = await client.ask('GET', tarballPath(name, '1.0.0'))
  demand(tarball.status === 404, `a package with a token must not be served: ${tarball.status}`)
}

async function checkTold({ instance, account }: Scene): Promise<void> {
  const page = await openProbeOperator(instance)
  const text = await page('/operate/mail')
  const isTold = text.includes(`${account.login}@probe.example`) && text.includes('leaked and is revoked')
  demand(isTold, 'the owner of a token that leaked must be told by mail')
}

/** On an instance that knows a programme's key: reports in GitHub's partner format. */
async function reportSigned(instance: ProbeInstance): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-probe-'))
  try {
    const file = join(folder, 'keys.json')
    const key = publicKey.export({ type: 'spki', format: 'pem' })
    await writeFile(
      file,
      JSON.stringify({ public_keys: [{ key_identifier: 'probe', key, is_current: true }] }),
    )
    const scene = await openScene(await instance.startOther({ HOLDFAST_SECRET_SCANNING_KEYS: file }))
    await checkSigned(scene, privateKey)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function checkSigned(scene: Scene, key: KeyObject): Promise<void> {
  const { client } = scene
  const token = await makeToken(scene)
  const found = [
    { token, type: 'holdfast_token', url: 'https://forge.probe.example/x', source: 'content' },
    { token: 'holdfast_nothing', type: 'holdfast_token', url: '', source: 'content' },
  ]
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const forged = await send(scene, found, stranger)
  demand(forged.status === 401, `a report signed by somebody else must be refused: ${describeReply(forged)}`)
  demand(await works(client, token), 'a report signed by somebody else must end nothing')
  checkLabels(await send(scene, found, key), ['true_positive', 'false_positive'])
  demand(!(await works(client, token)), 'a token that a programme found must be dead')
}

async function send({ instance }: Scene, found: unknown, key: KeyObject): Promise<Reply> {
  const body = JSON.stringify(found)
  const headers = {
    'content-type': 'application/json',
    'github-public-key-identifier': 'probe',
    'github-public-key-signature': createSign('SHA256').update(body).sign(key, 'base64'),
  }
  const reply = await fetch(instance.url + reportPath, { method: 'POST', headers, body })
  return { status: reply.status, headers: reply.headers, body: Buffer.from(await reply.arrayBuffer()) }
}

function checkLabels(reply: Reply, wanted: readonly string[]): void {
  const what = `a report must be answered ${wanted.join(', ')}: ${describeReply(reply)}`
  demand(reply.status === 200, what)
  const labels = JSON.parse(reply.body.toString()) as readonly { label?: string }[]
  demand(labels.map(each => each.label).join() === wanted.join(), what)
}
