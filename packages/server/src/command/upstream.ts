// SPDX-License-Identifier: Apache-2.0
/** `holdfast operator check-upstream` and `check-names`: what upstreams did, looked at now instead of when it is due. */
import { type PackageName, parsePackageName } from '@holdfast/core'
import { originOf } from '../catalog/index.ts'
import { askUpstreams, followNames } from '../flow/index.ts'
import type { Ports } from '../main.ts'
import { type Arguments, UsageError } from './usage.ts'

/** Asks upstreams about packages; what they withdrew is contained. Prints what was decided about versions of these. */
export async function checkUpstreamAct(
  ports: Ports,
  _: Arguments,
  words: readonly string[],
): Promise<string> {
  if (words.length === 0) throw new UsageError('Name the packages of which their upstream is asked.')
  const hosted = await ports.store.catalog.listHosted()
  const lines: string[] = []
  for (const name of words.map(parsePackageName)) {
    const origin = originOf(name, hosted, ports.routes)
    if (origin === undefined || origin === 'hosted')
      throw new UsageError(`${name} comes from no upstream: nobody is asked about it.`)
    await ports.mirrors.refresh(name, origin)
    lines.push(...(await listDecided(ports, name)))
  }
  return lines.join('\n')
}

async function listDecided({ store }: Ports, name: PackageName): Promise<string[]> {
  const measures = await store.mirrors.listMeasures(name)
  return measures.map(({ version, status, reason }) => `${name}@${version}\t${status}\t${reason}`)
}

/** Looks whether private names appeared upstream, and prints all that ever did. */
export async function checkNamesAct(ports: Ports): Promise<string> {
  if (ports.nameSources.length === 0 && ports.config.askUpstreamsAbout.length === 0)
    throw new UsageError('Configure `upstreamNames` first: nobody looks at the names of upstreams yet.')
  await followNames(ports)
  await askUpstreams(ports)
  return (await ports.store.incident.listSubjects('private-name')).join('\n')
}
