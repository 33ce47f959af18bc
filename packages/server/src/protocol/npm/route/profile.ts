// SPDX-License-Identifier: Apache-2.0
/** `npm profile` (protocol reference, section 9.3). */
import { problem } from '@holdfast/core'
import * as v from 'valibot'
import {
  beginTfa,
  changePassword,
  changeProfile,
  disableTfa,
  finishTfa,
  readAccount,
  tfaState,
} from '../../../flow/index.ts'
import type { Answer, Call } from '../../../http/index.ts'
import { type Account, tfaModeOf } from '../../../identity/index.ts'
import type { Ports } from '../../../ports.ts'
import { json } from '../answer.ts'
import { readBody } from '../body.ts'
import { type Route, route } from '../router.ts'

export const profileRoutes: readonly Route[] = [
  route('GET /-/npm/v1/user', readProfile),
  route('POST /-/npm/v1/user', writeProfile),
]

const freeFields = ['fullname', 'homepage', 'freenode', 'twitter', 'github'] as const
const field = v.nullish(v.pipe(v.string(), v.maxLength(200)))
const wanted = v.object({
  password: v.nullish(v.object({ old: v.string(), new: v.string() })),
  tfa: v.nullish(
    v.union([
      v.object({ password: v.string(), mode: v.picklist(['auth-only', 'auth-and-writes', 'disable']) }),
      v.pipe(v.array(v.string()), v.length(1)),
      v.literal(false),
      // npm's `profile set` echoes what it read.
      v.object({ pending: v.boolean(), mode: v.string() }),
    ]),
  ),
  email: v.nullish(v.string()),
  fullname: field,
  homepage: field,
  freenode: field,
  twitter: field,
  github: field,
})

type Wanted = v.InferOutput<typeof wanted>

async function readProfile(ports: Ports, call: Call): Promise<Answer> {
  return json(200, profileOf(ports, await readAccount(ports, call.actor)))
}

async function writeProfile(ports: Ports, call: Call): Promise<Answer> {
  const body = await readBody(call, wanted)
  if (body.password != null) await changePassword(ports, call.actor, body.password.old, body.password.new)
  else if (Array.isArray(body.tfa))
    return json(200, { tfa: await finishTfa(ports, call.actor, body.tfa[0] ?? '') })
  else if (body.tfa && 'password' in body.tfa) return changeTfa(ports, call, body.tfa)
  else await changeFields(ports, call, body)
  return readProfile(ports, call)
}

async function changeTfa(
  ports: Ports,
  call: Call,
  tfa: { password: string; mode: 'auth-only' | 'auth-and-writes' | 'disable' },
): Promise<Answer> {
  if (tfa.mode === 'disable') {
    await disableTfa(ports, call.actor, tfa.password)
    return json(200, { tfa: false })
  }
  const address = await beginTfa(ports, call.actor, tfa.password, tfa.mode)
  return json(200, { tfa: address ?? { mode: tfa.mode } })
}

/** npm sends every member it knows, empty ones as null: what is missing altogether stays. */
async function changeFields(ports: Ports, call: Call, body: Wanted): Promise<void> {
  const account = await readAccount(ports, call.actor)
  if (body.email != null && body.email !== account.email) {
    throw problem('invalid-body', { why: 'a new address has to be proven first, on your account page' })
  }
  const given = freeFields.filter(name => body[name] !== undefined)
  await changeProfile(ports, call.actor, Object.fromEntries(given.map(name => [name, body[name] ?? ''])))
}

function profileOf(ports: Ports, account: Account): Record<string, unknown> {
  return {
    name: account.login,
    email: account.email,
    email_verified: account.emailVerifiedAt !== null,
    tfa: tfaOf(ports, account),
    ...Object.fromEntries(freeFields.map(name => [name, account.profile[name] ?? ''])),
    created: new Date(account.createdAt).toISOString(),
    updated: new Date(account.createdAt).toISOString(),
    cidr_whitelist: null,
  }
}

/** A passkey is a second factor, finished, whatever became of an authenticator. */
function tfaOf(ports: Ports, account: Account): { mode: string; pending: boolean } | false {
  if (account.tfa === 'none' && account.hasPasskey) return { mode: tfaModeOf(account), pending: false }
  return tfaState(ports, account) ?? false
}
