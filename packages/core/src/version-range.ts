// SPDX-License-Identifier: Apache-2.0
import { compareVersions, parseVersion, type Version } from './version.ts'

/**
 * Versions in one word, as advisories and rules write them: comparators that must all hold (`>=1.0.0 <1.2.3`), several such
 * groups parted by `||`, a version alone for itself, `*` for all. Prereleases stand where semver orders them:
 * `1.0.0-beta` is below `1.0.0`.
 */
export type VersionRange = (version: Version) => boolean

/** Turns hostile input into a range; undefined where it is none. */
export function readVersionRange(input: string): VersionRange | undefined {
  if (input.length > maxRangeLength) return undefined
  const groups = input.split('||').map(readGroup)
  if (groups.includes(undefined)) return undefined
  return version => groups.some(group => group?.every(holds => holds(version)))
}

/** The longest text that is read as a range: 50,000 spans. */
export const maxRangeLength = 2_000_000

function readGroup(text: string): readonly VersionRange[] | undefined {
  const words = text
    .replace(/([<>=])\s+/g, '$1')
    .trim()
    .split(/\s+/)
  if (words.length === 1 && words[0] === '*') return []
  const read = words.map(readComparator)
  return read.includes(undefined) ? undefined : (read as VersionRange[])
}

function readComparator(word: string): VersionRange | undefined {
  const [, sign = '', text] = /^(>=|<=|>|<|=|)(.+)$/.exec(word) ?? []
  const bound = findVersion(text)
  if (bound === undefined) return undefined
  switch (sign) {
    case '>=':
      return version => compareVersions(version, bound) >= 0
    case '<=':
      return version => compareVersions(version, bound) <= 0
    case '>':
      return version => compareVersions(version, bound) > 0
    case '<':
      return version => compareVersions(version, bound) < 0
    default:
      return version => compareVersions(version, bound) === 0
  }
}

function findVersion(text: string | undefined): Version | undefined {
  try {
    return parseVersion(text)
  } catch {
    return undefined
  }
}
