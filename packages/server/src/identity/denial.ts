// SPDX-License-Identifier: Apache-2.0
import { isProblem } from '@holdfast/core'
import type { Ports } from '../ports.ts'
import { type Actor, actorId } from './actor.ts'
import type { Operation } from './operation.ts'

/** Puts a refusal of somebody with credentials into the record; what nobody tries is noise. */
export function noteDenial(
  ports: Partial<Pick<Ports, 'trail'>>,
  actor: Actor,
  operation: Operation,
  subject: string,
  refusal: unknown,
): void {
  if (!isProblem(refusal) || !('from' in actor) || actor.kind === 'nobody') return
  const { address, client } = actor.from
  const accountId = actorId(actor)
  ports.trail?.note({
    type: 'denied',
    accountId,
    what: operation,
    subject,
    why: refusal.code,
    address,
    client,
  })
}
