// SPDX-License-Identifier: Apache-2.0
/** The fence of the sandbox: who is part of a drill acts in it alone, and nobody else changes anything in it. */
import { isDrillLogin, isDrillName } from '@holdfast/core'
import type { Actor } from './actor.ts'
import type { Needs } from './operation.ts'

/** The instance itself, where it plays an attack and cleans up after it. */
export const drillMachine = { kind: 'system', id: 'drill' } as const satisfies Actor

/** Whether somebody is part of a drill: an account that one made, or the instance playing it. */
export function actsInDrill(actor: Actor): boolean {
  if (actor.kind === 'person') return isDrillLogin(actor.login)
  return actor.kind === 'system' && actor.id === drillMachine.id
}

/** Whether an act stays on its side of the fence. Reading is everybody's, as of any package. */
export function staysInSandbox(actor: Actor, needs: Needs, subject: string): boolean {
  const isOfPackage = needs.on === 'package' || needs.on === 'name'
  if (actsInDrill(actor))
    return isOfPackage ? isDrillName(subject) : needs.on === 'self' || needs.on === 'anyone'
  return !isOfPackage || !isDrillName(subject) || (needs.on === 'package' && needs.role === 'reader')
}
