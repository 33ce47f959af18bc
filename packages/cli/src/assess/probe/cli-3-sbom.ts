// SPDX-License-Identifier: Apache-2.0
import { parseIntegrity } from '@holdfast/core'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { describeReply, encodeName, openProbeClient, readObject } from '../probe-client.ts'
import { integrityOf, openProbeProject, type ProbeProject, writeNpmLock } from '../probe-project.ts'

/** What a project is made of can be told in both formats that are read elsewhere, the same way each time. */
export const sbom: Probe = { capability: 'cli-3-sbom', run }

interface CycloneDx {
  readonly bomFormat: string
  readonly specVersion: string
  readonly components: readonly {
    readonly 'bom-ref': string
    readonly name: string
    readonly hashes?: readonly { readonly content: string }[]
    readonly licenses?: readonly { readonly expression?: string }[]
  }[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
}

interface Spdx {
  readonly spdxVersion: string
  readonly packages: readonly {
    readonly name: string
    readonly checksums?: readonly { readonly checksumValue: string }[]
  }[]
  readonly relationships: readonly { readonly relationshipType: string }[]
}

async function run(instance: ProbeInstance): Promise<Evidence> {
  const client = await openProbeClient(instance)
  const deep = { name: client.nameOf('deep'), version: '1.0.0' }
  const top = { name: client.nameOf('top'), version: '1.0.0', dependencies: { [deep.name]: '^1.0.0' } }
  for (const each of [deep, top]) {
    const reply = await client.publish(each)
    demand(reply.status < 300, `publishing must work, and answers ${describeReply(reply)}`)
  }
  const document = readObject(await client.ask('GET', `/npm/${encodeName(deep.name)}/1.0.0`), 'the manifest')
  const { integrity } = document['dist'] as { readonly integrity: string }
  demand(integrity === integrityOf(deep), 'the registry must tell the digest of the published bytes')
  const project = await openProbeProject(instance, client)
  try {
    const manifest = { name: 'probe', version: '1.0.0', dependencies: { [top.name]: '^1.0.0' } }
    await project.write('package.json', JSON.stringify(manifest))
    // Without digests, so that the registry has to tell them.
    await project.write(
      'package-lock.json',
      writeNpmLock(instance, manifest, [top, deep]).replace(/"integrity": "[^"]+",?/g, ''),
    )
    await showCycloneDx(project, integrity)
    await showSpdx(project, integrity)
  } finally {
    await project.remove()
  }
  return [
    'CycloneDX 1.6 and SPDX 2.3 with the sha512 that the registry tells, licences, and who needs what',
    'the same text twice',
  ]
}

async function print(project: ProbeProject, format: string): Promise<string> {
  const [first, again] = [
    await project.holdfast('sbom', '--format', format),
    await project.holdfast('sbom', '--format', format),
  ]
  demand(first.code === 0, `a bill in ${format} must be printed: ${first.said}`)
  demand(first.out === again.out, `the bill in ${format} must be the same twice`)
  return first.out
}

async function showCycloneDx(project: ProbeProject, integrity: string): Promise<void> {
  const bill = JSON.parse(await print(project, 'cyclonedx')) as CycloneDx
  demand(bill.bomFormat === 'CycloneDX' && bill.specVersion === '1.6', 'the bill must be CycloneDX 1.6')
  const deep = bill.components.find(({ name }) => name === 'deep')
  const top = bill.components.find(({ name }) => name === 'top')
  demand(deep !== undefined && top !== undefined, 'both packages must be in the bill')
  demand(
    deep.hashes?.[0]?.content === parseIntegrity(integrity),
    'the bill must have the sha512 of the published bytes',
  )
  demand(deep.licenses?.[0]?.expression === 'MIT', 'the bill must have the licence')
  const needs = bill.dependencies.find(({ ref }) => ref === top['bom-ref'])?.dependsOn ?? []
  demand(needs.includes(deep['bom-ref']), 'the bill must say who needs what')
}

async function showSpdx(project: ProbeProject, integrity: string): Promise<void> {
  const bill = JSON.parse(await print(project, 'spdx')) as Spdx
  demand(
    bill.spdxVersion === 'SPDX-2.3' && bill.packages.length === 3,
    'the bill must be SPDX 2.3 with three packages',
  )
  const sums = bill.packages.flatMap(({ checksums = [] }) => checksums.map(each => each.checksumValue))
  demand(
    sums.includes(parseIntegrity(integrity) ?? ''),
    'the bill must have the sha512 of the published bytes',
  )
  demand(
    bill.relationships.filter(({ relationshipType }) => relationshipType === 'DEPENDS_ON').length === 2,
    'the bill must say who needs what',
  )
}
