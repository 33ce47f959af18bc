// SPDX-License-Identifier: Apache-2.0
import { html, type Markup, nothing } from '../markup.ts'

/** One field of a form. */
export interface Field {
  readonly name: string
  readonly label: string
  readonly type?: 'text' | 'email' | 'password' | 'url'
  readonly value?: string
  readonly hint?: string | Markup
  readonly autocomplete?: string
  readonly isOptional?: boolean
  readonly hasFocus?: boolean
  readonly maxLength?: number
}

/** A labelled field with its hint; marked as optional rather than the others as required. */
export function field(about: Field): Markup {
  const { name, label, type = 'text', value = '', autocomplete = 'off', maxLength = 256 } = about
  const hintId = about.hint === undefined ? '' : `${name}-hint`
  return html`<div class="field"><label for="${name}">${label}${about.isOptional === true ? html` <span class="small">(optional)</span>` : nothing}</label>
<input id="${name}" name="${name}" type="${type}" value="${type === 'password' ? '' : value}" maxlength="${maxLength}" autocomplete="${autocomplete}" autocapitalize="none" spellcheck="false" ${about.isOptional === true ? '' : html`required`} ${about.hasFocus === true ? html`autofocus` : ''} ${hintId === '' ? '' : html`aria-describedby="${hintId}"`}>
${about.hint === undefined ? nothing : html`<span class="hint" id="${hintId}">${about.hint}</span>`}</div>`
}

/** A field of several lines or words. */
export function area(name: string, label: string, hint: string | Markup, value = '', rows = 3): Markup {
  return html`<div class="field"><label for="${name}">${label} <span class="small">(optional)</span></label>
<textarea id="${name}" name="${name}" rows="${rows}" maxlength="4000" spellcheck="false" aria-describedby="${name}-hint">${value}</textarea>
<span class="hint" id="${name}-hint">${hint}</span></div>`
}

/** One of several; the first is chosen unless `value` says another. */
export function radios(
  name: string,
  legend: string,
  choices: readonly (readonly [value: string, label: string | Markup])[],
  value = choices[0]?.[0],
): Markup {
  return html`<fieldset><legend>${legend}</legend>${choices.map(
    ([each, label]) =>
      html`<div class="choice"><input type="radio" id="${name}-${each}" name="${name}" value="${each}" ${each === value ? html`checked` : ''}><label for="${name}-${each}">${label}</label></div>`,
  )}</fieldset>`
}

/** Any of several. */
export function checks(
  name: string,
  legend: string,
  choices: readonly (readonly [value: string, label: string | Markup])[],
  values: readonly string[] = [],
): Markup {
  return html`<fieldset><legend>${legend}</legend>${choices.map(
    ([each, label]) =>
      html`<div class="choice"><input type="checkbox" id="${name}-${each}" name="${name}" value="${each}" ${values.includes(each) ? html`checked` : ''}><label for="${name}-${each}">${label}</label></div>`,
  )}</fieldset>`
}

/** One of a list. */
export function choose(
  name: string,
  label: string,
  choices: readonly (readonly [value: string, label: string])[],
  value: string,
): Markup {
  return html`<div class="field"><label for="${name}">${label}</label><select id="${name}" name="${name}">${choices.map(
    ([each, text]) => html`<option value="${each}" ${each === value ? html`selected` : ''}>${text}</option>`,
  )}</select></div>`
}
