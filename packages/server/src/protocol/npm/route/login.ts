// SPDX-License-Identifier: Apache-2.0
/** Signing in and out (protocol reference, sections 3.2, 9.1 and 9.2). */
import { problem } from '@holdfast/core'
import * as v from 'valibot'
import { beginLogin, loginByPassword, pollApproval, signOutToken, signUp } from '../../../flow/index.ts'
import type { Answer, Call } from '../../../http/index.ts'
import type { Whence } from '../../../identity/index.ts'
import type { Ports } from '../../../ports.ts'
import { done, json } from '../answer.ts'
import { part, readBody } from '../body.ts'
import { type Params, type Route, route } from '../router.ts'

// npm sends its old token when it signs in anew, and polls with it.
const open = { openToBadCredentials: true }
const pollAfterSeconds = '2'
const userPrefix = 'org.couchdb.user:'

export const loginRoutes: readonly Route[] = [
  route('POST /-/v1/login', startLogin, open),
  // npm polls with the method and body of the command it waits for.
  route('GET /-/v1/done', poll, open),
  route('PUT /-/v1/done', poll, open),
  route('DELETE /-/v1/done', poll, open),
  route('PUT /-/user/:user', couchLogin, open),
  route('PUT /-/user/:user/-rev/:rev', couchLogin, open),
  route('GET /-/user/:user', findUser),
  route('DELETE /-/user/token/:token', logout, open),
  route('GET /-/whoami', whoami),
]

const credentials = v.object({ name: v.string(), password: v.string(), email: v.nullish(v.string()) })

async function startLogin(ports: Ports, call: Call): Promise<Answer> {
  return json(200, await beginLogin(ports, fromOf(call)))
}

async function poll(ports: Ports, call: Call): Promise<Answer> {
  const polled = await pollApproval(ports, call.query.get('authId') ?? '', fromOf(call))
  if (polled.state === 'granted') return json(200, { token: polled.token })
  // Without the header npm polls in a tight loop; without a JSON body it fails.
  return json(202, {}, { 'retry-after': pollAfterSeconds })
}

/** A password gives a token at once, with or without `-rev`: there is never a conflict to resolve. */
async function couchLogin(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const login = userOf(params)
  const { name, password, email } = await readBody(call, credentials)
  if (name !== login) throw problem('invalid-body', { why: 'its name is not the one in the address' })
  const from = fromOf(call)
  const isNew =
    typeof email === 'string' && (await ports.store.identity.findAccountByLogin(login)) === undefined
  if (isNew) await signUp(ports, { login, email, password }, from)
  const { secret } = await loginByPassword(ports, { login, password }, from)
  return json(201, { ok: true, id: userPrefix + login, rev: '1-holdfast', token: secret })
}

async function findUser(ports: Ports, call: Call, params: Params): Promise<Answer> {
  const login = userOf(params)
  if (call.actor.kind === 'nobody' && ports.config.read === 'signed-in') throw problem('unauthenticated')
  const account = await ports.store.identity.findAccountByLogin(login)
  if (account === undefined || account.disabledAt !== null) throw problem('user-not-found', { user: login })
  return json(200, {
    _id: userPrefix + account.login,
    _rev: '1-holdfast',
    name: account.login,
    // Addresses are not for strangers to collect.
    ...(call.actor.kind === 'nobody' ? {} : { email: account.email }),
    type: 'user',
    roles: [],
    date: new Date(account.createdAt).toISOString(),
  })
}

async function logout(ports: Ports, call: Call, params: Params): Promise<Answer> {
  await signOutToken(ports, part(params, 'token'), fromOf(call))
  return done
}

async function whoami(_ports: Ports, call: Call): Promise<Answer> {
  if (call.actor.kind === 'robot') return json(200, { username: call.actor.name })
  if (call.actor.kind !== 'person') throw problem('unauthenticated')
  return json(200, { username: call.actor.login })
}

function userOf(params: Params): string {
  const id = part(params, 'user')
  if (!id.startsWith(userPrefix)) throw problem('not-found')
  return id.slice(userPrefix.length)
}

/** Where a request came from, whoever sent it. */
export function fromOf(call: Call): Whence {
  const { actor } = call
  return 'from' in actor ? actor.from : { address: '', client: '', web: false }
}
