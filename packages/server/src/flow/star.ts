// SPDX-License-Identifier: Apache-2.0
import { type PackageName, problem } from '@holdfast/core'
import { amend } from '../catalog/index.ts'
import { type Actor, may } from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { openPackage } from './package.ts'

/** Sets or takes away the star of whoever asks, and of nobody else. */
export async function star(ports: Ports, actor: Actor, name: PackageName, starred: boolean): Promise<void> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  const { grant } = await openPackage(ports, actor, 'package:star', name)
  const has = (await ports.store.catalog.listStars(name)).includes(actor.login)
  if (has === starred) return
  await ports.store.commit(grant, { type: 'star', pkg: name, detail: { starred } }, tx =>
    amend(tx.catalog, name, ports.clock(), () => tx.catalog.setStar(name, actor.id, starred)),
  )
}

/** What a user starred, as far as whoever asks may read it. Throws `user-not-found`. */
export async function listStars(ports: Ports, actor: Actor, login: string): Promise<readonly PackageName[]> {
  if ((await ports.store.identity.findAccountByLogin(login)) === undefined)
    throw problem('user-not-found', { user: login })
  const all = await ports.store.catalog.listStarredBy(login)
  const readable = await Promise.all(all.map(name => may(ports, actor, 'package:read', name)))
  return all.filter((_, index) => readable[index])
}
