// SPDX-License-Identifier: Apache-2.0
import { extname } from 'node:path'
import type { Digest, PackageName, Version } from '@holdfast/core'
import { isThreadLimit, Thread } from '../thread.ts'

/** Where a version was built, as the certificate of the build says it: the job cannot write these. Texts are empty where it says nothing. */
export interface BuildFacts {
  /** Address of the source repository. */
  readonly repository: string
  /** The commit, in hex. */
  readonly commit: string
  /** `refs/tags/v1.0.0` */
  readonly ref: string
  /** The workflow that was started, with its repository and ref. */
  readonly workflow: string
  /** Who vouched for the job: the issuer of its identity token. */
  readonly issuer: string
  /** The workflow that did the work, where it is not the one that was started; with its ref. */
  readonly builder: string
  /** `github-hosted` */
  readonly runner: string
  /** Of the source repository and its owner, which nobody can register anew. */
  readonly repositoryId: string
  readonly ownerId: string
  /** What set it off: `push`, `workflow_dispatch`. */
  readonly trigger: string
  /** Address of the run. */
  readonly run: string
  /** Of the source: `public`, `private`. */
  readonly visibility: string
  readonly environment: string
}

/** What attestations were found to be. Roots are named by their SHA-256 in hex: another root may say something else. */
export type ProvenanceFinding =
  | { readonly kind: 'verified'; readonly build: BuildFacts; readonly root: string }
  | { readonly kind: 'broken'; readonly why: string; readonly root: string }
  /** Nobody could look: there is no trust root, or none that can be read. */
  | { readonly kind: 'unverified'; readonly why: string }

/** What one bundle proves of the version it is about. */
export interface BundleFacts {
  readonly predicateType: string
  readonly build: BuildFacts
  /** SHA-256 of the trust root that it was verified under, in hex. */
  readonly root: string
  /** That root is the public Sigstore's, which every client knows. */
  readonly isPublic: boolean
  /** The newest time at which a log or a time-stamping authority saw the signature. */
  readonly signedAt: number
  /** SHA-256 over certificate and signature, in hex: the same twice is one bundle. */
  readonly signer: string
}

/** What a bundle was found to be. */
export type BundleFinding =
  | ({ readonly kind: 'verified' } & BundleFacts)
  | { readonly kind: 'broken'; readonly why: string }
  | { readonly kind: 'unverified'; readonly why: string }

/** What the statement must be about, byte for byte. */
export interface ProvenanceSubject {
  readonly name: PackageName
  readonly version: Version
  /** Of the bytes that came in. */
  readonly digest: Digest
}

export interface ProvenanceJob {
  /** As somebody serves or sends it: hostile. */
  readonly text: string
  readonly subject: ProvenanceSubject
  /** Files of the trusted roots; none where the operator named none. */
  readonly rootFiles: readonly string[]
}

/** What goes to the thread. */
export type ThreadJob = ProvenanceJob & { readonly form: 'attestations' | 'bundle' }

const threadUrl = new URL(`./provenance-thread${extname(import.meta.filename)}`, import.meta.url)
/** A good one takes milliseconds; the thread stands back behind whatever else runs. */
const withinMs = 30_000
const memory = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 128 }

type Verifier = Thread<ThreadJob, ProvenanceFinding | BundleFinding | undefined>

/** A thread that verifies, each job within a time. */
export function openVerifier(withinMs: number): Verifier {
  return new Thread(threadUrl, memory, withinMs)
}

/** Who publishes waits for nobody's upstream. */
const [ofUpstreams, ofPublishers] = [openVerifier(withinMs), openVerifier(withinMs)]

/**
 * Verifies a version's attestations in npm's wire form (`{"attestations": [{"predicateType", "bundle"}]}`) against the trusted
 * roots, without a network and beside the event loop. Undefined where the text is nothing of that form, such as somebody's
 * error page, or where looking at it takes more time or memory than it may: that proves nothing either way.
 */
export async function verifyProvenance(job: ProvenanceJob): Promise<ProvenanceFinding | undefined> {
  return run<ProvenanceFinding>(ofUpstreams, { ...job, form: 'attestations' })
}

/** The same for one bundle as a publisher sends it, of whose provenance more is wanted. */
export async function verifyBundle(job: ProvenanceJob, verifier = ofPublishers): Promise<BundleFinding> {
  const found = await run<BundleFinding>(verifier, { ...job, form: 'bundle' })
  return found ?? { kind: 'broken', why: 'it takes more time or memory to verify than it may' }
}

async function run<Found>(verifier: Verifier, job: ThreadJob): Promise<Found | undefined> {
  try {
    // The thread answers in the form that was asked for.
    return (await verifier.run(job)) as Found | undefined
  } catch (error) {
    if (!isThreadLimit(error)) throw error
    return undefined
  }
}
