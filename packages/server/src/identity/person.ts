// SPDX-License-Identifier: Apache-2.0
import type { Actor, Credential, Whence } from './actor.ts'
import type { Account } from './port.ts'

export type Person = Extract<Actor, { kind: 'person' }>

/** Who somebody is, wherever a request of theirs comes from. */
export type PersonIdentity = Omit<Person, 'from'>

/** The account as somebody who acts. */
export function toPerson(account: Account, credential: Credential, from: Whence): Person {
  return { ...toIdentity(account, credential), from }
}

/** The same before it is known where from. */
export function toIdentity(account: Account, credential: Credential): PersonIdentity {
  const { id, login, roles, tfa, hasPasskey } = account
  return {
    kind: 'person',
    id,
    login,
    roles,
    tfa,
    hasPasskey,
    verified: account.emailVerifiedAt !== null,
    ...mustChange(account, credential),
    credential,
  }
}

/** Tokens go on: they were not made from the password, and a build must not stop for it. */
function mustChange(account: Account, credential: Credential): Pick<Person, 'mustChangePassword'> {
  return account.passwordLeakedAt !== null && credential.kind !== 'token' ? { mustChangePassword: true } : {}
}
