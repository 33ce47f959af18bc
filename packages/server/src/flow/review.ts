// SPDX-License-Identifier: Apache-2.0
/** The register of security reviews, and the word to operators when the next one is due. */
import { problem } from '@holdfast/core'
import { type Review, type ReviewDraft, reviewReminderMs, reviewState } from '../community/index.ts'
import { type Actor, authorize, randomId } from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { tellStaff } from './letter.ts'
import { provePresence } from './presence.ts'

/** Every review, newest first; public. */
export function listReviews({ store }: Pick<Ports, 'store'>): Promise<readonly Review[]> {
  return store.community.listReviews()
}

/** Enters a review, or with an id changes what stands there: what was open may be mended now. Throws `review-not-found`. */
export async function setReview(
  ports: Ports,
  actor: Actor,
  draft: ReviewDraft,
  id?: string,
): Promise<Review> {
  const grant = await authorize(ports, actor, 'instance:operate', '')
  await provePresence(ports, grant)
  if (id !== undefined && (await ports.store.community.findReview(id)) === undefined)
    throw problem('review-not-found')
  const review = { ...draft, id: id ?? randomId('rv_'), changedAt: ports.clock() }
  const event = { type: 'review', detail: { op: id === undefined ? 'add' : 'change', ...review } } as const
  await ports.store.commit(grant, event, tx => tx.community.setReview(review))
  return review
}

/** Tells operators that a review is due or overdue. One that never had any is reminded when it is as old as that. */
export async function remindOfReview(ports: Ports): Promise<void> {
  const now = ports.clock()
  const reviews = await listReviews(ports)
  const state = reviewState(reviews, now)
  const [first] = await ports.store.events.read(0, 1)
  const isYoung = first === undefined || now - first.at < reviewReminderMs
  if (state === 'current' || (state === 'none' && isYoung)) return
  const newest = reviews[0]?.date
  const what =
    newest === undefined ? 'No security review is on record' : `The last security review is of ${newest}`
  const grant = await authorize(ports, { kind: 'system', id: 'review-reminder' }, 'instance:operate', '')
  const { publicUrl } = ports.config
  const event = { type: 'review', detail: { op: 'remind', state } } as const
  await ports.store.commit(grant, event, tx =>
    tellStaff(tx, ports, 'A security review is due', [
      `${what} on ${publicUrl}.`,
      '',
      'The capability general-3-review is red once the newest is older than 12 months.',
      `Enter the next one, with its scope, findings and remedies: ${publicUrl}/operate/reviews`,
    ]),
  )
}
