// SPDX-License-Identifier: Apache-2.0
import { type Problem, problem } from '@holdfast/core'

/** Why a tarball is refused, as a word that policies and tests can compare. */
export type TarballFault =
  | 'bad-header'
  | 'bad-manifest'
  | 'bad-path'
  | 'bad-pax'
  | 'bomb'
  | 'duplicate-path'
  | 'hidden-bytes'
  | 'link'
  | 'no-manifest'
  | 'not-gzip'
  | 'outside-top-folder'
  | 'special-file'
  | 'too-large'
  | 'too-many-entries'
  | 'truncated'
  | 'twin-path'
  | 'unknown-type'

/** The problem `bad-tarball` with its reason twice: `fault` for machines, `why` for people. */
export function refuseTarball(fault: TarballFault, why: string): Problem {
  return problem('bad-tarball', { fault, why })
}
