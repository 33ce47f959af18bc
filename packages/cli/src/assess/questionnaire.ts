// SPDX-License-Identifier: Apache-2.0
/** What cannot be seen from outside, as somebody who knows the registry answers it, with links to what shows it. */
import { type CapabilityId, capabilities, type TaxonomyQuestion, taxonomy } from '@holdfast/core'
import { UsageError } from '../usage-error.ts'

/** What is said of one capability. */
export interface Answer {
  readonly isMet: boolean
  readonly words: string
  /** Addresses of what shows it; at least one where it is met. */
  readonly evidence: readonly string[]
}

export interface Questionnaire {
  readonly taxonomy: Readonly<Record<TaxonomyQuestion, boolean>>
  readonly answers: ReadonlyMap<CapabilityId, Answer>
}

const questions = [...new Set(Object.values(taxonomy).flat())]
const maxWords = 500
const maxLinks = 10

/** Where nobody was asked: a registry with accounts that serves built packages, and no answers. */
export const unanswered: Questionnaire = {
  taxonomy: { accounts: true, 'built-packages': true },
  answers: new Map(),
}

/** The file to fill in, as JSON: every capability with its words, nothing answered. */
export function formatQuestionnaire(): string {
  const asked = capabilities.map(({ id, mustBeTrue }) => [
    id,
    { mustBeTrue, isMet: null, words: '', evidence: [] },
  ])
  const document = { taxonomy: unanswered.taxonomy, capabilities: Object.fromEntries(asked) }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

/** Reads a filled-in file; every fault in it is named at once, as a `UsageError`. */
export function parseQuestionnaire(text: string): Questionnaire {
  const document = parseJson(text)
  const faults: string[] = []
  const given = Object(document['taxonomy']) as Record<string, unknown>
  const said = (question: TaxonomyQuestion) => {
    const value = given[question] ?? true
    if (typeof value !== 'boolean') faults.push(`taxonomy.${question} is neither true nor false`)
    return value === true
  }
  const answers = new Map<CapabilityId, Answer>()
  for (const [id, told] of Object.entries(Object(document['capabilities']))) {
    const answer = readAnswer(id, Object(told), faults)
    if (answer !== undefined) answers.set(id as CapabilityId, answer)
  }
  const found = Object.fromEntries(questions.map(question => [question, said(question)]))
  if (faults.length > 0)
    throw new UsageError(
      `the answers cannot be taken: ${faults.slice(0, 20).join('; ')}`,
      'holdfast assess --questionnaire prints the file to fill in.',
    )
  return { taxonomy: found as Questionnaire['taxonomy'], answers }
}

function readAnswer(id: string, told: Record<string, unknown>, faults: string[]): Answer | undefined {
  if (!capabilities.some(each => each.id === id)) faults.push(`there is no capability ${id.slice(0, 60)}`)
  const { isMet, words = '', evidence = [] } = told
  if (isMet === null || isMet === undefined) return undefined
  const links = Array.isArray(evidence) ? evidence : [evidence]
  if (typeof isMet !== 'boolean') faults.push(`${id}.isMet is neither true, false nor null`)
  if (typeof words !== 'string' || words.length > maxWords)
    faults.push(`${id}.words is no text of at most ${maxWords} characters`)
  if (links.length > maxLinks || !links.every(isLink))
    faults.push(`${id}.evidence is no list of at most ${maxLinks} https addresses`)
  else if (isMet === true && links.length === 0) faults.push(`${id} is said to be met and nothing shows it`)
  return { isMet: isMet === true, words: String(words), evidence: links.map(String) }
}

function isLink(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && new URL(value).protocol === 'https:'
}

function parseJson(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>
  } catch (error) {
    throw new UsageError(
      `the answers are no JSON: ${error instanceof Error ? error.message : String(error)}`,
      'holdfast assess --questionnaire prints the file to fill in.',
    )
  }
}
