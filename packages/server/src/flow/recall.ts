// SPDX-License-Identifier: Apache-2.0
/** A version of an upstream that is closed for what its bytes told when they came in. */
import type { PackageName, Version } from '@holdfast/core'
import type { InsideWords } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { openCase, tellOfCase } from './case.ts'

/** Why nobody gets a version, and whether somebody may have it already. */
export interface Recall {
  readonly reason: string
  readonly isOut: boolean
}

/**
 * What closes a version: of a young one everything that is wrong with its tarball, of an old one that its registry says something
 * else of it than its package.json; undefined when nothing does. Old tarballs are odd in many ways that did no harm so far.
 */
export function findRecall({ fault, disagreement }: InsideWords, isYoung: boolean): Recall | undefined {
  if (disagreement !== '')
    return { reason: `its registry says something else of it: ${disagreement}`, isOut: !isYoung }
  return fault !== '' && isYoung ? { reason: `its tarball is refused: ${fault}`, isOut: false } : undefined
}

/** Holds it, inside the commit that records its bytes; where they went out already, a case says who has them. */
export async function recall(
  tx: Tx,
  ports: Pick<Ports, 'config' | 'clock'>,
  name: PackageName,
  version: Version,
  { reason, isOut }: Recall,
): Promise<void> {
  const at = ports.clock()
  await tx.upstream.setMeasure(name, version, { package: name, version, status: 'held', reason, at })
  const fields = { reason: 'security' }
  tx.record({ type: 'hold', pkg: name, ver: version, fields, detail: { words: reason } })
  if (!isOut) return
  const title = `${name} is not what its registry says of it`
  const { id, isNews } = await openCase(tx, 'upstream', at, {
    kind: 'upstream-fault',
    title,
    severity: 'high',
    subjects: [{ package: name, version }],
    words: `${version}: ${reason}`,
  })
  if (isNews)
    await tellOfCase(tx, ports, title, id, [
      `${name}@${version}: ${reason}.`,
      '',
      'It is held here: nobody gets it any more until somebody looked. It went out while it came in.',
    ])
}
