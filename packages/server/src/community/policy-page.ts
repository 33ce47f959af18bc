// SPDX-License-Identifier: Apache-2.0
/** What this registry promises and asks of people, as pages that its operators may put in their own words. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { problem } from '@holdfast/core'

/** Every such page, by the last part of its address below `/policy/`. */
export const policyPages = {
  disclosure: { title: 'Disclosure policy', about: 'How to report a weakness, and what you are promised' },
  recovery: { title: 'Account recovery policy', about: 'How somebody gets back in to an account' },
  unpublish: { title: 'Unpublish policy', about: 'What may be taken back, and what remains of it' },
  naming: { title: 'Naming disputes', about: 'Whose a name is, and how it changes hands' },
  'acceptable-use': { title: 'Acceptable use', about: 'What may be published here, and what may not' },
  incidents: { title: 'Incident communication', about: 'Who is told what when something goes wrong' },
  privacy: { title: 'Privacy of download records', about: 'What is kept of who fetched what, and how long' },
} as const

export type PolicyPageName = keyof typeof policyPages

/** A text that an operator put in the place of ours; never changed, only followed by another. */
export interface PolicyText {
  readonly page: PolicyPageName
  /** 1, 2, 3 …; 0 is the text that comes with the release. */
  readonly version: number
  /** Markdown. */
  readonly text: string
  /** Why it was changed, for its history. */
  readonly words: string
  /** Id of an account, or `operator`. */
  readonly author: string
  readonly at: number
}

/** What stands in a text as `{{name}}`: the instance's own values, so that a page says what the code does. */
export type PolicyFacts = Readonly<Record<string, string>>

const maxTextLength = 40_000

/** True for the last part of the address of such a page. */
export function isPolicyPage(name: string): name is PolicyPageName {
  return Object.hasOwn(policyPages, name)
}

/** The text that comes with this release. */
export function defaultPolicyText(page: PolicyPageName): string {
  return readFileSync(join(import.meta.dirname, 'text', `${page}.md`), 'utf8')
}

/** A text as an operator may keep it. Throws `invalid-body` when it is none, or names a fact that there is not. */
export function parsePolicyText(input: string, facts: PolicyFacts): string {
  const text = input.replaceAll('\0', '').replaceAll('\r\n', '\n').toWellFormed().trim()
  if (text === '') throw problem('invalid-body', { why: 'the text is empty' })
  if (text.length > maxTextLength)
    throw problem('invalid-body', { why: `the text has more than ${maxTextLength} characters` })
  const unknown = [...text.matchAll(placeForm)].find(([, name = '']) => !Object.hasOwn(facts, name))
  if (unknown !== undefined) throw problem('invalid-body', { why: `there is no ${unknown[0]}` })
  return `${text}\n`
}

const placeForm = /\{\{([A-Za-z]+)\}\}/g

/** The text with the instance's own values in it. */
export function fillPolicyText(text: string, facts: PolicyFacts): string {
  return text.replace(
    placeForm,
    (whole, name: string) => (Object.hasOwn(facts, name) ? facts[name] : whole) ?? whole,
  )
}
