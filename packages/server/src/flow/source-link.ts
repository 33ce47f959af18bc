// SPDX-License-Identifier: Apache-2.0
/** Whether the repositories that versions were built from are still there: who reads a package wants to read its source. */
import { isProblem } from '@holdfast/core'
import type { Ports, SourceLink } from '../ports.ts'

const weekMs = 7 * 24 * 3600_000
const aRound = 5

/** Asks a few repositories that nobody asked for a week, where the operator wants that. */
export async function recheckSources(
  ports: Pick<Ports, 'config' | 'store' | 'outbound' | 'clock'>,
): Promise<void> {
  const { config, store, clock } = ports
  if (config.recheckSources === 'off') return
  for (const link of await store.sourceLinks.listDue(clock() - weekMs, aRound)) {
    const isThere = await ask(ports, link)
    const goneSince = isThere === undefined ? link.goneSince : isThere ? null : (link.goneSince ?? clock())
    await store.sourceLinks.note({ ...link, checkedAt: clock(), goneSince })
  }
}

/** Undefined where nobody can say: a host that is down took nothing away. */
async function ask(
  { outbound }: Pick<Ports, 'outbound'>,
  { repository }: SourceLink,
): Promise<boolean | undefined> {
  // The certificate says it, and whoever runs a private authority says what that may be.
  if (!URL.canParse(repository) || new URL(repository).protocol !== 'https:') return undefined
  try {
    const { status } = await outbound.ask({ url: repository, method: 'HEAD' })
    if (status === 404 || status === 410) return false
    // A repository that moved is there, and says where.
    return status < 400 ? true : undefined
  } catch (error) {
    if (!isProblem(error)) throw error
    return undefined
  }
}
