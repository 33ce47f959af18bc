// SPDX-License-Identifier: Apache-2.0
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { advisoryId, tellAdvisories } from '../probe-advisory.ts'
import {
  describeReply,
  encodeName,
  openProbeClient,
  type ProbeClient,
  readObject,
  tarballPath,
  until,
} from '../probe-client.ts'
import { openProbeProject, type ProbeProject } from '../probe-project.ts'

/** A signed bundle carries versions, proofs and advisories to an instance without a network; one that was changed stays out. */
export const airgap: Probe = { capability: 'beyond-airgap', run }

const signer = 'bundles.probe.example/1'
const version = '1.0.0'

async function run(instance: ProbeInstance): Promise<Evidence> {
  const client = await openProbeClient(instance)
  const [good, weak] = [client.nameOf('good'), client.nameOf('weak')]
  for (const name of [good, weak]) {
    const reply = await client.publish({ name, version, content: name })
    demand(reply.status < 300, `publishing must work, and answers ${describeReply(reply)}`)
  }
  await tellAdvisories(instance, [{ name: weak, publishedAt: Date.now() }])
  const project = await openProbeProject(instance, client)
  try {
    const keys = await makeBundle(project, instance, client, [good, weak])
    const island = await instance.startOther({})
    const there = await openProbeClient(island)
    const refusals = await showRefusals(project, island, keys)
    for (const name of [good, weak]) await showAbsent(there, name)
    await island.operate('bundle', join(project.folder, 'carry'), ...allow(keys), '--host-names')
    for (const name of [good, weak]) await showSameBytes(client, there, name)
    await showAdvisory(there, weak)
    return [
      'what was exported here is served by an instance that never asked this one: the same bytes, and what is known against them',
      `stayed out, with nothing taken in: ${refusals.join(', ')}`,
    ]
  } finally {
    await project.remove()
  }
}

/** Whom the other side believes. */
interface Keys {
  readonly bundle: string
  readonly log: readonly string[]
}

const allow = ({ bundle, log }: Keys) => ['--vkey', bundle, '--log-vkey', ...log]

async function makeBundle(
  project: ProbeProject,
  { url }: ProbeInstance,
  client: ProbeClient,
  names: readonly string[],
): Promise<Keys> {
  const must = async (what: string, ...words: string[]) => {
    const ran = await project.holdfast(...words)
    demand(ran.code === 0, `${what}: ${ran.said}`)
    return ran.out
  }
  const asked = await project.holdfast('trust', 'init', url)
  const digest = /\b[0-9a-f]{64}\b/.exec(asked.said)?.[0] ?? ''
  await must('the log must be pinned', 'trust', 'init', url, '--root-sha256', digest)
  const bundle = await must('a key must be made', 'pack', 'init', '--name', signer, '--key', 'bundle.pem')
  const specs = names.map(name => `${name}@${version}`)
  const line = ['bundle', 'carry', ...specs, '--name', signer, '--key', 'bundle.pem', '--registry', url]
  await must('versions that were published must be packed', ...line)
  const { vkeys } = readObject(await client.ask('GET', '/log/trust'), 'whom to believe about the log')
  return { bundle: bundle.trim(), log: vkeys as readonly string[] }
}

/** Each way in which a bundle can be wrong, tried on the other side; the bundle is whole again after each. */
async function showRefusals(
  project: ProbeProject,
  island: ProbeInstance,
  keys: Keys,
): Promise<readonly string[]> {
  const folder = join(project.folder, 'carry')
  const at = (file: string) => join(folder, file)
  const tryIn = async (what: string, believed: Keys) => {
    const words = ['bundle', folder, ...allow(believed), '--host-names']
    const isIn = await island.operate(...words).then(
      () => true,
      () => false,
    )
    demand(!isIn, `a bundle must be refused: ${what}`)
    return what
  }
  const swap = async (one: string, other: string) => {
    const [first, second] = [await readFile(at(one)), await readFile(at(other))]
    await writeFile(at(one), second)
    await writeFile(at(other), first)
  }
  const sign = () => project.holdfast('pack', 'sign', 'carry', '--name', signer, '--key', 'bundle.pem')
  await copyFile(at('PACK'), join(project.folder, 'PACK'))
  const refusals: string[] = []
  for (const file of ['1.tgz', 'advisories.zip']) {
    const bytes = await readFile(at(file))
    await writeFile(at(file), Buffer.concat([bytes, Buffer.from([0])]))
    refusals.push(await tryIn(`one byte more in ${file}`, keys))
    await writeFile(at(file), bytes)
  }
  const stranger = await project.holdfast('pack', 'init', '--name', signer, '--key', 'stranger.pem')
  refusals.push(await tryIn('signed by another key', { ...keys, bundle: stranger.out.trim() }))
  refusals.push(await tryIn('of a log that nobody here believes', { ...keys, log: [stranger.out.trim()] }))
  await swap('1.tgz', '2.tgz')
  await sign()
  refusals.push(await tryIn('rightly signed, but a tarball is not the one of its proof', keys))
  await swap('1.tgz', '2.tgz')
  await copyFile(join(project.folder, 'PACK'), at('PACK'))
  return refusals
}

async function showAbsent(there: ProbeClient, name: string): Promise<void> {
  const reply = await there.ask('GET', `/npm/${encodeName(name)}`)
  demand(
    reply.status === 404,
    `nothing of a bundle that was refused may be there, and ${name} answers ${describeReply(reply)}`,
  )
}

async function showSameBytes(here: ProbeClient, there: ProbeClient, name: string): Promise<void> {
  const ask = (client: ProbeClient) => client.ask('GET', tarballPath(name, version))
  await until(async () => (await ask(there)).status === 200, `${name} must be served on the other side`)
  const isSame = (await ask(there)).body.equals((await ask(here)).body)
  demand(isSame, `${name} must be the same bytes on the other side`)
}

async function showAdvisory(there: ProbeClient, name: string): Promise<void> {
  const id = advisoryId({ name })
  const body = JSON.stringify({ package: { ecosystem: 'npm', name }, version })
  const told = async () => (await there.ask('POST', '/osv/v1/query', { body })).body.includes(id)
  await until(told, `what is known against ${name} must be known on the other side`)
}
