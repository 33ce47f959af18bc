// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import type { Grant } from '../identity/index.ts'
import type { Ports } from '../ports.ts'

/**
 * The second factor of a write: passes when neither the account nor the package asks for one, else checks what the
 * request carried. Throws `otp-required` when nothing did.
 */
export async function provePresence(_ports: Ports, grant: Grant, packageWantsIt: boolean): Promise<void> {
  const { actor } = grant
  if (actor.kind !== 'person') return
  if (!packageWantsIt && actor.tfa !== 'auth-and-writes') return
  if (actor.credential.kind === 'token' && actor.credential.limits.bypassTfa) return
  throw problem('otp-required')
}
