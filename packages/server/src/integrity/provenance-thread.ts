// SPDX-License-Identifier: Apache-2.0
/** The thread that verifies provenance: one document of attestations in, what was found out. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { answerJobs, standBack } from '../thread.ts'
import { checkAttestations, readAttestations, readTrustRoot, type TrustRoot } from './attestation.ts'
import { checkBundle } from './bundle.ts'
import type { BundleFinding, ProvenanceFinding, ThreadJob } from './provenance.ts'

/** By file; forgotten when the thread rests, so that a new root is seen soon. */
const roots = new Map<string, Promise<TrustRoot>>()

standBack()
answerJobs<ThreadJob, ProvenanceFinding | BundleFinding | undefined>(
  async ({ form, text, subject, rootFiles }) => {
    const attestations = form === 'bundle' ? [] : readAttestations(text)
    if (attestations === undefined) return undefined
    if (rootFiles.length === 0) return { kind: 'unverified', why: 'no trust root is configured' }
    try {
      const opened = await Promise.all(rootFiles.map(openRoot))
      return form === 'bundle'
        ? checkBundle(text, subject, opened)
        : checkAttestations(attestations, subject, opened)
    } catch (error) {
      // Only the roots are still trusted here: what attestations do to the check is caught there.
      return { kind: 'unverified', why: `the trust root cannot be used: ${String(error)}` }
    }
  },
)

function openRoot(file: string): Promise<TrustRoot> {
  const known = roots.get(file)
  if (known !== undefined) return known
  const read = readFile(file, 'utf8').then(text =>
    readTrustRoot(text, createHash('sha256').update(text).digest('hex')),
  )
  roots.set(file, read)
  read.catch(() => roots.delete(file))
  return read
}
