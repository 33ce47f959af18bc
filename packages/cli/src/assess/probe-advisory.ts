// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProbeInstance } from './probe.ts'

/** What becomes known against a package. */
export interface KnownFlaw {
  readonly name: string
  /** The first version that has it; every version where none is given. */
  readonly introduced?: string
  /** The first version that is mended, where there is one. */
  readonly fixed?: string
  readonly isMalware?: boolean
  /** Milliseconds since the epoch. */
  readonly publishedAt: number
}

/** Gives the instance advisories in OSV format, as its operator does with what a feed brings; changed just now. */
export async function tellAdvisories(instance: ProbeInstance, flaws: readonly KnownFlaw[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-probe-'))
  try {
    const file = join(folder, 'advisories.json')
    await writeFile(file, JSON.stringify(flaws.map(formatOsv)))
    await instance.operate('advisories', file)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The id under which an instance hears of a flaw. */
export function advisoryId({ name, isMalware }: Pick<KnownFlaw, 'name' | 'isMalware'>): string {
  return `${isMalware ? 'MAL' : 'PROBE'}-${name.replace('@', '').replace(/[^a-z0-9.-]+/gi, '-')}`
}

function formatOsv(flaw: KnownFlaw): object {
  const { name, introduced = '0', fixed, publishedAt } = flaw
  const events = [{ introduced }, ...(fixed === undefined ? [] : [{ fixed }])]
  return {
    id: advisoryId(flaw),
    summary: 'Told by a probe',
    published: new Date(publishedAt).toISOString(),
    modified: new Date().toISOString(),
    affected: [{ package: { ecosystem: 'npm', name }, ranges: [{ type: 'SEMVER', events }] }],
  }
}
