// SPDX-License-Identifier: Apache-2.0
/** What assessments of this registry found: kept, signed, and told when a capability turns red. */
import { problem } from '@holdfast/core'
import {
  type AssessmentResult,
  findTurnedRed,
  type KeptAssessment,
  parseAssessment,
} from '../community/index.ts'
import { type Actor, authorize } from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { tellStaff } from './letter.ts'

const maxBytes = 2 * 1024 * 1024

/**
 * Keeps what `holdfast assess self --json` printed, signed by the registry's key; staff hear by letter of what passed the last time
 * and does not any more. Returns those ids. Throws `assessment-unreadable` for anything else.
 */
export async function keepAssessment(ports: Ports, actor: Actor, text: string): Promise<readonly string[]> {
  const result = text.length <= maxBytes ? parseAssessment(text) : undefined
  if (result === undefined) throw problem('assessment-unreadable')
  const grant = await authorize(ports, actor, 'instance:operate', '')
  const passed = result.capabilities.filter(({ status }) => status === 'pass').length
  const { signer, clock } = ports
  const signed = { keyId: signer.keyId, signature: signer.sign(text) }
  const kept: KeptAssessment = { at: clock(), release: result.release, passed, text, ...signed }
  const detail = { release: result.release, passed, of: result.capabilities.length }
  return ports.store.commit(grant, { type: 'assessment', detail }, async tx => {
    const before = await findLastAssessment(tx)
    const red = before === undefined ? [] : findTurnedRed(before, result)
    await tx.assessments.add(kept)
    if (red.length > 0) await tellOfRed(tx, ports, red)
    return red
  })
}

/** What the newest result says; undefined where there is none. */
export async function findLastAssessment({
  assessments,
}: Pick<Ports['store'], 'assessments'>): Promise<AssessmentResult | undefined> {
  const [last] = await assessments.list(1)
  const kept = last && (await assessments.find(last.at))
  return kept && parseAssessment(kept.text)
}

async function tellOfRed(tx: Tx, ports: Ports, red: readonly string[]): Promise<void> {
  const page = `${ports.config.publicUrl}/security`
  await tellStaff(
    tx,
    ports,
    `${red.length} security ${red.length === 1 ? 'capability' : 'capabilities'} turned red`,
    [
      'The last self-assessment found that this is no longer so:',
      '',
      ...red.map(id => `${page}#${id}`),
      '',
      'The page says what the check found. Nothing else was changed.',
    ],
  )
}
