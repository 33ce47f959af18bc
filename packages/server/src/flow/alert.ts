// SPDX-License-Identifier: Apache-2.0
import { isDrillName } from '@holdfast/core'
import type { AlertKind } from '../config.ts'
import type { StoredEvent } from '../integrity/index.ts'

/** Something that people want to hear of where they talk to each other. */
export interface Alert {
  /** Of the event: whoever hears it twice knows by it. */
  readonly id: string
  readonly kind: AlertKind
  readonly at: number
  /** Empty when it is about more than one package, or none. */
  readonly package: string
  readonly version: string
  /** What happened and why, in words that may come from outside. */
  readonly words: string
  /** Path of the page that says more. */
  readonly path: string
}

/** What happened to a version that was asked for and not let out. */
const refusals: readonly unknown[] = ['version-blocked', 'version-held', 'version-quarantined']

/** What an event is to those who want to hear of such things; undefined for the everyday. What a drill causes says so. */
export function toAlert(event: StoredEvent): Alert | undefined {
  const alert = describe(event)
  const isDrill = alert !== undefined && alert.package !== '' && isDrillName(alert.package)
  return isDrill ? { ...alert, words: `(a drill) ${alert.words}` } : alert
}

function describe(event: StoredEvent): Alert | undefined {
  const { type, detail } = event
  const why = text(detail['words'] ?? detail['why'] ?? detail['reason'])
  switch (type) {
    case 'hold':
      return aboutVersion(event, 'held', `was held: ${why}`)
    case 'quarantine':
      // The case that reconciliation opens says it, for all versions at once.
      return event.actorKind === 'system' ? undefined : aboutVersion(event, 'held', `was quarantined: ${why}`)
    case 'waiver-ask':
      return detail['op'] === 'ask'
        ? aboutVersion(event, 'waiver', `is asked for as an exception: ${why}`)
        : undefined
    case 'upstream-fault':
      return aboutVersion(event, 'upstream-fault', `was refused from its upstream: ${why}`)
    case 'case':
      return detail['op'] === 'close' || detail['op'] === 'work' ? undefined : aboutCase(event)
    case 'denied':
      return refusals.includes(detail['why']) ? aboutRefusal(event) : undefined
    default:
      return undefined
  }
}

function aboutVersion(event: StoredEvent, kind: AlertKind, words: string): Alert {
  const { id, at, pkg, ver } = event
  return { id, kind, at, package: pkg ?? '', version: ver ?? '', words, path: whyPath(pkg ?? '', ver ?? '') }
}

function aboutCase({ id, at, pkg, detail }: StoredEvent): Alert {
  const kind = detail['kind'] as AlertKind
  const words = `${text(detail['title'])}: ${text(detail['why'])}`
  return {
    id,
    kind,
    at,
    package: pkg ?? '',
    version: '',
    words,
    path: `/operate/cases/${text(detail['case'])}`,
  }
}

function aboutRefusal({ id, at, detail }: StoredEvent): Alert {
  const [, name = '', version = ''] = /^(.+)@([^@]+)$/.exec(text(detail['subject'])) ?? []
  const words = `was asked for ${Number(detail['count'] ?? 1)} times and not let out (${text(detail['why'])})`
  return { id, kind: 'blocked', at, package: name, version, words, path: whyPath(name, version) }
}

function whyPath(name: string, version: string): string {
  return version === '' ? `/package/npm/${name}` : `/why/npm/${name}/${version}`
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
