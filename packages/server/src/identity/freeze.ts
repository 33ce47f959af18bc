// SPDX-License-Identifier: Apache-2.0
import { isPackageName, problem, scopeOf } from '@holdfast/core'
import type { Store } from '../ports.ts'
import type { Actor } from './actor.ts'
import { type Operation, operations, type Rule } from './operation.ts'

/** What still works for a frozen account: it may be the victim's, and must be able to come back. */
const alwaysOpen: ReadonlySet<Operation> = new Set([
  'account:password',
  'account:address',
  'account:change',
  'account:recover',
  'account:sign-out',
  'session:create',
  'package:review',
])
const publishing: ReadonlySet<Operation> = new Set([
  'package:create',
  'package:publish',
  'package:stage',
  'package:approve',
])

/** Every freeze that would refuse this to this actor, as the subjects that measures name; none for what only reads. */
export function closures(actor: Actor, operation: Operation, subject: string): readonly string[] {
  if (actor.kind === 'operator' || actor.kind === 'system') return []
  if (operation === 'account:create') return ['registry', 'sign-up']
  // A frozen package may be opened again by whoever froze it.
  if (operation === 'package:freeze') return ofActor(actor)
  const rule: Rule = operations[operation]
  const { on } = rule.needs
  if (alwaysOpen.has(operation) || !(rule.token === 'write' || rule.token === 'manage' || rule.presence))
    if (operation !== 'package:stage') return []
  return [
    // Responders must be able to work while nobody else can.
    ...(on === 'instance' ? [] : ['registry']),
    ...(publishing.has(operation) ? ['publishing'] : []),
    ...ofActor(actor),
    ...ofSubject(on, subject),
  ]
}

/** Throws `frozen` when any of these is closed now. */
export async function checkNotFrozen(
  { measures }: Pick<Store, 'measures'>,
  subjects: readonly string[],
): Promise<void> {
  if (subjects.length === 0) return
  const found = await measures.findFreeze(subjects)
  if (found === undefined) return
  const [kind = '', ...rest] = found.subject.split(':')
  // An account or a publisher is named by an opaque id, which tells nobody anything.
  const what = kind === 'account' || kind === 'publisher' ? `this ${kind}` : [kind, ...rest].join(' ')
  throw problem('frozen', { what, why: found.words === '' ? found.reason : found.words })
}

function ofActor(actor: Actor): readonly string[] {
  if (actor.kind === 'person') return [`account:${actor.id}`]
  if (actor.kind === 'job' || actor.kind === 'robot') return [`publisher:${actor.id}`]
  return []
}

function ofSubject(on: Rule['needs']['on'], subject: string): readonly string[] {
  if (on === 'org') return [`scope:@${subject}`]
  if ((on !== 'package' && on !== 'name') || !isPackageName(subject)) return []
  const scope = scopeOf(subject)
  return [`package:${subject}`, ...(scope === undefined ? [] : [`scope:${scope}`])]
}
