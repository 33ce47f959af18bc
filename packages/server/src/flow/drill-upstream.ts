// SPDX-License-Identifier: Apache-2.0
/** The upstream that a drill plays: a registry of one package, which withdraws a version when the attack begins. */
import { createHash } from 'node:crypto'
import { drillKey, drillUpstreamScope, type PackageName, tarballFileName } from '@holdfast/core'
import type { Drill } from '../incident/index.ts'
import type { Ports } from '../ports.ts'
import { packSample } from './drill-sample.ts'

const dayMs = 24 * 3600_000
/** Older than any release age that people set: what is played is not its youth. */
const ages: Readonly<Record<string, number>> = { '1.0.0': 400 * dayMs, '1.0.1': 200 * dayMs }
const withdrawn = '1.0.1'

/** Below it lies what the drill's upstream says. */
export const drillUpstreamPath = '/api/v1/drill-upstream'

/** The package of the upstream of a drill. */
export function upstreamNameOf({ id }: Pick<Drill, 'id'>): PackageName {
  return `${drillUpstreamScope}/${drillKey(id)}` as PackageName
}

/** What it says of a package now; undefined where no drill plays it. */
export async function readDrillPackument(ports: Ports, name: string): Promise<unknown> {
  const drill = await findDrill(ports, name)
  if (drill === undefined) return undefined
  const shown = Object.keys(ages).filter(each => each !== withdrawn || drill.attackAt === null)
  const at = (version: string) => new Date(drill.startedAt - (ages[version] ?? 0)).toISOString()
  return {
    name,
    'dist-tags': { latest: shown.at(-1) },
    time: { created: at('1.0.0'), ...Object.fromEntries(shown.map(each => [each, at(each)])) },
    versions: Object.fromEntries(shown.map(each => [each, manifestOf(ports, drill, each)])),
  }
}

/** The bytes of one of its versions; undefined where no drill plays it. */
export async function readDrillTarball(
  ports: Ports,
  name: string,
  file: string,
): Promise<Uint8Array | undefined> {
  const drill = await findDrill(ports, name)
  const version = Object.keys(ages).find(each => file === tarballFileName(name as PackageName, each))
  return drill === undefined || version === undefined ? undefined : packSample({ name, version })
}

async function findDrill({ store }: Ports, name: string): Promise<Drill | undefined> {
  const drill = await store.drills.findOpen()
  return drill?.playbook === 'upstream-takedown' && upstreamNameOf(drill) === name ? drill : undefined
}

function manifestOf({ ownDoor }: Ports, drill: Drill, version: string) {
  const name = upstreamNameOf(drill)
  const integrity = createHash('sha512').update(packSample({ name, version })).digest('base64')
  const tarball = `${ownDoor.url}${drillUpstreamPath}/${name}/-/${tarballFileName(name, version)}`
  return { name, version, dist: { tarball, integrity: `sha512-${integrity}` } }
}
