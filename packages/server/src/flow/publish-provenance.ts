// SPDX-License-Identifier: Apache-2.0
/** Provenance of what is published here: verified before anything is kept (provenance reference, section 7). */
import { createHash } from 'node:crypto'
import { type Digest, type PackageName, problem, type Version } from '@holdfast/core'
import type { Access } from '../catalog/index.ts'
import type { Actor } from '../identity/index.ts'
import {
  type BuildFacts,
  explainOtherRun,
  explainTrigger,
  isDeclaredSource,
  type NewEvent,
  verifyBundle,
} from '../integrity/index.ts'
import type { KeptProvenance, Ports } from '../ports.ts'
import { explainExposure } from './exposure.ts'

/** A bundle on its way in, and what it must be about. */
export interface Attested {
  readonly name: PackageName
  readonly version: Version
  readonly digest: Digest
  /** The bundle as it was sent; undefined where there is none. */
  readonly bundle?: string | undefined
  readonly access: Access
}

const maxBytes = 1024 * 1024
/** Clocks of logs and ours may differ. */
const aheadMs = 5 * 60_000

/**
 * Verifies the bundle that a version is published with, and that it is of the run that publishes it. Undefined where there is
 * none. Throws `provenance-refused`, `provenance-unverifiable`, `provenance-old` or `provenance-other-run`.
 */
export async function admitProvenance(
  ports: Ports,
  actor: Actor,
  attested: Attested,
): Promise<KeptProvenance | undefined> {
  const { name, version, digest, bundle } = attested
  if (bundle === undefined) return undefined
  const refuse = (why: string) => problem('provenance-refused', { name, version, why })
  if (Buffer.byteLength(bundle) > maxBytes) throw refuse(`it is larger than ${maxBytes} bytes`)
  if (!bundle.isWellFormed()) throw refuse('it is not Unicode text')
  const found = await verifyBundle({
    text: bundle,
    subject: { name, version, digest },
    rootFiles: ports.config.sigstoreTrustRoot,
  })
  if (found.kind === 'unverified') throw problem('provenance-unverifiable', { name, version, why: found.why })
  if (found.kind === 'broken') throw refuse(found.why)
  const { kind: _, ...facts } = found
  const why = explainTrigger(facts.build) ?? explainExposure(ports, attested.access, facts.build)
  if (why !== undefined) throw refuse(why)
  checkAge(ports, attested, facts.signedAt)
  await checkRun(ports, actor, attested, facts.build)
  const sha256 = createHash('sha256').update(bundle).digest('hex')
  return { ...facts, text: bundle, sha256, verifiedAt: ports.clock() }
}

/** What was signed long ago may be attached by somebody who only found it. */
function checkAge({ config, clock }: Ports, { name, version }: Attested, signedAt: number): void {
  const age = clock() - signedAt
  const minutes = config.provenanceMaxAgeMinutes
  if (age <= minutes * 60_000 && age >= -aheadMs) return
  throw problem('provenance-old', { name, version, at: new Date(signedAt).toISOString(), minutes })
}

/** A job's own token says which run it is: a bundle of another run was made by somebody else. */
async function checkRun(
  { store }: Ports,
  actor: Actor,
  { name, version }: Attested,
  build: BuildFacts,
): Promise<void> {
  if (actor.kind !== 'job') return
  const job = await store.identity.findJob(actor.credential.id)
  const what = job === undefined ? 'job' : explainOtherRun(build, job.facts)
  if (what !== undefined) throw problem('provenance-other-run', { name, version, what })
}

/** The field of the leaf that names the bundle. */
export function attestField(kept: KeptProvenance | undefined): NonNullable<NewEvent['fields']> {
  if (kept === undefined) return {}
  return { attest: [{ type: kept.predicateType, sha256: kept.sha256 }] }
}

/** What the publisher should hear though nothing is wrong: where the source that is declared is another one. */
export function adviseSource(
  manifest: Readonly<Record<string, unknown>>,
  kept: KeptProvenance | undefined,
): string | undefined {
  if (kept === undefined || isDeclaredSource(manifest['repository'], kept.build.repository) === true)
    return undefined
  return `The provenance says that this was built from ${kept.build.repository}; package.json declares ${manifest['repository'] === undefined ? 'no repository' : 'another repository'}. Set "repository" to it, so that people find the source.`
}
