// SPDX-License-Identifier: Apache-2.0
/** What everybody is told while something goes on. */
import { problem } from '@holdfast/core'
import { type Announcement, addLine, parseAnnouncementTitle } from '../community/index.ts'
import { type Actor, authorize, randomId } from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { provePresence } from './presence.ts'

const shown = 50

/** What is told, newest first; public. */
export function listAnnouncements({ store }: Pick<Ports, 'store'>): Promise<readonly Announcement[]> {
  return store.community.listAnnouncements(shown)
}

/** Begins to tell of something. */
export function announce(ports: Ports, actor: Actor, title: string, words: string): Promise<Announcement> {
  const begun = { id: randomId('an_'), title: parseAnnouncementTitle(title), lines: [], isOver: false }
  return keep(ports, actor, addLine(begun, words, ports.clock(), false), 'begin')
}

/** Says more of it, or that it is over. Throws `announcement-not-found`. */
export async function announceMore(
  ports: Ports,
  actor: Actor,
  id: string,
  words: string,
  isOver: boolean,
): Promise<Announcement> {
  const told = await ports.store.community.findAnnouncement(id)
  if (told === undefined) throw problem('announcement-not-found')
  return keep(ports, actor, addLine(told, words, ports.clock(), isOver), isOver ? 'end' : 'more')
}

async function keep(ports: Ports, actor: Actor, told: Announcement, op: string): Promise<Announcement> {
  const grant = await authorize(ports, actor, 'status:announce', '')
  await provePresence(ports, grant)
  const words = told.lines.at(-1)?.words ?? ''
  const event = {
    type: 'announcement',
    detail: { op, announcement: told.id, title: told.title, words },
  } as const
  // Of two who say something at once both are kept: the line is added to what stands there then.
  return ports.store.commit(grant, event, async tx => {
    const now = await tx.community.findAnnouncement(told.id)
    const line = told.lines.slice(-1)
    const kept = { ...told, lines: [...(now?.lines ?? []), ...line] }
    await tx.community.setAnnouncement(kept)
    return kept
  })
}
