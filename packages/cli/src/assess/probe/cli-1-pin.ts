// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { describeReply, openProbeClient } from '../probe-client.ts'
import { integrityOf, openProbeProject, type ProbeProject } from '../probe-project.ts'
import type { SamplePackage } from '../sample-package.ts'

/** What a lock file names is bound by version and digest, and what is not, or is bound to something else, is found. */
export const pinned: Probe = { capability: 'cli-1-pin', run }

/** Lock files of each manager that name one version, with its digest and where it comes from. */
type WriteLock = (name: string, integrity: string | undefined, address: string | undefined) => string
const managers: Readonly<Record<string, WriteLock>> = {
  'package-lock.json': (name, integrity, resolved) =>
    JSON.stringify({
      lockfileVersion: 3,
      packages: { [`node_modules/${name}`]: { version: '1.0.0', integrity, resolved } },
    }),
  'pnpm-lock.yaml': (name, integrity, address) => {
    const parts = [integrity && `integrity: ${integrity}`, address && `tarball: ${address}`].filter(Boolean)
    return `lockfileVersion: '9.0'\n\npackages:\n\n  '${name}@1.0.0':\n    resolution: {${parts.join(', ')}}\n`
  },
  'yarn.lock': (name, integrity, address) =>
    `# yarn lockfile v1\n\n\n"${name}@^1.0.0":\n  version "1.0.0"\n${address ? `  resolved "${address}"\n` : ''}${integrity ? `  integrity ${integrity}\n` : ''}`,
  'bun.lock': (name, integrity, address) =>
    `{\n  "lockfileVersion": 1,\n  "workspaces": {\n    "": {},\n  },\n  "packages": {\n    "${name}": ["${name}@1.0.0", "${address ?? ''}", {}${integrity ? `, "${integrity}"` : ''}],\n  }\n}\n`,
}

async function run(instance: ProbeInstance): Promise<Evidence> {
  const client = await openProbeClient(instance)
  const sample = { name: client.nameOf('pinned'), version: '1.0.0' }
  const reply = await client.publish(sample)
  demand(reply.status < 300, `publishing must work, and answers ${describeReply(reply)}`)
  const project = await openProbeProject(instance, client)
  try {
    await trust(project, instance.url)
    for (const [file, write] of Object.entries(managers)) await showManager(project, file, write, sample)
  } finally {
    await project.remove()
  }
  return [
    `verified by version and digest from the lock files ${Object.keys(managers).join(', ')}`,
    'found in each of them: another digest, none at all, an address over plain http',
  ]
}

async function trust(project: ProbeProject, url: string): Promise<void> {
  const asked = await project.holdfast('trust', 'init', url)
  const digest = /\b[0-9a-f]{64}\b/.exec(asked.said)?.[0] ?? ''
  const pinned = await project.holdfast('trust', 'init', url, '--root-sha256', digest)
  demand(pinned.code === 0, `the instance must say whom to believe about its log: ${pinned.said}`)
}

async function showManager(
  project: ProbeProject,
  file: string,
  write: WriteLock,
  sample: SamplePackage,
): Promise<void> {
  const { name } = sample
  const integrity = integrityOf(sample)
  const verify = async (...given: Parameters<WriteLock>) => {
    await project.write(file, write(...given))
    return project.holdfast('verify', file)
  }
  const right = await verify(name, integrity, undefined)
  demand(right.code === 0, `${file} names what was published, and must verify: ${right.said}`)
  const other = integrityOf({ ...sample, content: 'other' })
  const drifted = await verify(name, other, undefined)
  demand(drifted.code === 1, `another digest in ${file} must be found: ${drifted.said}`)
  const unpinned = await verify(name, undefined, undefined)
  demand(unpinned.code === 1, `an entry of ${file} without a digest must be found: ${unpinned.said}`)
  const strayed = await verify(name, integrity, 'http://elsewhere.example/x.tgz')
  demand(strayed.code === 1, `an address over plain http in ${file} must be found: ${strayed.said}`)
}
