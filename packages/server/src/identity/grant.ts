// SPDX-License-Identifier: Apache-2.0
import type { Actor } from './actor.ts'
import type { Operation } from './operation.ts'

/** Only `authorize` can make one: the proof that it was asked. */
declare const asked: unique symbol

/** The right to do one operation on one subject, now. The store's write door takes nothing less. */
export interface Grant {
  readonly actor: Actor
  readonly operation: Operation
  /** Package name, organisation, account id, or empty for the instance. */
  readonly subject: string
  readonly [asked]: true
}
