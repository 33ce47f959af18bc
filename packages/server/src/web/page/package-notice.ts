// SPDX-License-Identifier: Apache-2.0
import type { Status } from '@holdfast/core'
import { html, type Markup, nothing } from '../markup.ts'
import { packagePath, whyPath } from '../part/link.ts'
import { notice } from '../part/notice.ts'
import type { ShownPackage } from './package-read.ts'

const titles: Readonly<Record<Status, string>> = {
  live: '',
  pending: '',
  staged: '',
  yanked: 'This version was yanked',
  cooling: 'This version is too new to be installed',
  held: 'This version is held until a person has looked at it',
  quarantined: 'This version is quarantined: do not use it',
  blocked: 'This version is blocked by the policy of this registry',
  removed: 'This version was removed and will not come back',
}

const meanings: Partial<Readonly<Record<Status, string>>> = {
  yanked: 'Exact pins and lock files keep working; ranges and tags choose another version.',
  cooling: 'It becomes available by itself once it is old enough.',
  held: 'It cannot be installed meanwhile.',
  quarantined: 'It cannot be installed. If you have it, treat the machine as exposed until you know why.',
  blocked: 'It cannot be installed.',
  removed: 'Its number is never used again.',
}

/** What somebody must know before using the shown version. */
export function packageNotices(shown: ShownPackage): Markup {
  const { decision, selected } = shown
  if (decision === undefined || selected === undefined)
    return notice('warn', 'No version of this package can be used now')
  if (decision.status !== 'live') return statusNotice(shown)
  if (decision.deprecated !== '') return notice('warn', 'Deprecated', html`<bdi>${decision.deprecated}</bdi>`)
  return nothing
}

function statusNotice({ name, decision, selected, next }: ShownPackage): Markup {
  if (decision === undefined || selected === undefined) return nothing
  const { status } = decision
  const other = next === undefined || next === selected.version ? undefined : next
  const body = html`${decision.reason === '' ? '' : html`<p>Reason: <bdi>${decision.reason}</bdi></p>`}
<p>${meanings[status] ?? ''}
${other === undefined ? 'There is no other version to use.' : html`Use <a href="${packagePath(name, { v: other })}">${other}</a> instead.`}
<a href="${whyPath(name, selected.version)}">Why, and what can be done</a></p>`
  return notice(status === 'yanked' || status === 'cooling' ? 'warn' : 'bad', titles[status], body)
}
