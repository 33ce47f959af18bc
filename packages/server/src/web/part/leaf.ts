// SPDX-License-Identifier: Apache-2.0
import { isPackageName } from '@holdfast/core'
import type { LogLine } from '../../flow/index.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { ago } from './format.ts'
import { packagePath } from './link.ts'

/** The address of an entry's page. */
export function entryPath(index: number): string {
  return `/log/entry/${index}`
}

/** The address of a list of all entries of a package. */
export function packageEntriesPath(name: string): string {
  return `/log?${new URLSearchParams({ package: name })}#entries`
}

/** Entries of the log, one a row. */
export function leafTable(lines: readonly LogLine[], now: number, isOfOnePackage = false): Markup {
  const of = isOfOnePackage ? nothing : html`<th scope="col">Package</th>`
  return html`<div class="scroll" tabindex="0"><table class="leaves"><thead><tr><th scope="col">Entry</th><th scope="col">When</th><th scope="col">What</th>${of}<th scope="col">Who</th></tr></thead>
<tbody>${lines.map(line => leafRow(line, now, isOfOnePackage))}</tbody></table></div>`
}

function leafRow({ index, leaf }: LogLine, now: number, isOfOnePackage: boolean): Markup {
  const { at, pkg } = leaf
  return html`<tr><td><a href="${entryPath(index)}">${index.toLocaleString('en')}</a></td><td class="nowrap">${typeof at === 'number' ? ago(at, now) : ''}</td><td>${leafWords(leaf)}</td>
${isOfOnePackage ? nothing : html`<td>${isPackageName(pkg) ? html`<a href="${packagePath(pkg, { show: 'security' })}">${pkg}</a>` : ''}</td>`}
<td><code>${actorWords(leaf)}</code></td></tr>`
}

/** What an entry says in a few words: its type, and what of it tells one from another. */
export function leafWords(leaf: LogLine['leaf']): string {
  const words = ['op', 'ver', 'tag', 'role', 'reason', 'advisory', 'use']
    .map(key => leaf[key])
    .filter(word => typeof word === 'string' && word !== '')
  return [leaf['type'], ...words].join(' ')
}

/** Who did it, as the log may name them. */
export function actorWords({ actor }: LogLine['leaf']): string {
  const { kind = '', id = '' } = (actor ?? {}) as { kind?: string; id?: string }
  return id === '' || id === kind ? kind : id
}

/** Every member of a leaf with its place in it: `dist.integrity`. */
export function leafMembers(value: unknown, place = ''): readonly (readonly [place: string, text: string])[] {
  if (typeof value !== 'object' || value === null) return [[place, String(value)]]
  return Object.entries(value).flatMap(([key, member]) =>
    leafMembers(member, place === '' ? key : `${place}.${key}`),
  )
}
