// SPDX-License-Identifier: Apache-2.0
/** How much a build's provenance can be relied on, in the words of SLSA's build track (v1.0). */
import type { BuildFacts } from './provenance.ts'

/** A level of the build track, and what makes it that one. */
export interface SlsaLevel {
  readonly level: 0 | 1 | 2 | 3
  readonly why: string
}

const hostedRunners: ReadonlySet<string> = new Set(['github-hosted', 'gitlab-hosted'])
/** Workflows that keep what signs away from what builds. */
const isolatedBuilders: readonly string[] = [
  'https://github.com/slsa-framework/slsa-github-generator/.github/workflows/builder_nodejs_slsa3.yml',
]

/** The level of a version; undefined is a version without provenance that was verified. */
export function readSlsa(build: BuildFacts | undefined): SlsaLevel {
  if (build === undefined) return { level: 0, why: 'no provenance was verified' }
  if (!hostedRunners.has(build.runner))
    return { level: 1, why: 'it was not built on the CI provider’s own machines' }
  if (isolatedBuilders.some(each => build.builder.startsWith(`${each}@refs/tags/`)))
    return { level: 3, why: 'an isolated builder on the CI provider’s own machines made it' }
  return {
    level: 2,
    why: 'the CI provider’s own machines built it; the job itself wrote what it says of its steps',
  }
}
