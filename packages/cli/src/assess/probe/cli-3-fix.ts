// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { tellAdvisories } from '../probe-advisory.ts'
import { describeReply, openProbeClient, until } from '../probe-client.ts'
import { openProbeProject, type ProbeProject, writeNpmLock } from '../probe-project.ts'

/** A vulnerable dependency, also a transitive one, is lifted by the smallest allowed step, and not at the price of the tests. */
export const fix: Probe = { capability: 'cli-3-fix', run }

const bulk = '/npm/-/npm/v1/security/advisories/bulk'

async function run(instance: ProbeInstance): Promise<Evidence> {
  const client = await openProbeClient(instance)
  const [deep, stuck, pinned] = [client.nameOf('deep'), client.nameOf('stuck'), client.nameOf('pinned')]
  const top = { name: client.nameOf('top'), version: '1.0.0', dependencies: { [deep]: '^1.0.0' } }
  const holder = { name: stuck, version: '1.0.0', dependencies: { [pinned]: '1.0.0' } }
  const newer = ['1.0.1', '1.1.0'].flatMap(version => [
    { name: deep, version },
    { name: pinned, version },
  ])
  const old = [
    { name: deep, version: '1.0.0' },
    { name: pinned, version: '1.0.0' },
  ]
  for (const each of [...old, ...newer, top, holder]) {
    const reply = await client.publish(each)
    demand(reply.status < 300, `publishing must work, and answers ${describeReply(reply)}`)
  }
  const publishedAt = Date.now()
  await tellAdvisories(instance, [
    { name: deep, fixed: '1.0.1', publishedAt },
    { name: pinned, fixed: '1.0.1', publishedAt },
  ])
  const project = await openProbeProject(instance, client)
  try {
    const manifest = {
      name: 'probe',
      version: '1.0.0',
      dependencies: { [top.name]: '^1.0.0', [stuck]: '^1.0.0' },
    }
    const text = `${JSON.stringify(manifest, null, 4)}\n`
    await project.write('package.json', text)
    await project.write('package-lock.json', writeNpmLock(instance, manifest, [top, holder, ...old]))
    const body = JSON.stringify({ [deep]: ['1.0.0'] })
    await until(
      async () => (await client.ask('POST', bulk, { body })).body.includes('vulnerable_versions'),
      'the audit must tell what is known',
    )
    const audit = await project.holdfast('audit')
    demand(audit.code === 1, `the audit must end with 1 where something is known: ${audit.said}`)
    await showBackOut(project)
    await showMended(project, deep, pinned)
  } finally {
    await project.remove()
  }
  return [
    'npm lifted a transitive dependency to 1.0.1 within what is allowed, although 1.1.0 is there, and one that nobody allows by an override',
    'a step whose test failed was taken back byte for byte; after the others the audit has nothing left',
  ]
}

async function showBackOut(project: ProbeProject): Promise<void> {
  const read = () => Promise.all([project.read('package.json'), project.read('package-lock.json')])
  const before = await read()
  const failed = await project.holdfast('fix', '--yes', '--test', 'exit 3')
  demand(failed.code === 1, `what a test fails must be told: ${failed.said}`)
  demand((await read()).join() === before.join(), 'what a test fails must be taken back byte for byte')
}

async function showMended(project: ProbeProject, deep: string, pinned: string): Promise<void> {
  const mended = await project.holdfast('fix', '--yes', '--test', 'node -e 0')
  demand(mended.code === 0, `everything must be mended: ${mended.said}`)
  const lock = JSON.parse(await project.read('package-lock.json')) as {
    packages: Readonly<Record<string, { readonly version?: string }>>
  }
  for (const name of [deep, pinned]) {
    const version = lock.packages[`node_modules/${name}`]?.version
    demand(version === '1.0.1', `the smallest step must be taken, and ${name} is ${version}`)
  }
  demand(
    /\n {4}"overrides": \{\n {8}"/.test(await project.read('package.json')),
    'the manifest must keep its indentation',
  )
  const after = await project.holdfast('audit')
  demand(after.code === 0, `the audit must have nothing left: ${after.said}`)
}
