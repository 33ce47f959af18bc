// SPDX-License-Identifier: Apache-2.0
import { excerpt, problem } from './problem.ts'

/** A version by semver 2, strictly, without build metadata: `1.2.3`, `1.2.3-beta.1`. */
export type Version = string & { readonly brand: 'Version' }

const number = '(0|[1-9][0-9]*)'
const identifier = '(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)'
const grammar = new RegExp(`^${number}\\.${number}\\.${number}(?:-${identifier}(?:\\.${identifier})*)?$`)

/** Turns hostile input into a version, or throws `invalid-version`. */
export function parseVersion(input: unknown): Version {
  const why = findVersionFault(input)
  if (why !== undefined) throw problem('invalid-version', { version: excerpt(input), why })
  return input as Version
}

function findVersionFault(input: unknown): string | undefined {
  if (typeof input !== 'string') return 'it is not text'
  if (input.length > 256) return 'it is longer than 256 characters'
  // npm drops `+build` before it publishes; kept, 1.0.0+a and 1.0.0+b would be one version with two contents.
  if (input.includes('+')) return 'build metadata is not part of a published version'
  const match = grammar.exec(input)
  if (match === null) return 'it does not follow semver 2'
  // Beyond 2^53 clients round, and two versions become one.
  if (!match.slice(1, 4).every(text => Number.isSafeInteger(Number(text)))) return 'a number is too large'
  return undefined
}

/** Orders by semver precedence: negative when `a` is older, zero only for the same version. */
export function compareVersions(a: Version, b: Version): number {
  if (a === b) return 0
  if (!a.includes('-') && !b.includes('-')) return compareReleases(a, b)
  const left = splitVersion(a)
  const right = splitVersion(b)
  return compareLists(left.numbers, right.numbers) || comparePrereleases(left.prerelease, right.prerelease)
}

/** Without making lists: in a package of thousands of versions each is compared many times. */
function compareReleases(a: string, b: string): number {
  for (let leftFrom = 0, rightFrom = 0; ; ) {
    const leftDot = a.indexOf('.', leftFrom)
    const rightDot = b.indexOf('.', rightFrom)
    const left = leftDot < 0 ? a.slice(leftFrom) : a.slice(leftFrom, leftDot)
    const right = rightDot < 0 ? b.slice(rightFrom) : b.slice(rightFrom, rightDot)
    // No number of a version begins with a zero: the longer one is the larger.
    const order = left.length - right.length || (left < right ? -1 : left > right ? 1 : 0)
    if (order !== 0 || leftDot < 0) return order
    leftFrom = leftDot + 1
    rightFrom = rightDot + 1
  }
}

function splitVersion(version: Version): { numbers: string[]; prerelease: string[] } {
  const dash = version.indexOf('-')
  if (dash < 0) return { numbers: version.split('.'), prerelease: [] }
  return { numbers: version.slice(0, dash).split('.'), prerelease: version.slice(dash + 1).split('.') }
}

function comparePrereleases(a: string[], b: string[]): number {
  if (a.length > 0 && b.length > 0) return compareLists(a, b)
  // A release comes after its own prereleases.
  return b.length - a.length
}

function compareLists(a: string[], b: string[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index]
    if (right === undefined) return 1
    const order = compareIdentifiers(left, right)
    if (order !== 0) return order
  }
  return a.length - b.length
}

function compareIdentifiers(a: string, b: string): number {
  if (a === b) return 0
  const leftIsNumber = isNumeric(a)
  if (leftIsNumber !== isNumeric(b)) return leftIsNumber ? -1 : 1
  // Without leading zeros the longer number is the larger; exact also beyond 2^53 (dates and build counters in prereleases).
  if (leftIsNumber && a.length !== b.length) return a.length - b.length
  return a < b ? -1 : 1
}

function isNumeric(text: string): boolean {
  return /^[0-9]+$/.test(text)
}

/** Whether ranges leave it out unless they ask for it. */
export function isPrerelease(version: Version): boolean {
  return version.includes('-')
}

/** The newest stable version, else the newest prerelease, else undefined. */
export function newestVersion(versions: Iterable<Version>): Version | undefined {
  let newest: Version | undefined
  for (const version of versions) {
    if (newest === undefined || isPreferred(version, newest)) newest = version
  }
  return newest
}

function isPreferred(version: Version, over: Version): boolean {
  if (isPrerelease(version) !== isPrerelease(over)) return isPrerelease(over)
  return compareVersions(version, over) > 0
}
