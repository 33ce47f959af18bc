// SPDX-License-Identifier: Apache-2.0
/**
 * The facts of a mirror's versions as they are kept: JSON, in which a list of dependencies that an earlier version has too is the
 * place of that version. Most versions of a package depend on the same names: of 5,000 with a hundred each the text would have
 * 9 MB, nearly all of it the same, and as many strings as often as it is read.
 */
import type { UpstreamVersion } from '../../catalog/index.ts'

type Kept = Omit<UpstreamVersion, 'dependencies'> & { readonly dependencies: readonly string[] | number }

export function formatFacts(versions: readonly UpstreamVersion[]): string {
  const places = new Map<string, number>()
  const byList = new Map<readonly string[], number>()
  const kept = versions.map(({ dependencies, ...rest }, index): Kept => {
    const known = byList.get(dependencies) ?? places.get(dependencies.join('\n'))
    if (known !== undefined) byList.set(dependencies, known)
    if (known !== undefined && dependencies.length > 0) return { ...rest, dependencies: known }
    places.set(dependencies.join('\n'), index)
    byList.set(dependencies, index)
    return { ...rest, dependencies }
  })
  return JSON.stringify(kept)
}

export function parseFacts(text: string): readonly UpstreamVersion[] {
  const found: UpstreamVersion[] = []
  for (const kept of JSON.parse(text) as readonly Kept[]) {
    const { dependencies } = kept
    const list = typeof dependencies === 'number' ? (found[dependencies]?.dependencies ?? []) : dependencies
    found.push({ ...kept, dependencies: list })
  }
  return found
}
