// SPDX-License-Identifier: Apache-2.0
/** What a CI provider says of a job, read from the claims of a token that was verified (provenance reference, section 10). */
import { excerpt, problem } from '@holdfast/core'
import type { CiIssuer, CiProvider } from '../config.ts'

/** Claims as they came; nothing about their shape is known. */
export type Claims = Readonly<Record<string, unknown>>

/** A job in one shape, whatever runs it. Text is empty where the provider says nothing. */
export interface JobFacts {
  readonly provider: CiProvider
  /** The configured issuer. */
  readonly issuer: string
  readonly subject: string
  readonly repository: string
  readonly repositoryId: string
  readonly ownerId: string
  readonly workflow: string
  readonly ref: string
  readonly protectedRef: boolean
  readonly environment: string
  /** What set it off: `push`, `workflow_dispatch`. */
  readonly event: string
  readonly runner: 'hosted' | 'own'
  /** The run, for people to find it. */
  readonly run: string
  readonly commit: string
  readonly contexts: readonly string[]
  /** Generic issuer: the claims that publishers bind. */
  readonly claims: Readonly<Record<string, string>>
}

/**
 * Started by somebody who need not be allowed to push, and run with the rights of the repository: code of strangers
 * comes along with them.
 */
const strangersEvents = ['pull_request_target', 'workflow_run', 'issue_comment']

/** The facts of a job. Throws `job-token-invalid` when a claim that decides is missing, empty or of another type. */
export function readJobFacts(issuer: CiIssuer, claims: Claims): JobFacts {
  switch (issuer.provider) {
    case 'github':
      return readGithub(issuer, claims)
    case 'gitlab':
      return readGitlab(issuer, claims)
    case 'circleci':
      return readCircleci(issuer, claims)
    case 'generic':
      return readGeneric(issuer, claims)
  }
}

function readGithub(issuer: CiIssuer, claims: Claims): JobFacts {
  const event = required(claims, 'event_name')
  if (strangersEvents.includes(event)) throw invalid(`jobs of the event ${event} run what strangers wrote`)
  return {
    ...common(issuer, claims),
    repository: required(claims, 'repository'),
    repositoryId: required(claims, 'repository_id'),
    ownerId: required(claims, 'repository_owner_id'),
    workflow: workflowOf(claims),
    ref: required(claims, 'ref'),
    protectedRef: optional(claims, 'ref_protected') === 'true',
    environment: optional(claims, 'environment'),
    event,
    runner: required(claims, 'runner_environment') === 'github-hosted' ? 'hosted' : 'own',
    run: `${required(claims, 'run_id')}/${optional(claims, 'run_attempt') || '1'}`,
    commit: optional(claims, 'sha'),
  }
}

/**
 * `acme/widget/.github/workflows/publish.yml@refs/heads/main` → `publish.yml`. Cut off at the known ends and never at
 * the first `@`: file names may hold one, and then name another file than the one that ran.
 */
function workflowOf(claims: Claims): string {
  const found = required(claims, 'workflow_ref')
  const [start, end] = [`${required(claims, 'repository')}/.github/workflows/`, `@${required(claims, 'ref')}`]
  const file = found.slice(start.length, -end.length)
  if (!found.toLowerCase().startsWith(start.toLowerCase()) || !found.endsWith(end) || !isFileName(file))
    throw invalid('its workflow_ref is not a workflow of its repository at its ref')
  return file
}

function isFileName(text: string): boolean {
  return text !== '' && !/[/\\]/.test(text) && text !== '..'
}

function readGitlab(issuer: CiIssuer, claims: Claims): JobFacts {
  const project = required(claims, 'project_path')
  return {
    ...common(issuer, claims),
    repository: project,
    repositoryId: required(claims, 'project_id'),
    ownerId: required(claims, 'namespace_id'),
    workflow: pipelineFileOf(issuer, claims, project),
    ref: required(claims, 'ref_path'),
    protectedRef: required(claims, 'ref_protected') === 'true',
    environment: optional(claims, 'environment'),
    event: required(claims, 'pipeline_source'),
    runner: required(claims, 'runner_environment') === 'gitlab-hosted' ? 'hosted' : 'own',
    run: `${required(claims, 'pipeline_id')}/${required(claims, 'job_id')}`,
    commit: optional(claims, 'sha'),
  }
}

/** `git.example/acme/widget//.gitlab-ci.yml@refs/heads/main` → `.gitlab-ci.yml`; null when it is of another project. */
function pipelineFileOf({ issuer }: CiIssuer, claims: Claims, project: string): string {
  const found = required(claims, 'ci_config_ref_uri')
  const [start, end] = [`${new URL(issuer).host}/${project}//`, `@${required(claims, 'ref_path')}`]
  const file = found.slice(start.length, -end.length)
  const isSafe = file !== '' && !file.split('/').includes('..')
  if (!found.toLowerCase().startsWith(start.toLowerCase()) || !found.endsWith(end) || !isSafe)
    throw invalid('its ci_config_ref_uri is not a file of its project at its ref')
  return file
}

const circle = 'oidc.circleci.com/'

function readCircleci(issuer: CiIssuer, claims: Claims): JobFacts {
  // Somebody sat in this job with a shell.
  if (optional(claims, `${circle}ssh-rerun`) === 'true') throw invalid('jobs rerun with SSH are not taken')
  const contexts = claims[`${circle}context-ids`] ?? []
  return {
    ...common(issuer, claims),
    repository: required(claims, `${circle}vcs-origin`),
    repositoryId: required(claims, `${circle}project-id`),
    ownerId: organisationOf(claims),
    workflow: required(claims, `${circle}pipeline-definition-id`),
    ref: optional(claims, `${circle}vcs-ref`),
    protectedRef: false,
    environment: '',
    event: '',
    runner: 'hosted',
    run: optional(claims, `${circle}pipeline-id`) || optional(claims, `${circle}job-id`),
    commit: '',
    contexts: Array.isArray(contexts) ? contexts.filter(each => typeof each === 'string') : [],
  }
}

/** CircleCI says the organisation in its issuer, its subject or a claim: all that say it must say the same. */
function organisationOf(claims: Claims): string {
  const uuid = /(?:^|\/)org\/([0-9a-f-]{36})(?:\/|$)/
  const said = [
    uuid.exec(required(claims, 'iss'))?.[1],
    uuid.exec(required(claims, 'sub'))?.[1],
    optional(claims, `${circle}org-id`) || undefined,
  ].filter(each => each !== undefined)
  const [first] = said
  if (first === undefined || said.some(each => each !== first))
    throw invalid('its issuer, subject and org-id do not name one organisation')
  return first
}

function readGeneric(issuer: CiIssuer, claims: Claims): JobFacts {
  const bound = issuer.claims.map(name => [name, required(claims, name)] as const)
  return {
    ...common(issuer, claims),
    repository: '',
    repositoryId: '',
    ownerId: '',
    workflow: '',
    ref: '',
    protectedRef: false,
    environment: '',
    event: '',
    runner: 'hosted',
    run: optional(claims, 'jti'),
    commit: '',
    claims: Object.fromEntries(bound),
  }
}

function common({ provider, issuer }: CiIssuer, claims: Claims) {
  return {
    provider,
    issuer,
    subject: required(claims, 'sub'),
    contexts: [] as readonly string[],
    claims: {} as Readonly<Record<string, string>>,
  }
}

/** Ids come as numbers from some providers; lists and objects are never what is compared. */
function required(claims: Claims, name: string): string {
  const text = optional(claims, name)
  if (text === '') throw invalid(`its claim ${name} is missing`)
  return text
}

function optional(claims: Claims, name: string): string {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined
  if (value === undefined || value === null) return ''
  if (typeof value === 'string' && value.length <= 500) return value
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isSafeInteger(value)))
    return String(value)
  throw invalid(`its claim ${excerpt(name)} is no short text`)
}

function invalid(why: string) {
  return problem('job-token-invalid', { why })
}
