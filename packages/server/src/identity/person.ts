// SPDX-License-Identifier: Apache-2.0
import type { Actor, Credential, Whence } from './actor.ts'
import type { Account } from './port.ts'

export type Person = Extract<Actor, { kind: 'person' }>

/** The account as somebody who acts. */
export function toPerson(account: Account, credential: Credential, from: Whence): Person {
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
    from,
  }
}

/** Tokens go on: they were not made from the password, and a build must not stop for it. */
export function mustChange(account: Account, credential: Credential): Pick<Person, 'mustChangePassword'> {
  return account.passwordLeakedAt !== null && credential.kind !== 'token' ? { mustChangePassword: true } : {}
}
