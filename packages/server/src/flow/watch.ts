// SPDX-License-Identifier: Apache-2.0
/** People hear of what they watch: by letter, as often as they like, while they may read it. */
import { isPackageName, isProblem, type PackageName, problem } from '@holdfast/core'
import {
  type Digest,
  formatNews,
  type News,
  toNews,
  type Watch,
  type WatchKind,
  type WatchSettings,
  watchKeysOf,
} from '../community/index.ts'
import { type Account, type Actor, authorize, may } from '../identity/index.ts'
import type { StoredEvent } from '../integrity/index.ts'
import type { Ports } from '../ports.ts'
import { addLetters, hostOf } from './letter.ts'
import { sightOf } from './news.ts'

const maxWatches = 500
const dayMs = 24 * 3600_000
/** In one letter; the rest comes with the next. */
const maxTold = 100
const accountsAtOnce = 100
/** What waits for the log for so long is told by the page that says why. */
const patienceMs = dayMs

type Person = Extract<Actor, { kind: 'person' }>

/** What somebody watches, with the names that people know publishers by. */
export interface NamedWatch extends Watch {
  readonly name: string
}

/** Watches something from now on. Throws what reading it throws, `user-not-found`, `watch-limit`. */
export async function watch(ports: Ports, actor: Person, kind: WatchKind, name: string): Promise<void> {
  const grant = await authorize(ports, actor, 'account:watch', actor.id)
  const subject = await subjectOf(ports, actor, kind, name)
  const has = await ports.store.community.listWatches(actor.id)
  if (has.some(each => each.kind === kind && each.subject === subject)) return
  if (has.length >= maxWatches) throw problem('watch-limit', { count: maxWatches })
  const made = { accountId: actor.id, kind, subject, since: ports.clock() }
  const event = { type: 'watch', detail: { op: 'add', kind, subject } } as const
  await ports.store.commit(grant, event, tx => tx.community.addWatch(made))
}

/** Ends a watch; one that there is not is fine. */
export async function unwatch(ports: Ports, actor: Person, kind: WatchKind, subject: string): Promise<void> {
  const grant = await authorize(ports, actor, 'account:watch', actor.id)
  const event = { type: 'watch', detail: { op: 'remove', kind, subject } } as const
  await ports.store.commit(grant, event, tx =>
    tx.community.removeWatch({ accountId: actor.id, kind, subject }),
  )
}

async function subjectOf(ports: Ports, actor: Person, kind: WatchKind, name: string): Promise<string> {
  if (kind === 'advisories') return ''
  if (kind === 'package') {
    if (!isPackageName(name)) throw problem('package-not-found', { name })
    await authorize(ports, actor, 'package:read', name)
    return name
  }
  if (name.startsWith('@')) {
    if (await ports.store.identity.orgExists(name.slice(1))) return name
    throw problem('user-not-found', { user: name })
  }
  const account = await ports.store.identity.findAccountByLogin(name)
  if (account === undefined) throw problem('user-not-found', { user: name })
  return account.id
}

/** What somebody watches, and how they hear of it. */
export async function listOwnWatches(
  { store }: Pick<Ports, 'store'>,
  actor: Person,
): Promise<{ readonly watches: readonly NamedWatch[]; readonly settings: WatchSettings }> {
  const watches = await store.community.listWatches(actor.id)
  const named = await Promise.all(
    watches.map(async each => {
      const isPerson = each.kind === 'publisher' && !each.subject.startsWith('@')
      const name = isPerson ? (await store.identity.findAccount(each.subject))?.login : each.subject
      return { ...each, name: name ?? '' }
    }),
  )
  return { watches: named, settings: await store.community.findWatchSettings(actor.id) }
}

/** How often letters come from now on. */
export async function setDigest(ports: Ports, actor: Person, digest: Digest): Promise<void> {
  const grant = await authorize(ports, actor, 'account:watch', actor.id)
  await keepDigest(ports, grant, actor.id, digest)
}

/** A link that ends the letters to one account, whoever opens it; it says nothing of whose they were. */
export function stopLink({ config, sealer }: Pick<Ports, 'config' | 'sealer'>, accountId: string): string {
  return `${config.publicUrl}/unwatch/${Buffer.from(sealer.seal(`unwatch ${accountId}`)).toString('base64url')}`
}

/** Ends the letters of such a link. Throws `watch-link-invalid`. */
export async function stopLetters(ports: Ports, key: string): Promise<void> {
  const accountId = readStopKey(ports, key)
  const grant = await authorize(ports, { kind: 'system', id: 'watch' }, 'account:watch', accountId)
  await keepDigest(ports, grant, accountId, 'never')
}

/** The account that a link is about. Throws `watch-link-invalid`. */
export function readStopKey({ sealer }: Pick<Ports, 'sealer'>, key: string): string {
  try {
    const [, id] = /^unwatch (a_[0-9a-f]+)$/.exec(sealer.open(Buffer.from(key, 'base64url').toString())) ?? []
    if (id !== undefined) return id
  } catch (error) {
    if (!isProblem(error)) throw error
  }
  throw problem('watch-link-invalid')
}

async function keepDigest(
  ports: Ports,
  grant: Awaited<ReturnType<typeof authorize>>,
  account: string,
  digest: Digest,
): Promise<void> {
  const before = await ports.store.community.findWatchSettings(account)
  const event = { type: 'watch', detail: { op: 'digest', digest, account } } as const
  await ports.store.commit(grant, event, tx => tx.community.setWatchSettings(account, { ...before, digest }))
}

/** The event consumer: notes for whom something waits to be told. */
export async function noteForWatchers(ports: Ports, events: readonly StoredEvent[]): Promise<void> {
  for (const event of events) {
    if (toNews(event) === undefined) continue
    const watchers = await ports.store.watches.listWatchers(watchKeysOf(event))
    if (watchers.length === 0) continue
    await ports.store.watches.addDue(watchers, event.position)
    await ports.store.hooks.addDeliveries(watchers, event.position, ports.clock())
  }
}

/** The job: one letter to each for whom something waits, when they want it. Safe to run again at any time. */
export async function tellWatchers(ports: Ports): Promise<void> {
  let after = ''
  for (;;) {
    const accounts = await ports.store.watches.listDueAccounts(accountsAtOnce, after)
    for (const id of accounts) await tellWatcher(ports, id)
    const last = accounts.at(-1)
    if (last === undefined) return
    after = last
  }
}

async function tellWatcher(ports: Ports, id: string): Promise<void> {
  const { store } = ports
  const account = await store.identity.findAccount(id)
  const settings = await store.community.findWatchSettings(id)
  const now = ports.clock()
  if (settings.digest === 'daily' && now - settings.toldAt < dayMs) return
  const wants = account !== undefined && hears(account) && settings.digest !== 'never'
  const due = await store.watches.listDue(id, maxTold)
  const { told, done } = wants ? await readDue(ports, account, due) : { told: [], done: due }
  if (done.length === 0) return
  const grant = await authorize(ports, { kind: 'system', id: 'watch' }, 'account:watch', id)
  await store.commit(grant, [], async tx => {
    await tx.community.removeDue(id, done)
    if (account === undefined || told.length === 0) return
    await tx.community.setWatchSettings(id, { ...settings, toldAt: now })
    await addLetters(tx, [account.email], subjectLine(ports, told), letterLines(ports, account, told))
  })
}

function hears({ disabledAt, emailVerifiedAt }: Account): boolean {
  return disabledAt === null && emailVerifiedAt !== null
}

/** What of it may be told now; what is not in the published log yet waits, a day at most. */
async function readDue(
  ports: Ports,
  account: Account,
  due: readonly number[],
): Promise<{ readonly told: readonly News[]; readonly done: readonly number[] }> {
  const actor = readerOf(account)
  const told: News[] = []
  const done: number[] = []
  for (const position of due) {
    const [event] = await ports.store.events.read(position - 1, 1)
    const news = event && toNews(event)
    const sight = event === undefined || news === undefined ? 'hidden' : await sightOf(ports, actor, event)
    if (sight === 'later' && ports.clock() - (event?.at ?? 0) < patienceMs) continue
    if (news !== undefined && sight === 'shown') told.push(news)
    if (sight === 'hidden') await endWhereUnreadable(ports, actor, event?.pkg ?? null)
    done.push(position)
  }
  return { told, done }
}

/** A watch ends when the right to read ends. */
async function endWhereUnreadable(ports: Ports, actor: Person, name: PackageName | null): Promise<void> {
  if (name === null || (await may(ports, actor, 'package:read', name))) return
  await unwatch(ports, actor, 'package', name)
}

/** Somebody as a reader, without a request of theirs. */
export function readerOf(account: Account): Person {
  return {
    kind: 'person',
    id: account.id,
    login: account.login,
    roles: account.roles,
    verified: account.emailVerifiedAt !== null,
    tfa: account.tfa,
    hasPasskey: account.hasPasskey,
    credential: { kind: 'session', id: '', freshUntil: 0 },
    from: { address: '', client: '', web: false },
  }
}

function subjectLine({ config }: Ports, told: readonly News[]): string {
  const [first] = told
  const what =
    told.length === 1 && first !== undefined ? formatNews(first) : `${told.length} things you watch changed`
  return `${what} – ${hostOf(config.publicUrl)}`
}

function letterLines(ports: Ports, { id, login }: Account, told: readonly News[]): readonly string[] {
  const { publicUrl } = ports.config
  return [
    `Hello ${login},`,
    '',
    ...told.flatMap(news => [
      `${new Date(news.at).toISOString().slice(0, 16).replace('T', ' ')} ${formatNews(news)}`,
      `  ${publicUrl}${encodeURI(news.path)}`,
    ]),
    '',
    `What you watch, and how often you hear of it: ${publicUrl}/account/watches`,
    `No more of these letters: ${stopLink(ports, id)}`,
  ]
}
