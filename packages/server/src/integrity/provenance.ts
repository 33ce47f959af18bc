// SPDX-License-Identifier: Apache-2.0
import { extname } from 'node:path'
import type { Digest, PackageName, Version } from '@holdfast/core'
import { Thread } from '../thread.ts'

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
}

/** What attestations were found to be. Roots are named by their SHA-256 in hex: another root may say something else. */
export type ProvenanceFinding =
  | { readonly kind: 'verified'; readonly build: BuildFacts; readonly root: string }
  | { readonly kind: 'broken'; readonly why: string; readonly root: string }
  /** Nobody could look: there is no trust root, or none that can be read. */
  | { readonly kind: 'unverified'; readonly why: string }

/** What the statement must be about, byte for byte. */
export interface ProvenanceSubject {
  readonly name: PackageName
  readonly version: Version
  /** Of the bytes that came in. */
  readonly digest: Digest
}

export interface ProvenanceJob {
  /** As the upstream serves them: hostile. */
  readonly text: string
  readonly subject: ProvenanceSubject
  /** File of the trusted root; undefined where the operator named none. */
  readonly rootFile: string | undefined
}

const threadUrl = new URL(`./provenance-thread${extname(import.meta.filename)}`, import.meta.url)
const thread = new Thread<ProvenanceJob, ProvenanceFinding | undefined>(threadUrl, {
  maxYoungGenerationSizeMb: 16,
  maxOldGenerationSizeMb: 128,
})

/**
 * Verifies a version's attestations in npm's wire form (`{"attestations": [{"predicateType", "bundle"}]}`) against the trusted
 * root, without a network and beside the event loop. Undefined where the text is nothing of that form, such as somebody's
 * error page, or where looking at it took more memory than there is: that proves nothing either way.
 */
export async function verifyProvenance(job: ProvenanceJob): Promise<ProvenanceFinding | undefined> {
  try {
    return await thread.run(job)
  } catch (error) {
    if (Object(error).code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error
    return undefined
  }
}
