// SPDX-License-Identifier: Apache-2.0
import type { PackageName } from '@holdfast/core'
import { packagesOf } from './news.ts'
import type { NewsEvent } from './port.ts'

/** What somebody wants to hear of. */
export type WatchKind = 'package' | 'publisher' | 'advisories'

/** A wish to hear of something; there is one of a kind and subject for each account. */
export interface Watch {
  readonly accountId: string
  readonly kind: WatchKind
  /** A package's name, the id of an account, `@` and an organisation, or empty for advisories. */
  readonly subject: string
  readonly since: number
}

/** How often letters come; feeds and webhooks are as fast as always. */
export type Digest = (typeof digests)[number]
/** All of them. */
export const digests = ['at-once', 'daily', 'never'] as const

/** How somebody wants to hear. */
export interface WatchSettings {
  readonly digest: Digest
  /** When the last letter went out; 0 for never. */
  readonly toldAt: number
}

/** What an event is to whom: the keys of watches that it concerns. */
export interface WatchKey {
  readonly kind: WatchKind
  readonly subject: string
}

/** The watches that an event concerns. A publisher is heard by what they publish, an organisation by all in its scope. */
export function watchKeysOf(event: NewsEvent): readonly WatchKey[] {
  const names = packagesOf(event)
  const isByPerson = event.type === 'publish' && event.actorKind === 'person'
  return [
    ...names.map(subject => ({ kind: 'package' as const, subject })),
    ...(event.type === 'advisory' ? [{ kind: 'advisories' as const, subject: '' }] : []),
    ...(isByPerson ? [{ kind: 'publisher' as const, subject: event.actorId }] : []),
    ...[...new Set(names.flatMap(scopesOf))].map(subject => ({ kind: 'publisher' as const, subject })),
  ]
}

function scopesOf(name: PackageName): readonly string[] {
  const [scope = ''] = name.split('/')
  return scope.startsWith('@') ? [scope] : []
}
