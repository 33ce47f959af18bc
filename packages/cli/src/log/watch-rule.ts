// SPDX-License-Identifier: Apache-2.0
/** What in the life of a watched package a person should look at. */
import { compareVersions, type Leaf, parseVersion } from '@holdfast/core'

const quietAfterChangeMs = 72 * 60 * 60_000

/** What is remembered of a watched package to judge its next entry. */
export interface PackageMemory {
  readonly publishedBy?: string
  readonly isAttested?: boolean
  /** When owners or trusted publishers changed last. */
  readonly changedAt?: number
  readonly tags: Readonly<Record<string, string>>
  /** Versions that are closed. */
  readonly closed: readonly string[]
}

/** What is known of a package before its first entry. */
export const newMemory: PackageMemory = { tags: {}, closed: [] }

/** What is alarming about the next entry of a package; empty for what happens every day. */
export function findAlarms(memory: PackageMemory, { type, at, actor, fields }: Leaf): readonly string[] {
  const { ver, tag } = fields
  if (type === 'upstream-changed') return ['its upstream gave other bytes under a version that is on record']
  if (type === 'dist-tag') return findTagAlarms(memory, String(tag), String(ver))
  if (type !== 'publish') return []
  const isChanged = memory.changedAt !== undefined && at - memory.changedAt < quietAfterChangeMs
  return [
    ...(memory.publishedBy === 'oidc' && actor.kind !== 'oidc'
      ? ['published by hand, and the version before came from CI']
      : []),
    ...(memory.isAttested === true && fields['attest'] === undefined
      ? ['published without provenance, and the version before had some']
      : []),
    ...(isChanged ? ['published within 72 hours of a change of owners or trusted publishers'] : []),
  ]
}

function findTagAlarms({ tags, closed }: PackageMemory, tag: string, ver: string): readonly string[] {
  if (ver === '') return []
  const before = tags[tag]
  return [
    ...(closed.includes(ver) ? [`the tag ${tag} points at a version that is closed`] : []),
    ...(before !== undefined && isOlder(ver, before) ? [`the tag ${tag} went back from ${before}`] : []),
  ]
}

function isOlder(ver: string, before: string): boolean {
  return compareVersions(parseVersion(ver), parseVersion(before)) < 0
}

/** What is remembered after an entry. */
export function remember(memory: PackageMemory, { type, at, actor, fields }: Leaf): PackageMemory {
  const ver = typeof fields['ver'] === 'string' ? fields['ver'] : ''
  if (type === 'publish')
    return { ...memory, publishedBy: actor.kind, isAttested: fields['attest'] !== undefined }
  if (type === 'owner' || type === 'trusted-publisher') return { ...memory, changedAt: at }
  if (type === 'dist-tag') return { ...memory, tags: moveTag(memory.tags, String(fields['tag']), ver) }
  if (type === 'quarantine' || type === 'hold') return { ...memory, closed: [...memory.closed, ver] }
  if (type === 'release') return { ...memory, closed: memory.closed.filter(each => each !== ver) }
  return memory
}

function moveTag(tags: PackageMemory['tags'], tag: string, ver: string): PackageMemory['tags'] {
  const { [tag]: _, ...rest } = tags
  return ver === '' ? rest : { ...rest, [tag]: ver }
}
