// SPDX-License-Identifier: Apache-2.0
/** How a hold ends, inside the commit of the measure that ends it. */
import type { PackageName, Version } from '@holdfast/core'
import { type Actor, actorId } from '../identity/index.ts'
import { defaultInspectLimits, inspectTarball } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { adviseMalware, clearMalware } from './advisory-writing.ts'
import { openCase } from './case.ts'
import { endUndecided } from './hold-clock.ts'
import { addLetters, hostOf } from './letter.ts'
import { aboutPackage } from './manifest.ts'
import { readForScreening } from './screen.ts'
import { listOwners } from './trust.ts'

/** Whatever way a held version is released or quarantined, its hold ends with that, and a quarantine has a case. */
export async function settleHold(
  tx: Tx,
  ports: Pick<Ports, 'clock' | 'config' | 'store'>,
  actor: Actor,
  { name, version }: { readonly name: PackageName; readonly version: Version },
  measure: 'quarantine' | 'release',
  words: string,
): Promise<void> {
  const [at, by] = [ports.clock(), actorId(actor)]
  const state = measure === 'release' ? 'released' : 'confirmed'
  if (measure === 'release') await clearMalware(tx, ports, { name, versions: [version], words })
  if (!(await tx.screening.settle(name, version, state, by, at, words))) return
  await tellOwners(tx, ports, `${name}@${version}`, name, measure, words)
  if (measure === 'release') return endUndecided(tx, name, by, at)
  await adviseMalware(tx, ports, { name, versions: [version], words })
  // Also where its case said that nobody decided: that goes on as this one.
  await openCase(tx, by, at, {
    kind: 'malware',
    title: `${name} is malware`,
    severity: 'critical',
    subjects: [{ package: name, version }],
    words: `${version} was held, and a responder confirmed it: ${words}`,
  })
}

/** Whoever published it heard that it waits, and hears how that ended. */
async function tellOwners(
  tx: Tx,
  { config }: Pick<Ports, 'config'>,
  what: string,
  name: PackageName,
  measure: 'quarantine' | 'release',
  words: string,
): Promise<void> {
  const owners = await listOwners(tx, name)
  const how = measure === 'release' ? 'was released' : 'stays closed: a responder found it to be malware'
  const lines = [
    `${what} was held for a look, and ${how}.`,
    ...(words === '' ? [] : ['', `In the words of whoever decided: ${words}`]),
    '',
    `${config.publicUrl}/package/npm/${name}`,
  ]
  const to = owners.map(each => each.email)
  await addLetters(
    tx,
    to,
    `${what} ${measure === 'release' ? 'was released' : 'stays closed'} – ${hostOf(config.publicUrl)}`,
    lines,
  )
}

/** What a version that was held from its first moment says of its package, for when it is let go; read before the commit. */
export async function readAbout(
  ports: Ports,
  name: PackageName,
  version: Version,
): Promise<ReturnType<typeof aboutPackage> | undefined> {
  const found = await ports.store.catalog.findVersion(name, version)
  if (found?.status !== 'held') return undefined
  const bytes = await readForScreening(ports, found.digest)
  const limits = { ...defaultInspectLimits, maxInflatedBytes: ports.config.maxUnpackedBytes, maxTokens: 0 }
  const isReadable = bytes !== undefined && bytes !== 'large'
  const readme = isReadable ? (await inspectTarball(bytes, limits)).readme : undefined
  return aboutPackage(JSON.parse(found.manifest) as Record<string, unknown>, readme ?? '')
}
