// SPDX-License-Identifier: Apache-2.0

import { compareVersions, isPrerelease, parseVersion, type Version } from './version.ts'
import type { VersionRange } from './version-range.ts'

/**
 * What a `package.json` allows of a dependency, as npm reads it: `^1.2.3`, `~1.2`, `1.x`, `1.0 - 2.0`, `>=1 <3`, groups parted
 * by `||`. A prerelease fits only where a bound of its group is one of the same three numbers. Undefined where it is no range:
 * a tag, an address, an alias.
 */
export function readDependencyRange(input: string): VersionRange | undefined {
  if (input.length > 1000) return undefined
  const groups = input.split('||').map(group => readGroup(group.trim()))
  if (groups.includes(undefined)) return undefined
  return version => groups.some(group => group !== undefined && fits(group, version))
}

interface Bound {
  readonly sign: '>=' | '<' | '>' | '<=' | '='
  readonly version: Version
}

function fits(group: readonly Bound[], version: Version): boolean {
  if (!group.every(bound => holds(bound, version))) return false
  if (!isPrerelease(version)) return true
  const numbers = version.slice(0, version.indexOf('-'))
  return group.some(bound => isPrerelease(bound.version) && bound.version.startsWith(`${numbers}-`))
}

function holds({ sign, version: bound }: Bound, version: Version): boolean {
  const order = compareVersions(version, bound)
  switch (sign) {
    case '>=':
      return order >= 0
    case '>':
      return order > 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    default:
      return order === 0
  }
}

function readGroup(text: string): readonly Bound[] | undefined {
  if (text === '' || text === 'latest') return text === '' ? [] : undefined
  const [, from, to] = /^(\S+)\s+-\s+(\S+)$/.exec(text) ?? []
  if (from !== undefined && to !== undefined) return join(readPart('>=', from), readPart('<=', to))
  const words = text.replace(/([<>=~^])\s+/g, '$1').split(/\s+/)
  const bounds = words.map(word => {
    const [, sign = '', version = ''] = /^(>=|<=|>|<|=|\^|~>?|)v?(.*)$/.exec(word) ?? []
    return readPart(sign, version)
  })
  return bounds.includes(undefined) ? undefined : bounds.flatMap(each => each ?? [])
}

function join(...parts: readonly (readonly Bound[] | undefined)[]): readonly Bound[] | undefined {
  return parts.includes(undefined) ? undefined : parts.flatMap(part => part ?? [])
}

const partial = /^(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/

function readPart(sign: string, text: string): readonly Bound[] | undefined {
  const match = partial.exec(text)
  if (match === null) return undefined
  const given = [match[1], match[2], match[3]]
  const open = given.findIndex(part => part === undefined || /^[xX*]$/.test(part))
  const count = open < 0 ? 3 : open
  const [major = 0, minor = 0, patch = 0] = given.slice(0, count).map(Number)
  const low = versionOf(`${major}.${minor}.${patch}${count === 3 ? (match[4] ?? '') : ''}`)
  return low === undefined ? undefined : toBounds(sign, count, low, [major, minor, patch])
}

/** `count` numbers were written; what is above them is `low` raised at the last of these. */
function toBounds(
  sign: string,
  count: number,
  low: Version,
  numbers: readonly number[],
): readonly Bound[] | undefined {
  if (count === 0) return sign === '<' || sign === '>' ? undefined : []
  const above = (at: number) =>
    versionOf(
      numbers
        .map((each, index) => (index < at ? each : index === at ? each + 1 : 0))
        .join('.')
        .concat('-0'),
    )
  const between = (at: number): readonly Bound[] | undefined => {
    const high = above(at)
    return high === undefined
      ? undefined
      : [
          { sign: '>=', version: low },
          { sign: '<', version: high },
        ]
  }
  switch (sign) {
    case '^': {
      const first = numbers.findIndex((each, index) => each > 0 || index === count - 1)
      return between(first)
    }
    case '~':
    case '~>':
      return between(Math.min(count - 1, 1))
    case '>':
    case '<=': {
      const high = count === 3 ? low : above(count - 1)
      if (high === undefined) return undefined
      return [count === 3 ? { sign, version: high } : { sign: sign === '>' ? '>=' : '<', version: high }]
    }
    case '>=':
    case '<':
      return [{ sign, version: low }]
    default:
      return count === 3 ? [{ sign: '=', version: low }] : between(count - 1)
  }
}

function versionOf(text: string): Version | undefined {
  try {
    return parseVersion(text)
  } catch {
    return undefined
  }
}
