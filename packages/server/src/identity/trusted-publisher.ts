// SPDX-License-Identifier: Apache-2.0
/** Which CI job may publish which package without a stored secret. */
import type { PackageName } from '@holdfast/core'
import type { CiProvider } from '../config.ts'
import type { JobFacts } from './job-facts.ts'

/** What a job must show. Names are what people type, ids are what cannot be registered anew by somebody else. */
export interface PublisherRule {
  /** `owner/repository`, project path or origin; empty for a generic issuer. */
  readonly repository: string
  readonly repositoryId?: string | undefined
  readonly ownerId?: string | undefined
  /** The workflow's file, the pipeline's file or the pipeline definition; empty for a generic issuer. */
  readonly workflow: string
  readonly environment?: string | undefined
  /** A whole ref, or a beginning followed by `*`: `refs/heads/main`, `refs/tags/v*`. */
  readonly ref?: string | undefined
  /** Only from refs that the provider protects. */
  readonly protectedRef?: boolean | undefined
  /** The job may run on machines of one's own. */
  readonly ownRunners?: boolean | undefined
  /** CircleCI: contexts that the job must have. */
  readonly contexts?: readonly string[] | undefined
  /** Generic issuer: claims with the one value each must have. */
  readonly claims?: Readonly<Record<string, string>> | undefined
}

/** npm's words for what a publisher may do. */
export type PublisherPermission = 'createPackage' | 'createStagedPackage'

/** A package's trust in one kind of CI job. */
export interface TrustedPublisher {
  /** `tp_` and 16 hex characters; the actor in the log. */
  readonly id: string
  readonly package: PackageName
  readonly provider: CiProvider
  readonly issuer: string
  readonly rule: PublisherRule
  readonly permissions: readonly PublisherPermission[]
  readonly createdAt: number
  /** The account that added it, and owns the package that a pending one makes. */
  readonly createdBy: string
  /** From when it lets jobs in: later than it was added where other owners may want to say no. */
  readonly startsAt: number
  /** Until when it waits for the first publish of its name; null once the package is there. */
  readonly pendingUntil: number | null
  readonly lastUsedAt: number | null
}

const bindableMs = 30 * 24 * 3600_000

/**
 * Why this publisher does not let the job in, or undefined when it does. Exact equality throughout: a pattern without
 * anchors once let `acme/widget-evil` pass for `acme/widget`.
 */
export function explainMismatch(publisher: TrustedPublisher, job: JobFacts): string | undefined {
  const { rule } = publisher
  if (publisher.issuer !== job.issuer) return 'its issuer'
  if (!isSameName(rule.repository, job.repository)) return 'its repository'
  // A name that was given up can be registered by anybody; the id cannot (repository resurrection).
  if (rule.repositoryId !== undefined && rule.repositoryId !== job.repositoryId) return "its repository's id"
  if (rule.ownerId !== undefined && rule.ownerId !== job.ownerId) return "its repository owner's id"
  if (rule.workflow !== job.workflow) return 'its workflow'
  if (rule.environment !== undefined && !isSameEnvironment(publisher, job)) return 'its environment'
  if (rule.ref !== undefined && !matchesRef(rule.ref, job.ref)) return 'its ref'
  if (rule.protectedRef === true && !job.protectedRef) return 'its ref, which is not protected'
  // What runs on a machine of one's own leaves traces there, and may find those of others.
  if (rule.ownRunners !== true && job.runner === 'own')
    return 'its runner, which is not hosted by the provider'
  if (!(rule.contexts ?? []).every(context => job.contexts.includes(context))) return 'its contexts'
  const claims = Object.entries(rule.claims ?? {})
  const wrong = claims.find(([name, value]) => job.claims[name] !== value)
  return wrong === undefined ? undefined : `its claim ${wrong[0]}`
}

/** Why a publisher lets no job in at `now`, or undefined when it does. */
export function explainRest(
  { provider, rule, startsAt, createdAt }: TrustedPublisher,
  now: number,
): string | undefined {
  // The other owners of the package have time to say no.
  if (startsAt > now) return `works from ${new Date(startsAt).toISOString()} on`
  // The longer names alone are trusted, the likelier they belong to somebody else by now (repository resurrection).
  const isBound = provider === 'generic' || rule.repositoryId !== undefined
  if (isBound || now - createdAt <= bindableMs) return undefined
  return 'was used by nobody for 30 days and has no ids: let an owner add it again'
}

/** The publisher that lets the job in; one with an environment before one without, since it says more. */
export function findPublisher(
  publishers: readonly TrustedPublisher[],
  job: JobFacts,
): TrustedPublisher | undefined {
  const fitting = publishers.filter(publisher => explainMismatch(publisher, job) === undefined)
  return fitting.find(({ rule }) => rule.environment !== undefined) ?? fitting[0]
}

/** Providers compare names of repositories without regard to case. */
function isSameName(wanted: string, found: string): boolean {
  return wanted.toLowerCase() === found.toLowerCase()
}

/** GitHub compares environments without regard to case, others do not. */
function isSameEnvironment({ provider, rule }: TrustedPublisher, { environment }: JobFacts): boolean {
  return provider === 'github'
    ? rule.environment?.toLowerCase() === environment.toLowerCase()
    : rule.environment === environment
}

function matchesRef(pattern: string, ref: string): boolean {
  return pattern.endsWith('*') ? ref.startsWith(pattern.slice(0, -1)) : ref === pattern
}
