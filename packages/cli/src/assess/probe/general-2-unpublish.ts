// SPDX-License-Identifier: Apache-2.0

import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import {
  describeReply,
  encodeName,
  makeProbeToken,
  openProbeClient,
  type ProbeClient,
  type Reply,
  readObject,
  tarballPath,
} from '../probe-client.ts'

/** A version is never replaced, taken back only within the policy, leaves a mark, and its number is never used again. */
export const unpublish: Probe = { capability: 'general-2-unpublish', run }

async function run(instance: ProbeInstance): Promise<Evidence> {
  const client = await openProbeClient(instance)
  const name = client.nameOf('taken-back')
  for (const version of ['1.0.0', '1.1.0']) await publish(client, name, version)
  const bytes = await client.ask('GET', tarballPath(name, '1.0.0'))
  await refuseReplacing(client, name, bytes)
  await letOneOfTwoWin(client, name)
  await refuseStrangers(instance, client, name)
  await refuseWhatOthersNeed(client, client.nameOf('needed'))
  await takeBack(client, name, '1.1.0')
  await refuseReuse(client, name, '1.1.0')
  const whole = client.nameOf('taken-back-whole')
  await publish(client, whole, '1.0.0')
  await takeBackWhole(client, whole)
  await refuseReuse(client, whole, '1.0.0')
  // Of the owner it adds only the number counts, not the second factor.
  await assessAfterTime(
    await instance.startOther({ HOLDFAST_UNPUBLISH_HOURS: '0', HOLDFAST_MFA: 'optional' }),
  )
  return [
    'publishing other bytes over a version is refused, also when two try at once, and the bytes stay',
    'a version is not taken back by somebody who does not own it, nor while another package depends on it',
    'a version taken back is gone from the document, and its tarball answers 410',
    'after the time for taking back, only what hardly anybody fetched and a single owner decides about still goes',
    'its number is refused afterwards, also when the whole package was taken back',
  ]
}

async function publish(client: ProbeClient, name: string, version: string): Promise<void> {
  const reply = await client.publish({ name, version })
  demand(reply.status < 300, `publishing ${name}@${version} must work, and answers ${describeReply(reply)}`)
}

async function refuseReplacing(client: ProbeClient, name: string, before: Reply): Promise<void> {
  const again = await client.publish({ name, version: '1.0.0', content: 'other bytes' })
  demand(
    isRefusal(again),
    `a version must not be replaced, and publishing over it answers ${describeReply(again)}`,
  )
  const after = await client.ask('GET', tarballPath(name, '1.0.0'))
  demand(
    before.status === 200 && after.body.equals(before.body),
    'a refused publish must not change the bytes',
  )
}

async function letOneOfTwoWin(client: ProbeClient, name: string): Promise<void> {
  const contents = ['one', 'two', 'three', 'four']
  const replies = await Promise.all(
    contents.map(content => client.publish({ name, version: '1.2.0', content })),
  )
  const winners = replies.filter(reply => reply.status < 300).length
  demand(winners === 1, `of four publishes of one version at once exactly one must win, not ${winners}`)
}

/** The policy's owners: somebody whose token may publish here, but who does not own the package, may not take it back. */
async function refuseStrangers(instance: ProbeInstance, client: ProbeClient, name: string): Promise<void> {
  const stranger = await makeProbeToken(instance, 'probe-stranger', client.nameOf('*'))
  const reply = await putWithout(client, name, '1.1.0', stranger)
  demand(
    isRefusal(reply),
    `somebody who does not own a package must not take it back: ${describeReply(reply)}`,
  )
}

async function refuseWhatOthersNeed(client: ProbeClient, name: string): Promise<void> {
  await publish(client, name, '1.0.0')
  const dependent = client.nameOf('needs-it')
  const reply = await client.publish({ name: dependent, version: '1.0.0', dependencies: { [name]: '1.0.0' } })
  demand(reply.status < 300, `publishing a dependent must work, and answers ${describeReply(reply)}`)
  const whole = await removeWhole(client, name)
  demand(
    isRefusal(whole),
    `a package that another depends on must not be taken back: ${describeReply(whole)}`,
  )
}

/** The policy where the time for taking back is over as soon as something is published. */
async function assessAfterTime(instance: ProbeInstance): Promise<void> {
  const client = await openProbeClient(instance)
  const [fetched, shared, quiet] = [client.nameOf('fetched'), client.nameOf('shared'), client.nameOf('quiet')]
  for (const name of [fetched, shared, quiet]) await publish(client, name, '1.0.0')
  await fetchOften(client, fetched)
  await addOwner(instance, client, shared)
  const refused = await removeWhole(client, fetched)
  demand(isRefusal(refused), `an old version that many fetched must stay: ${describeReply(refused)}`)
  const kept = await removeWhole(client, shared)
  demand(isRefusal(kept), `an old version with two owners must not go by one of them: ${describeReply(kept)}`)
  const gone = await removeWhole(client, quiet)
  demand(gone.status < 300, `an old version that nobody needs may go, and answers ${describeReply(gone)}`)
}

/** More often in a week than the policy lets go; downloads are counted a little later than they happen. */
async function fetchOften(client: ProbeClient, name: string): Promise<void> {
  for (let round = 0; round < 32; round += 1) {
    await Promise.all(Array.from({ length: 10 }, () => client.ask('GET', tarballPath(name, '1.0.0'))))
  }
  await new Promise(resolve => setTimeout(resolve, 3_000))
}

/** What `npm owner add` sends. */
async function addOwner(instance: ProbeInstance, client: ProbeClient, name: string): Promise<void> {
  await makeProbeToken(instance, 'probe-second-owner', client.nameOf('*'))
  const { rev, document } = await readForWriting(client, name)
  const { _id, _rev, maintainers } = document
  demand(Array.isArray(maintainers), 'the packument must list maintainers')
  const second = { name: 'probe-second-owner', email: 'second-owner@probe.example' }
  const body = JSON.stringify({ _id, _rev, maintainers: [...maintainers, second] })
  const reply = await client.ask('PUT', `/npm/${encodeName(name)}/-rev/${rev}`, { body })
  demand(reply.status < 300, `adding an owner must work, and answers ${describeReply(reply)}`)
}

async function takeBack(client: ProbeClient, name: string, version: string): Promise<void> {
  const reply = await putWithout(client, name, version, client.token)
  demand(reply.status < 300, `taking back a fresh version must work, and answers ${describeReply(reply)}`)
  const document = readObject(await client.ask('GET', `/npm/${encodeName(name)}`), 'the packument')
  demand(
    !Object.keys(document['versions'] ?? {}).includes(version),
    'a version taken back must leave the packument',
  )
  const tarball = await client.ask('GET', tarballPath(name, version))
  demand(tarball.status === 410, `its tarball must answer 410 Gone, not ${describeReply(tarball)}`)
}

async function takeBackWhole(client: ProbeClient, name: string): Promise<void> {
  const reply = await removeWhole(client, name)
  demand(reply.status < 300, `taking back a fresh package must work, and answers ${describeReply(reply)}`)
  const tarball = await client.ask('GET', tarballPath(name, '1.0.0'))
  demand(
    tarball.status === 410,
    `the tarball of a package taken back must answer 410, not ${describeReply(tarball)}`,
  )
}

async function refuseReuse(client: ProbeClient, name: string, version: string): Promise<void> {
  for (const content of ['', 'other bytes']) {
    const reply = await client.publish({ name, version, content })
    demand(isRefusal(reply), `${version} was used once and must be refused for ever: ${describeReply(reply)}`)
  }
  const tarball = await client.ask('GET', tarballPath(name, version))
  demand(tarball.status === 410, `its tarball must stay gone, and answers ${describeReply(tarball)}`)
}

/** What `npm unpublish name@version` sends: the document as it was read, without that version. */
async function putWithout(client: ProbeClient, name: string, version: string, token: string): Promise<Reply> {
  const { rev, document } = await readForWriting(client, name)
  const versions = Object.fromEntries(
    Object.entries(document['versions'] ?? {}).filter(([key]) => key !== version),
  )
  const tags = Object.entries(document['dist-tags'] ?? {}).filter(([, tagged]) => tagged !== version)
  const latest = Object.keys(versions).at(-1)
  const body = JSON.stringify({ ...document, versions, 'dist-tags': { latest, ...Object.fromEntries(tags) } })
  return client.ask('PUT', `/npm/${encodeName(name)}/-rev/${rev}`, { body, token })
}

/** What `npm unpublish name --force` sends. */
async function removeWhole(client: ProbeClient, name: string): Promise<Reply> {
  const { rev } = await readForWriting(client, name)
  return client.ask('DELETE', `/npm/${encodeName(name)}/-rev/${rev}`)
}

async function readForWriting(client: ProbeClient, name: string) {
  const reply = await client.ask('GET', `/npm/${encodeName(name)}?write=true`, { accept: '*/*' })
  const document = readObject(reply, 'the packument for writing')
  const rev = document['_rev']
  demand(typeof rev === 'string' && rev !== '', 'the packument for writing must carry _rev')
  return { rev: encodeURIComponent(rev), document }
}

/** No by decision: 404 would only say that the way there is missing, 401 that nobody asked. */
function isRefusal({ status }: Reply): boolean {
  return [403, 405, 409, 410].includes(status)
}
