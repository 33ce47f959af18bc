// SPDX-License-Identifier: Apache-2.0
/** Somebody with a passkey in a browser, for tests of what only a touch approves. */
import {
  makeSoftwarePasskey,
  type RequestOptions,
  type SoftwarePasskey,
} from '../../cli/src/assess/software-passkey.ts'
import { beginPasskey, beginPasskeyApproval, finishPasskey, type PasskeyAnswer } from '../src/flow/index.ts'
import { type Account, type Person, toPerson } from '../src/identity/index.ts'
import { type Someone, type World, whence } from './world.ts'

/** Somebody signed in with a browser, whose passkey is at hand. */
export interface Touching extends Someone {
  readonly actor: Person
  readonly cookie: string
  readonly passkey: SoftwarePasskey
  /** A touch for one command or one staged version. */
  touch(id: string): Promise<PasskeyAnswer>
}

/** Makes them. */
export async function somebodyTouching(world: World, login: string): Promise<Touching> {
  const { ports } = world
  const who = await world.someone(login)
  const { session, cookie } = await world.browse(who)
  const account = (await ports.store.identity.findAccount(who.id)) as Account
  const { id, freshUntil } = session
  const person = toPerson(account, { kind: 'session', id, freshUntil }, whence)
  const passkey = makeSoftwarePasskey(world.url.replace('127.0.0.1', 'localhost'))
  const { options, sealed } = await beginPasskey(ports, person)
  const text = passkey.create(options as Parameters<SoftwarePasskey['create']>[0])
  await finishPasskey(ports, person, { sealed, text }, 'laptop')
  const actor: Person = { ...person, hasPasskey: true }
  return {
    ...who,
    // For acts that are not about presence.
    token: await world.token(who, { bypassTfa: true, withFactor: true }),
    actor,
    cookie,
    passkey,
    async touch(approval) {
      const wish = await beginPasskeyApproval(ports, actor, { id: approval })
      return { sealed: wish.sealed, text: passkey.get(wish.options as RequestOptions) }
    },
  }
}
