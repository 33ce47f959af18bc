// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { tellAdvisories } from '../probe-advisory.ts'
import { describeReply, openProbeClient, type ProbeClient } from '../probe-client.ts'

/** What each client asks when it installs or audits is answered with what is known, and with nothing else. */
export const warnings: Probe = { capability: 'cli-2-warn', run }

const flawed = '1.0.0'
const mended = '1.0.1'
const bulk = '/npm/-/npm/v1/security/advisories/bulk'

type Json = Readonly<Record<string, unknown>>

async function run(instance: ProbeInstance): Promise<Evidence> {
  const client = await openProbeClient(instance)
  const name = client.nameOf('flawed')
  await tellAdvisories(instance, [{ name, introduced: flawed, fixed: mended, publishedAt: Date.now() }])
  await showBulk(client, name)
  await showTrees(client, name)
  return [
    'the bulk question of npm, pnpm, yarn and bun is answered with the flaw, its versions and what mends it',
    'the tree that older clients send is answered with a report that counts it',
    'versions and packages that nothing is known against are not named',
  ]
}

async function showBulk(client: ProbeClient, name: string): Promise<void> {
  const other = client.nameOf('fine')
  const told = await post(client, bulk, { [name]: [flawed], [other]: ['1.0.0'] })
  const [entry] = (told[name] ?? []) as readonly Json[]
  demand(entry !== undefined, 'npm audit must be told of the flaw')
  demand(typeof entry['id'] === 'number', 'pnpm takes no advisory whose id is no number')
  demand(
    ['url', 'title', 'severity'].every(member => typeof entry[member] === 'string' && entry[member] !== ''),
    'an advisory must say what it is, how bad, and where to read more',
  )
  demand(
    entry['vulnerable_versions'] === `>=${flawed} <${mended}`,
    `an advisory must name its versions: ${entry['vulnerable_versions']}`,
  )
  demand(entry['patched_versions'] === `>=${mended}`, 'an advisory must say what mends it')
  demand(told[other] === undefined, 'a package that nothing is known against must not be named')
  demand(
    Object.keys(await post(client, bulk, { [name]: [mended] })).length === 0,
    'a version that is mended must not be named',
  )
}

async function showTrees(client: ProbeClient, name: string): Promise<void> {
  const tree = (version: string) => ({
    name: 'app',
    dependencies: { app: { version: '1.0.0', dependencies: { [name]: { version } } } },
  })
  for (const path of ['/npm/-/npm/v1/security/audits/quick', '/npm/-/npm/v1/security/audits']) {
    const [found] = Object.values((await post(client, path, tree(flawed)))['advisories'] ?? {}) as Json[]
    demand(found?.['module_name'] === name, 'older clients must be told of the flaw')
    const clean = await post(client, path, tree(mended))
    demand(Object.keys(clean['advisories'] ?? {}).length === 0, 'older clients must be told of nothing else')
  }
}

async function post(client: ProbeClient, path: string, body: Json): Promise<Json> {
  const reply = await client.ask('POST', path, { body: JSON.stringify(body) })
  demand(reply.status === 200, `${path} must be answered: ${describeReply(reply)}`)
  return JSON.parse(reply.body.toString()) as Json
}
