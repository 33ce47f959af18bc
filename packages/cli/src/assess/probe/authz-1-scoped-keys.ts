// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { makeLimitedToken, openProbeAccount, type ProbeAccount } from '../probe-account.ts'
import { describeReply, encodeName, openProbeClient, type ProbeClient, readObject } from '../probe-client.ts'
import { type Act, accountActs, packageActs, reads, type Stage } from './token-act.ts'

/** A token does what its limits allow and nothing else: packages, scopes, rights, expiry and addresses, on every path. */
export const scopedKeys: Probe = { capability: 'authz-1-scoped-keys', run }

/** The account and its two packages: one that limited tokens may touch, and a private one that they may not. */
interface Scene {
  readonly client: ProbeClient
  readonly account: ProbeAccount
  readonly inside: Stage
  readonly outside: Stage
}

async function run(given: ProbeInstance): Promise<Evidence> {
  // The limits are tried without the second factor, which would refuse some of the same requests.
  const instance = await given.startOther({ HOLDFAST_MFA: 'optional' })
  const scene = await openScene(instance)
  const { client, account, inside } = scene
  const write = { packages_and_scopes_permission: 'read-write' }
  const byPackage = await makeLimitedToken(client, account, { packages: [inside.name], ...write })
  const scope = inside.name.split('/')[0] ?? ''
  const byScope = await makeLimitedToken(client, account, { scopes: [scope], ...write })
  await refuseOutside(scene, 'a token for one package', byPackage)
  await refuseOutside(scene, 'a token for one scope', byScope)
  await refuseWriting(scene, 'a read-only token', await makeLimitedToken(client, account, { readonly: true }))
  await refuseEverything(scene, 'an expired token', await makeExpiredToken(instance, scene))
  const elsewhere = { readonly: false, cidr_whitelist: ['192.0.2.0/24'] }
  await refuseEverything(
    scene,
    'a token for other addresses',
    await makeLimitedToken(client, account, elsewhere),
  )
  const here = { readonly: false, cidr_whitelist: ['127.0.0.0/8', '::1/128'] }
  await allowEverything(scene, byPackage, byScope, await makeLimitedToken(client, account, here))
  const acts = [...packageActs, ...accountActs].map(([what]) => what)
  return [
    `refused to tokens that are limited to other packages or scopes, may only read, are expired or used from elsewhere: ${acts.join(', ')}`,
    `a private package is hidden from a token that is limited to another, in ${reads.map(([what]) => what).join(', ')}`,
    'the same acts work with a token that allows them',
  ]
}

async function openScene(instance: ProbeInstance): Promise<Scene> {
  const client = await openProbeClient(instance)
  const account = await openProbeAccount(instance, client)
  const { login, password } = account
  const inside: Stage = { client, name: client.nameOf('inside'), login, password, friend: client.user }
  const outside: Stage = { ...inside, name: client.looseName }
  for (const stage of [inside, outside]) await perform(stage, 'publishing', '1.0.0', account.token)
  const restricted = await client.ask('POST', `/npm/-/package/${encodeName(outside.name)}/access`, {
    body: '{"access":"restricted"}',
    token: account.token,
  })
  demand(restricted.status < 300, `making a package private must work: ${describeReply(restricted)}`)
  return { client, account, inside, outside }
}

async function perform(stage: Stage, what: string, version: string, token: string): Promise<void> {
  const reply = await stage.client.publish({ name: stage.name, version }, token)
  demand(reply.status < 300, `${what} must work, and answers ${describeReply(reply)}`)
}

async function makeExpiredToken(
  instance: ProbeInstance,
  { account, inside, outside }: Scene,
): Promise<string> {
  const token = ['token', '--user', account.login, '--publish', inside.name, outside.name, '--expires', '1s']
  const secret = (await instance.operate(...token)).trim()
  await new Promise(resolve => setTimeout(resolve, 1_100))
  return secret
}

async function refuseOutside({ account, outside }: Scene, whose: string, token: string): Promise<void> {
  for (const [what, look] of reads) {
    demand(await look(outside, account.token), `${what} must show a private package to its owner`)
    demand(!(await look(outside, token)), `${what} must hide a private package from ${whose}`)
  }
  await refuse(outside, account, [...packageActs, ...accountActs], whose, token)
}

async function refuseWriting(
  { account, inside, outside }: Scene,
  whose: string,
  token: string,
): Promise<void> {
  for (const [what, look] of reads) demand(await look(outside, token), `${what} must be open to ${whose}`)
  await refuse(inside, account, [...packageActs, ...accountActs], whose, token)
}

async function refuseEverything({ client, account, inside, outside }: Scene, whose: string, token: string) {
  const reply = await client.ask('GET', '/npm/-/whoami', { token })
  demand([401, 403].includes(reply.status), `${whose} must be nobody: ${describeReply(reply)}`)
  for (const [what, look] of reads)
    demand(!(await look(outside, token)), `${what} must be closed to ${whose}`)
  await refuse(inside, account, [...packageActs, ...accountActs], whose, token)
}

/** Each act must be refused, and all of them together must have changed nothing. */
async function refuse(
  stage: Stage,
  account: ProbeAccount,
  acts: readonly Act[],
  whose: string,
  token: string,
) {
  const before = await readState(stage, account)
  for (const [what, act] of acts) {
    const reply = await act(stage, before, token)
    demand(
      [401, 403, 404].includes(reply.status),
      `${what} must be refused to ${whose}: ${describeReply(reply)}`,
    )
  }
  const after = await readState(stage, account)
  demand(
    JSON.stringify(after) === JSON.stringify(before),
    `what was refused to ${whose} must not have happened`,
  )
}

/** The refusals only count because the same requests work where they are allowed. */
async function allowEverything(
  scene: Scene,
  byPackage: string,
  byScope: string,
  here: string,
): Promise<void> {
  const { account, inside, outside } = scene
  await perform(inside, 'publishing with a token for this package', '1.1.0', byPackage)
  await perform(inside, 'publishing with a token for this scope', '1.2.0', byScope)
  for (const [what, act] of [...packageActs, ...accountActs]) {
    const reply = await act(outside, await readState(outside, account), here)
    demand(reply.status < 300, `${what} must work where it is allowed, and answers ${describeReply(reply)}`)
  }
}

async function readState({ client, name }: Stage, { token }: ProbeAccount): Promise<Record<string, unknown>> {
  const path = `/npm/${encodeName(name)}?write=true`
  return readObject(await client.ask('GET', path, { accept: '*/*', token }), 'the packument for writing')
}
