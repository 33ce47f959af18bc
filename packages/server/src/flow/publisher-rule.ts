// SPDX-License-Identifier: Apache-2.0
import { excerpt, problem } from '@holdfast/core'
import type { CiIssuer } from '../config.ts'
import type { PublisherRule } from '../identity/index.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const slug = /^[\w.-]+\/[\w.-]+$/
const path = /^[\w.-]+(\/[\w.-]+)+$/
const file = /^[^\s/\\@][^/\\\p{Cc}]*\.ya?ml$/u
const pipelineFile = /^[^\s@][^\\\p{Cc}]*\.ya?ml$/u
const word = /^[^\p{Cc}]{1,255}$/u
const ref = /^[^\s*\p{Cc}]{1,255}\*?$/u

/** A rule whose every part can match something, and only what was meant. Throws `publisher-invalid`. */
export function checkPublisherRule(issuer: CiIssuer, given: PublisherRule): PublisherRule {
  const rule = withoutEmpty(given)
  checkPart('environment', rule.environment ?? 'none', word)
  checkPart('ref', rule.ref ?? 'refs/heads/main', ref)
  for (const id of [rule.repositoryId, rule.ownerId]) checkPart('id', id ?? '0', /^[\w-]{1,100}$/)
  switch (issuer.provider) {
    case 'github':
      checkPart('repository', rule.repository, slug)
      checkPart('workflow', rule.workflow, file)
      return rule
    case 'gitlab':
      checkPart('project', rule.repository, path)
      checkPart('pipeline file', rule.workflow, pipelineFile)
      if (rule.workflow.split('/').includes('..')) throw invalid('pipeline file', rule.workflow)
      return rule
    case 'circleci':
      return checkCircle(rule)
    case 'generic':
      return checkGeneric(issuer, rule)
  }
}

function checkCircle(rule: PublisherRule): PublisherRule {
  checkPart('origin', rule.repository, path)
  checkPart('organisation id', rule.ownerId ?? '', uuid)
  checkPart('project id', rule.repositoryId ?? '', uuid)
  checkPart('pipeline definition id', rule.workflow, uuid)
  for (const context of rule.contexts ?? []) checkPart('context id', context, uuid)
  return rule
}

/** Each claim that the operator named must be bound: one left out would let in every job of that issuer. */
function checkGeneric(issuer: CiIssuer, rule: PublisherRule): PublisherRule {
  for (const name of issuer.claims) checkPart(`claim ${name}`, rule.claims?.[name] ?? '', word)
  const claims = issuer.claims.map(name => [name, rule.claims?.[name] ?? ''] as const)
  return { repository: '', workflow: '', claims: Object.fromEntries(claims) }
}

function withoutEmpty(rule: PublisherRule): PublisherRule {
  const kept = Object.entries(rule).filter(
    ([, value]) => value !== undefined && value !== '' && value !== false && !isEmptyList(value),
  )
  return { repository: '', workflow: '', ...Object.fromEntries(kept) }
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

function checkPart(what: string, value: string, form: RegExp): void {
  if (value.length <= 255 && form.test(value)) return
  throw invalid(what, value)
}

function invalid(what: string, value: string) {
  const why = value === '' ? `its ${what} is missing` : `'${excerpt(value)}' is not a ${what}`
  return problem('publisher-invalid', { why })
}
