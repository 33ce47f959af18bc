// SPDX-License-Identifier: Apache-2.0
/** One bundle as a publisher sends it: provenance, or nothing. */
import { parseJson } from '@holdfast/core'
import { Broken, checkSigned, openBundle, provenanceTypes, type TrustRoot, wordsOf } from './attestation.ts'
import type { BundleFinding, ProvenanceSubject } from './provenance.ts'

/** Whether the text is a bundle of provenance of these very bytes that holds under one of the roots. */
export function checkBundle(
  text: string,
  subject: ProvenanceSubject,
  roots: readonly TrustRoot[],
): BundleFinding {
  try {
    const opened = openBundle(parseJson(text))
    const { predicateType } = opened
    if (typeof predicateType !== 'string' || !provenanceTypes.has(predicateType))
      throw new Broken('it is no provenance')
    const { build, root, signedAt, signer } = checkSigned(opened, subject, roots)
    const { digest, isPublic } = root
    return { kind: 'verified', predicateType, build, root: digest, isPublic, signedAt, signer }
  } catch (error) {
    return { kind: 'broken', why: wordsOf(error) }
  }
}
