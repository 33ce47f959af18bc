// SPDX-License-Identifier: Apache-2.0
/** Measures of a case: taken, confirmed and taken back where the case is read, a click each. */
import { type PackageName, parsePackageName, parseVersion } from '@holdfast/core'
import {
  type ClosedSubject,
  confirmMeasure,
  contain,
  letGo,
  listMeasures,
  parseDraft,
  undoMeasure,
} from '../../flow/index.ts'
import type { IncidentRecord, TakenMeasure } from '../../incident/index.ts'
import type { Ports } from '../../ports.ts'
import type { Visitor } from '../context.ts'
import type { Form } from '../form.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from './badge.ts'
import { ago } from './format.ts'

/** Of a case about more, measures by a query close at once. */
const buttonsShown = 20

/** Takes, confirms or undoes a measure of a case where the form says so; false where it says something else. */
export async function actOnMeasure(
  ports: Ports,
  actor: Visitor,
  incident: string,
  posted: Form,
): Promise<boolean> {
  const words = `case ${incident}`
  switch (posted.text('act')) {
    case 'quarantine': {
      const subject = { package: posted.text('package'), version: posted.text('version') }
      await contain(
        ports,
        actor,
        parseDraft({ kind: 'quarantine', ...subject, reason: 'malware', words, incident }),
      )
      return true
    }
    case 'freeze': {
      const subject = `package:${posted.text('package')}`
      await contain(
        ports,
        actor,
        parseDraft({ kind: 'freeze', subject, reason: 'security', words, incident }),
      )
      return true
    }
    case 'release': {
      const name = parsePackageName(posted.text('package'))
      const subject = { name, version: parseVersion(posted.text('version')) }
      await letGo(ports, actor, incident, subject)
      return true
    }
    case 'confirm-measure':
      await confirmMeasure(ports, actor, posted.text('measure'))
      return true
    case 'undo-measure':
      await undoMeasure(ports, actor, posted.text('measure'))
      return true
    default:
      return false
  }
}

/** Measures that belong to a case, newest first. */
export async function listOfCase(ports: Ports, actor: Visitor, id: string): Promise<readonly TakenMeasure[]> {
  return (await listMeasures(ports, actor)).filter(each => each.incident === id)
}

/** What was closed in this case, and buttons to close what it is about. */
export function caseMeasures(
  record: IncidentRecord,
  measures: readonly TakenMeasure[],
  quarantined: readonly ClosedSubject[],
  viewer: string,
  mayAct: boolean,
  now: number,
): Markup {
  const path = `/operate/cases/${record.id}`
  const closed = quarantined.filter(each => !each.isOfMeasure).slice(0, buttonsShown)
  const names = [...new Set(record.subjects.map(each => each.package))].slice(0, buttonsShown)
  const isClosed = new Set(quarantined.map(each => `${each.package}@${each.version}`))
  const open = record.subjects.filter(
    each => each.version !== '' && !isClosed.has(`${each.package}@${each.version}`),
  )
  return html`<h3>Measures</h3>
${measures.length === 0 ? html`<p>None was taken here yet. One that you take is effective within a second, and ends by itself after four hours unless somebody else confirms it.</p>` : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">What</th><th scope="col">By</th><th scope="col">Taken</th><th scope="col">State</th><th scope="col"></th></tr></thead><tbody>${measures.map(each => row(each, path, mayAct, now))}</tbody></table></div>`}
${mayAct && closed.length > 0 ? html`<div class="tasks">${closed.map(each => release(path, each, viewer))}</div>` : nothing}
${
  mayAct && record.state !== 'closed'
    ? html`<div class="tasks">${open.slice(0, buttonsShown).map(each => quarantine(path, each))} ${names.map(each => freeze(path, each))}</div>
<p><a href="/operate/measures?do=quarantine&case=${record.id}">Close more: by publisher, token, time, hash or text; freeze, block, revoke</a></p>`
    : nothing
}`
}

function row(each: TakenMeasure, path: string, mayAct: boolean, now: number): Markup {
  const isOver = each.undoneAt !== null
  const button = (act: string, label: string) =>
    html`<form method="post" action="${path}"><input type="hidden" name="measure" value="${each.id}"><button class="link" name="act" value="${act}">${label}</button></form>`
  return html`<tr><td>${each.kind} <code>${each.subject}</code></td><td>${each.actor}</td><td class="nowrap">${ago(each.madeAt, now)}</td><td>${state(each, now)}</td><td>${
    mayAct && !isOver
      ? html`${each.lapsesAt === null ? nothing : button('confirm-measure', 'Confirm')} ${button('undo-measure', each.undoAskedBy === '' ? 'Open again' : 'Agree to open')}`
      : nothing
  }</td></tr>`
}

function state({ undoneAt, lapsesAt, undoAskedBy, confirmedBy }: TakenMeasure, now: number): Markup {
  if (undoneAt !== null) return html`${badge('over', 'plain', '✓')} ${ago(undoneAt, now)}`
  const asked = undoAskedBy === '' ? nothing : html` ${undoAskedBy} asks to open it`
  if (lapsesAt === null) return html`${badge('confirmed', 'warn', '!')} ${confirmedBy}${asked}`
  return html`${badge('one person', 'warn', '…')} ends ${ago(lapsesAt, now)}${asked}`
}

function quarantine(path: string, { package: name, version }: IncidentRecord['subjects'][number]): Markup {
  return html`<form method="post" action="${path}"><input type="hidden" name="package" value="${name}"><input type="hidden" name="version" value="${version}"><button class="danger" name="act" value="quarantine">Quarantine ${name}@${version}</button></form> `
}

/** What is known of it as malware here is taken back with that. */
function release(path: string, { package: name, version, askedBy }: ClosedSubject, viewer: string): Markup {
  const what = `${name}@${version}`
  if (askedBy === viewer) return html`<p>You ask that ${what} be let go: somebody else has to agree.</p>`
  const label = askedBy === '' ? `Ask to let ${what} go again` : `Agree with ${askedBy} to let ${what} go`
  return html`<form method="post" action="${path}"><input type="hidden" name="package" value="${name}"><input type="hidden" name="version" value="${version}"><button class="plain" name="act" value="release">${label}</button></form> `
}

function freeze(path: string, name: PackageName): Markup {
  return html`<form method="post" action="${path}"><input type="hidden" name="package" value="${name}"><button class="plain" name="act" value="freeze">Freeze ${name}</button></form> `
}
