// SPDX-License-Identifier: Apache-2.0
/** What a CI job does here with the token it got. */
import { type PackageName, problem } from '@holdfast/core'
import type { Actor, Grant, JobFacts, TrustedPublisher } from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { ownerEvent, userOf } from './leaf.ts'
import { trustEvent } from './trust.ts'

type JobActor = Extract<Actor, { kind: 'job' }>

/** The event with what the provider said of the job: where it ran, from which repository, workflow and ref. */
export async function withJob(ports: Ports, actor: Actor, event: NewEvent): Promise<NewEvent> {
  if (actor.kind !== 'job') return event
  const job = await ports.store.identity.findJob(actor.credential.id)
  return { ...event, detail: { ...event.detail, job: job?.facts } }
}

/** Once its package is there, a pending publisher is one like others, and whoever waited with it an owner: the log says both. */
export async function settleEvents(ports: Ports, grant: Grant, name: PackageName): Promise<NewEvent[]> {
  if (grant.actor.kind !== 'job' || grant.operation !== 'package:create') return []
  const publisher = await ports.store.identity.findPublisher(grant.actor.id)
  if (publisher?.package !== name) throw problem('trust-refused', { name, job: 'its publisher is gone' })
  return [
    ownerEvent(name, 'add', userOf(publisher.createdBy), 'owner'),
    trustEvent({ ...publisher, pendingUntil: null }, 'add'),
  ]
}

/** The package is made: whoever waited for the name owns it. Throws `trust-refused` when the wait is over. */
export async function settlePending(tx: Tx, actor: JobActor, name: PackageName, at: number): Promise<void> {
  const publisher = await findTrusted(tx, actor, name)
  if (publisher.pendingUntil === null || publisher.pendingUntil <= at)
    throw problem('trust-refused', { name, job: 'its publisher waited too long' })
  await tx.catalog.setRole(name, publisher.createdBy, 'owner')
  await tx.identity.settlePublisher(publisher.id)
}

/** Somebody else made the name meanwhile: a publisher that still waits for it has no part in it. */
export async function checkStillTrusted(tx: Tx, actor: JobActor, name: PackageName): Promise<void> {
  const publisher = await findTrusted(tx, actor, name)
  if (publisher.pendingUntil !== null)
    throw problem('trust-refused', { name, job: 'somebody else made the package' })
}

async function findTrusted(tx: Tx, actor: JobActor, name: PackageName): Promise<TrustedPublisher> {
  const publisher = await tx.identity.findPublisher(actor.id)
  if (publisher?.package === name) return publisher
  throw problem('trust-refused', { name, job: 'its publisher is gone' })
}

/** A job in a few words, for messages and pages: `github acme/widget, publish.yml, refs/heads/main`. */
export function describeJob(job: JobFacts): string {
  const claims = Object.entries(job.claims).map(([name, value]) => `${name}=${value}`)
  const where = [job.repository, job.workflow, job.ref, job.environment, ...claims].filter(Boolean)
  return `${job.provider} ${where.join(', ')}`
}
