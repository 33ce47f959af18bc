// SPDX-License-Identifier: Apache-2.0

import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import {
  describeReply,
  encodeName,
  listVersions,
  openProbeClient,
  type ProbeClient,
  readObject,
  tarballPath,
  until,
} from '../probe-client.ts'
import { findProbeUpstream } from '../probe-upstream.ts'

const corgi = 'application/vnd.npm.install-v1+json'
const good = '1.0.0'
const bad = '1.0.1'

/** A quarantined version is hidden on every path that shows or serves one, and the older one takes its tags. */
export const oneGate: Probe = { capability: 'beyond-one-gate', run }

/** One way to look at a package: the versions somebody sees there. */
type Path = readonly [what: string, look: (client: ProbeClient, name: string) => Promise<readonly string[]>]

/** Where a package is read, wherever it comes from. */
const commonPaths: readonly Path[] = [
  ['the full packument', (client, name) => listVersions(client, name)],
  ['the abbreviated packument', (client, name) => listVersions(client, name, corgi)],
  ['the tags in the packument', (client, name) => listTags(client, name, 'application/json')],
  ['the tags in the abbreviated packument', (client, name) => listTags(client, name, corgi)],
  ['the list of tags', listTagEndpoint],
  [
    'the version endpoint',
    (client, name) =>
      listAnswering(
        client,
        [good, bad].map(it => manifestPath(name, it)),
      ),
  ],
  ['the tag latest', readLatest],
  [
    'the tarballs',
    (client, name) =>
      listAnswering(
        client,
        [good, bad].map(it => tarballPath(name, it)),
      ),
  ],
]

const hostedPaths: readonly Path[] = [
  ...commonPaths,
  ['the packument for writing', (client, name) => listVersions(client, `${name}?write=true`, '*/*')],
  ['search', listFound],
]

async function run(instance: ProbeInstance): Promise<Evidence> {
  const client = await openProbeClient(instance)
  const name = client.nameOf(`gated`)
  for (const version of [good, bad]) {
    const reply = await client.publish({ name, version })
    demand(reply.status < 300, `publishing must work, and answers ${describeReply(reply)}`)
  }
  await showGate(instance, client, name, hostedPaths)
  await showUpstream(instance)
  return [
    `these agree on a live and on a quarantined version: ${hostedPaths.map(([what]) => what).join(', ')}`,
    `of a package that comes from an upstream these agree: ${commonPaths.map(([what]) => what).join(', ')}`,
  ]
}

async function showUpstream(instance: ProbeInstance): Promise<void> {
  const upstream = await findProbeUpstream()
  const other = await instance.startOther(upstream.settings)
  const name = upstream.nameOf('gated')
  for (const version of [good, bad]) upstream.publish({ name, version })
  await showGate(other, await openProbeClient(other), name, commonPaths)
}

async function showGate(
  instance: ProbeInstance,
  client: ProbeClient,
  name: string,
  paths: readonly Path[],
): Promise<void> {
  for (const [what, look] of paths) {
    await until(async () => (await look(client, name)).includes(bad), `${what} must show a live version`)
  }
  await instance.operate('quarantine', `${name}@${bad}`, '--reason', 'malware')
  for (const [what, look] of paths) {
    await until(
      async () => !(await look(client, name)).includes(bad),
      `${what} must hide a quarantined version`,
    )
    demand(
      (await look(client, name)).includes(good),
      `${what} must still show the version that is not quarantined`,
    )
  }
  const tarball = await client.ask('GET', tarballPath(name, bad))
  demand(tarball.status === 403, `the tarball must answer 403 with the reason, not ${describeReply(tarball)}`)
}

async function readDocument(
  client: ProbeClient,
  name: string,
  accept: string,
): Promise<Record<string, unknown>> {
  return readObject(await client.ask('GET', `/npm/${encodeName(name)}`, { accept }), 'the packument')
}

async function listTags(client: ProbeClient, name: string, accept: string): Promise<string[]> {
  return Object.values((await readDocument(client, name, accept))['dist-tags'] ?? {})
}

async function listTagEndpoint(client: ProbeClient, name: string): Promise<string[]> {
  const reply = await client.ask('GET', `/npm/-/package/${encodeName(name)}/dist-tags`)
  return Object.values(readObject(reply, 'the list of tags')).map(String)
}

async function readLatest(client: ProbeClient, name: string): Promise<string[]> {
  const reply = await client.ask('GET', manifestPath(name, 'latest'))
  return [String(readObject(reply, 'the tag latest')['version'])]
}

/** Those versions whose path is answered with 200. */
async function listAnswering(client: ProbeClient, [forGood = '', forBad = '']: string[]): Promise<string[]> {
  const replies = await Promise.all([client.ask('GET', forGood), client.ask('GET', forBad)])
  return [good, bad].filter((_, index) => replies[index]?.status === 200)
}

async function listFound(client: ProbeClient, name: string): Promise<string[]> {
  const reply = await client.ask('GET', `/npm/-/v1/search?text=${encodeURIComponent(name)}&size=20`)
  const objects = readObject(reply, 'search')['objects']
  demand(Array.isArray(objects), 'search must answer with a list of objects')
  return objects.filter(found => found?.package?.name === name).map(found => String(found.package.version))
}

function manifestPath(name: string, version: string): string {
  return `/npm/${encodeName(name)}/${version}`
}
