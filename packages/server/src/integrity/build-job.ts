// SPDX-License-Identifier: Apache-2.0
/** Whether a build is the very run of the CI job that publishes it, and one that may. */
import type { BuildFacts } from './provenance.ts'

/** What the identity token of the publishing job said; empty where it says nothing. */
export interface PublishingJob {
  readonly provider: string
  readonly issuer: string
  readonly repositoryId: string
  readonly ownerId: string
  readonly workflow: string
  readonly ref: string
  /** `<run>/<attempt>` at GitHub, `<pipeline>/<job>` at GitLab. */
  readonly run: string
  readonly commit: string
}

/** Started by somebody who need not be allowed to push: code of strangers comes along. */
const strangersTriggers = ['pull_request_target', 'workflow_run', 'issue_comment']

/** Why nobody publishes what such a build made, or undefined. */
export function explainTrigger({ trigger }: BuildFacts): string | undefined {
  return strangersTriggers.includes(trigger)
    ? `it was built by the event ${trigger}, which runs what strangers wrote`
    : undefined
}

/** What differs between a build and the job, or undefined where they are one run: else the bundle may be of another. */
export function explainOtherRun(build: BuildFacts, job: PublishingJob): string | undefined {
  const wanted: readonly (readonly [string, string, string])[] = [
    ['issuer', build.issuer, job.issuer],
    ['repository id', build.repositoryId, job.repositoryId],
    ['owner id', build.ownerId, job.ownerId],
    ['ref', build.ref, job.ref],
    ['commit', build.commit, job.commit],
    ['workflow', build.workflow, workflowOf(build, job)],
    ['run', build.run, runOf(build, job)],
  ]
  return wanted.find(([, built, said]) => said !== '' && built !== said)?.[0]
}

/** The address of the job's workflow as a certificate has it. */
function workflowOf({ repository }: BuildFacts, { provider, workflow, ref }: PublishingJob): string {
  if (provider === 'github') return `${repository}/.github/workflows/${workflow}@${ref}`
  return provider === 'gitlab' ? `${repository}//${workflow}@${ref}` : ''
}

/** The address of the job's run as a certificate has it. */
function runOf({ repository }: BuildFacts, { provider, run }: PublishingJob): string {
  const [first, second] = run.split('/')
  if (provider === 'github') return `${repository}/actions/runs/${first}/attempts/${second}`
  return provider === 'gitlab' ? `${repository}/-/jobs/${second}` : ''
}
