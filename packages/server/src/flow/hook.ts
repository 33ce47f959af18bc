// SPDX-License-Identifier: Apache-2.0
/** People's own webhooks: told of what they watch, signed, again until they take it, and dead after days. */
import { randomBytes } from 'node:crypto'
import { isProblem, problem } from '@holdfast/core'
import {
  type Delivery,
  type Hook,
  hookPatienceMs,
  type News,
  parseHookUrl,
  retryAfterMs,
  toNews,
} from '../community/index.ts'
import { type Actor, authorize, type Grant, randomId } from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { addNotice } from './letter.ts'
import { sightOf } from './news.ts'
import { provePresence } from './presence.ts'
import { readerOf } from './watch.ts'
import { formatSecret, postMessage, signMessage } from './webhook-message.ts'

const maxHooks = 5
const logShown = 20
const logLifeMs = 14 * 24 * 3600_000
/** What is not in the published log yet is looked at again so soon. */
const laterMs = 2000
const secretBytes = 32
const whyLength = 300

type Person = Extract<Actor, { kind: 'person' }>

/** A hook, and what it was told last. */
export interface HookWithLog extends Hook {
  readonly log: readonly Delivery[]
}

/** The secret is told this once. */
export interface NewHook {
  readonly hook: Hook
  readonly secret: string
}

/** Somebody's hooks with their logs. */
export async function listOwnHooks(
  { store }: Pick<Ports, 'store'>,
  actor: Person,
): Promise<readonly HookWithLog[]> {
  const hooks = await store.community.listHooks(actor.id)
  return Promise.all(
    hooks.map(async hook => ({ ...hook, log: await store.hooks.listDeliveries(hook.id, logShown) })),
  )
}

/** A new address to be told of what somebody watches. Throws `invalid-body`, `webhook-limit`. */
export async function addHook(ports: Ports, actor: Person, address: string): Promise<NewHook> {
  const url = parseHookUrl(address)
  const grant = await grantOf(ports, actor)
  const has = await ports.store.community.listHooks(actor.id)
  if (has.length >= maxHooks) throw problem('webhook-limit', { count: maxHooks })
  const hook = {
    id: randomId('wh_'),
    accountId: actor.id,
    url,
    createdAt: ports.clock(),
    failingSince: null,
    isDead: false,
  }
  return keepWithSecret(ports, grant, hook, 'hook-add')
}

/** Another secret from now on, and another try where the hook was dead. Throws `webhook-not-found`. */
export async function renewHookSecret(ports: Ports, actor: Person, id: string): Promise<NewHook> {
  const grant = await grantOf(ports, actor)
  const hook = { ...(await getOwn(ports, actor, id)), failingSince: null, isDead: false }
  return keepWithSecret(ports, grant, hook, 'hook-secret')
}

/** Tells it nothing more. Throws `webhook-not-found`. */
export async function removeHook(ports: Ports, actor: Person, id: string): Promise<void> {
  const grant = await grantOf(ports, actor)
  await getOwn(ports, actor, id)
  const event = { type: 'watch', detail: { op: 'hook-remove', hook: id } } as const
  await ports.store.commit(grant, event, tx => tx.community.removeHook(id))
}

async function grantOf(ports: Ports, actor: Person): Promise<Grant> {
  const grant = await authorize(ports, actor, 'account:change', actor.id)
  await provePresence(ports, grant)
  return grant
}

async function getOwn({ store }: Ports, actor: Person, id: string): Promise<Hook> {
  const hook = await store.community.findHook(id)
  if (hook?.accountId !== actor.id) throw problem('webhook-not-found')
  return hook
}

async function keepWithSecret(
  ports: Ports,
  grant: Grant,
  made: Omit<Hook, 'secretSealed'>,
  op: string,
): Promise<NewHook> {
  const secret = formatSecret(randomBytes(secretBytes))
  const hook = { ...made, secretSealed: ports.sealer.seal(secret) }
  const event = { type: 'watch', detail: { op, hook: hook.id } } as const
  await ports.store.commit(grant, event, tx => tx.community.setHook(hook))
  return { hook, secret }
}

/** Sends what is due, each to another hook: whoever is slow keeps nobody else waiting for longer than the deadline. */
export async function deliverHooks(ports: Ports, due: readonly Delivery[]): Promise<void> {
  await Promise.all(due.map(each => deliver(ports, each)))
  await ports.store.hooks.removeOldDeliveries(ports.clock() - logLifeMs)
}

async function deliver(ports: Ports, delivery: Delivery): Promise<void> {
  const { hooks, community, identity, events } = ports.store
  const hook = await community.findHook(delivery.hookId)
  const account = hook && (await identity.findAccount(hook.accountId))
  const [event] = await events.read(delivery.position - 1, 1)
  const news = event && toNews(event)
  if (hook === undefined || account === undefined || account.disabledAt !== null || news === undefined)
    return hooks.removeDelivery(delivery)
  const sight = await sightOf(ports, readerOf(account), event as NonNullable<typeof event>)
  if (sight === 'hidden') return hooks.removeDelivery(delivery)
  if (sight === 'later') return hooks.setDelivery({ ...delivery, at: ports.clock() + laterMs })
  await send(ports, hook, news, delivery)
}

async function send(ports: Ports, hook: Hook, news: News, delivery: Delivery): Promise<void> {
  const { hooks } = ports.store
  const now = ports.clock()
  const attempts = delivery.attempts + 1
  const body = JSON.stringify(toMessage(news, ports.config.publicUrl))
  try {
    const signed = signMessage(ports.sealer.open(hook.secretSealed), `${news.id}.${hook.id}`, now, body)
    await postMessage(ports, hook.url, body, signed)
  } catch (error) {
    if (!isProblem(error)) throw error
    const why = error.message.slice(0, whyLength)
    // A crash here tries once more, as if this try had not been.
    await hooks.setDelivery({ ...delivery, attempts, at: now + retryAfterMs(attempts), why })
    if (hook.failingSince === null) await hooks.setFailing(hook.id, now)
    else if (now - hook.failingSince > hookPatienceMs) await endHook(ports, hook, why)
    return
  }
  await hooks.setDelivery({ ...delivery, state: 'done', attempts, at: now, why: '' })
  if (hook.failingSince !== null) await hooks.setFailing(hook.id, null)
}

/** Dead: what waits is dropped, and its owner hears of it. */
async function endHook(ports: Ports, hook: Hook, why: string): Promise<void> {
  const account = await ports.store.identity.findAccount(hook.accountId)
  const grant = await authorize(ports, { kind: 'system', id: 'hooks' }, 'account:watch', hook.accountId)
  const event = { type: 'watch', detail: { op: 'hook-dead', hook: hook.id, why } } as const
  const { host } = new URL(hook.url)
  await ports.store.commit(grant, event, async tx => {
    await tx.community.setHook({ ...hook, isDead: true })
    await tx.community.dropWaiting(hook.id)
    if (account !== undefined)
      await addNotice(tx, ports, account, `Your webhook to ${host} was ended, since it took nothing for days`)
  })
}

function toMessage(news: News, publicUrl: string): unknown {
  const { at, kind, package: name, version, position, path } = news
  return {
    type: `package.${kind}`,
    timestamp: new Date(at).toISOString(),
    data: {
      registry: publicUrl,
      position,
      ...(name === '' ? {} : { package: name }),
      ...(version === '' ? {} : { version }),
      url: publicUrl + encodeURI(path),
    },
  }
}
