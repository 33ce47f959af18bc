// SPDX-License-Identifier: Apache-2.0

import { problem } from '@holdfast/core'
import type { Context } from 'hono'
import type { Call } from '../http/index.ts'
import type { Actor, InstanceRole, Person, Whence } from '../identity/index.ts'
import type { Ports } from '../ports.ts'

/** What every page finds in its context. */
export interface WebEnv {
  Bindings: { readonly call: Call; readonly ports: Ports }
}

export type PageContext = Context<WebEnv>

/** Somebody signed in with a browser. */
export type Visitor = Person & { readonly credential: { readonly kind: 'session' } }

/** Who is signed in with a browser; tokens and passwords in headers are for clients, not for pages. */
export function findVisitor(actor: Actor): Visitor | undefined {
  return actor.kind === 'person' && actor.credential.kind === 'session' ? (actor as Visitor) : undefined
}

/** The one who is signed in. Throws `unauthenticated`, which leads to the sign-in page and back. */
export function getVisitor(c: PageContext): Visitor {
  const visitor = findVisitor(c.env.call.actor)
  if (visitor === undefined) throw problem('unauthenticated')
  return visitor
}

/** The one who is signed in and has one of these roles. To everybody else the page does not exist. */
export function getHolder(c: PageContext, ...roles: readonly InstanceRole[]): Visitor {
  const visitor = getVisitor(c)
  if (!roles.some(role => hasRole(visitor, role))) throw problem('not-found')
  return visitor
}

export const getOperator = (c: PageContext): Visitor => getHolder(c, 'operator')

/** Whoever has any role here. */
export const getStaff = (c: PageContext): Visitor => getHolder(c, 'operator', 'responder', 'auditor')

/** Where a request came from. */
export function whenceOf(c: PageContext): Whence {
  const { actor } = c.env.call
  // Requests are made by people or by nobody; the machine's owner and the system send none.
  return 'from' in actor ? actor.from : { address: '', client: '', web: false }
}

export function hasRole(visitor: Visitor | undefined, role: InstanceRole): boolean {
  return visitor?.roles.includes(role) ?? false
}
