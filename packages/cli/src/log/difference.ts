// SPDX-License-Identifier: Apache-2.0
/** Where what a registry shows is not what follows from its log. */
import type { DistTag, ReplayedPackage, ReplayedVersion, Version } from '@holdfast/core'
import type { ShownPackage, ShownVersion } from './shown.ts'

/** How a package stands to its log. */
export interface Comparison {
  /** In words, without the package's name. */
  readonly differences: readonly string[]
  /** How many open versions the policy keeps back, as it may. */
  readonly hidden: number
}

/** Compares a package with its log. Of what lives in an upstream only measures taken here are binding. */
export function comparePackage(told: ReplayedPackage, shown: ShownPackage): Comparison {
  if (!isHosted(told)) return { differences: findUpstreamLies(told, shown), hidden: 0 }
  const open = [...told.versions].filter(([, { status }]) => isOpen(status))
  const kept = open.filter(([version]) => !shown.listed.has(version))
  const lost = kept.filter(([version]) => !shown.restricted.has(version))
  return {
    differences: [
      ...lost.map(([version, { status }]) => `${version} is ${status} by the log, and is not shown`),
      ...[...shown.listed].flatMap(([version, each]) =>
        findLies(version, told.versions.get(version as Version), each),
      ),
      ...findTagLies(told, shown),
    ],
    hidden: kept.length - lost.length,
  }
}

/** Whether a version of it was published here. */
export function isHosted({ versions }: ReplayedPackage): boolean {
  return [...versions.values()].some(({ source }) => source === 'hosted')
}

/** Whether anybody should find it when nothing but its log decides. */
export function hasOpenVersion({ versions }: ReplayedPackage): boolean {
  return [...versions.values()].some(({ source, status }) => source === 'hosted' && isOpen(status))
}

function isOpen(status: ReplayedVersion['status']): boolean {
  return status === 'live' || status === 'yanked'
}

function findLies(version: string, told: ReplayedVersion | undefined, shown: ShownVersion): string[] {
  if (told?.source !== 'hosted') return [`${version} is listed, and the log has no publication of it`]
  if (!isOpen(told.status)) return [`${version} is listed, and is ${told.status} by the log`]
  return [
    ...findYankLies(version, told, shown),
    ...(shown.integrity === told.integrity ? [] : [`${version} has another digest than in the log`]),
  ]
}

function findYankLies(version: string, { status, deprecated }: ReplayedVersion, shown: ShownVersion) {
  const isYanked = isShownYanked(shown)
  if (status === 'yanked' && !isYanked) return [`${version} is yanked by the log, and is not shown so`]
  // Owners may write such words themselves.
  if (status === 'live' && isYanked && deprecated === '')
    return [`${version} is shown as yanked, and is live by the log`]
  return []
}

function isShownYanked({ deprecated }: ShownVersion): boolean {
  return deprecated.startsWith('yanked: ')
}

/** A tag whose version nobody can pick is shown at another one, which is told of the version where it is a lie. */
function findTagLies({ versions, tags }: ReplayedPackage, shown: ShownPackage): string[] {
  const moved = [...tags].filter(([tag, version]) => {
    const each = shown.listed.get(version)
    const isOffered = each !== undefined && !isShownYanked(each) && versions.get(version)?.status === 'live'
    return isOffered && shown.tags.get(tag) !== version
  })
  const added = [...shown.tags.keys()].filter(tag => tag !== 'latest' && !tags.has(tag as DistTag))
  return [
    ...moved.map(([tag, version]) => {
      const at = shown.tags.get(tag)
      return `the tag ${tag} is at ${version} by the log, and is shown ${at === undefined ? 'nowhere' : `at ${at}`}`
    }),
    ...added.map(tag => `the tag ${tag} is shown, and is not in the log`),
  ]
}

function findUpstreamLies({ versions }: ReplayedPackage, { listed }: ShownPackage): string[] {
  return [...versions].flatMap(([version, told]) => {
    const shown = listed.get(version)
    if (shown === undefined || told.status === 'live') return []
    return isOpen(told.status)
      ? findYankLies(version, told, shown)
      : [`${version} is listed, and is ${told.status} by the log`]
  })
}
