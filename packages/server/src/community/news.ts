// SPDX-License-Identifier: Apache-2.0
/** What happens to packages, as those who depend on them hear of it. */
import { isDrillName, type PackageName, type Version } from '@holdfast/core'
import type { NewsEvent } from './port.ts'

/** What a piece of news is about; readers of feeds and webhooks choose by it. */
export const newsKinds = [
  'publish',
  'unpublish',
  'yank',
  'unyank',
  'deprecate',
  'quarantine',
  'release',
  'owner',
  'advisory',
] as const

export type NewsKind = (typeof newsKinds)[number]

/** One thing that happened, without people and without free text. */
export interface News {
  /** Of the event: whoever hears it twice knows by it. */
  readonly id: string
  readonly position: number
  readonly at: number
  readonly kind: NewsKind
  /** Empty for an advisory about several. */
  readonly package: PackageName | ''
  readonly version: Version | ''
  /** What happened, as the end of a sentence that begins with the package. */
  readonly words: string
  /** Path of the page that says more. */
  readonly path: string
}

const words: Readonly<Record<NewsKind, string>> = {
  publish: 'was published',
  unpublish: 'was unpublished',
  yank: 'was yanked: nothing resolves to it any more',
  unyank: 'is no longer yanked',
  deprecate: 'has another word of deprecation',
  quarantine: 'was quarantined: do not use it',
  release: 'was released again',
  owner: 'has other people behind it',
  advisory: 'is named by an advisory',
}

/** What an event is to those who watch; undefined for what concerns only whoever runs this registry, and for a rehearsal. */
export function toNews(event: NewsEvent): News | undefined {
  const { id, position, at, type, pkg, ver } = event
  const kind = newsKinds.find(each => each === type)
  if (kind === undefined || (pkg !== null && isDrillName(pkg))) return undefined
  const about = { id, position, at, kind, words: words[kind] }
  if (kind === 'advisory') return { ...about, package: pkg ?? '', version: '', path: '/advisories' }
  if (pkg === null) return undefined
  const version = ver ?? ''
  const path = kind === 'quarantine' && version !== '' ? `/why/npm/${pkg}/${version}` : `/package/npm/${pkg}`
  return { ...about, package: pkg, version, path }
}

/** The packages that an event is about: several only for advisories. */
export function packagesOf({ type, pkg, detail }: NewsEvent): readonly PackageName[] {
  if (pkg !== null) return [pkg]
  return type === 'advisory' ? ((detail['packages'] ?? []) as readonly PackageName[]) : []
}

/** A piece of news as one line of text. */
export function formatNews({ package: name, version, words }: News): string {
  const spec = version === '' ? name : `${name}@${version}`
  return spec === '' ? `Several packages: ${words}` : `${spec} ${words}`
}
