// SPDX-License-Identifier: Apache-2.0
/** Checks what browsers answer (WebAuthn level 3, sections 7.1 and 7.2); the library is loaded when it is first needed. */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import * as v from 'valibot'
import { type Account, authorize, type Passkey, toPerson, type Whence } from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { guess } from './guess.ts'
import { addNotice } from './letter.ts'
import { getPasskeyPlace, type PasskeyAnswer, refused, takeChallenge } from './passkey-challenge.ts'

/** EdDSA, ES256, RS256: what every authenticator of today can do. */
export const algorithms: readonly number[] = [-8, -7, -257]

const maxTextBytes = 32 * 1024
const encoded = v.pipe(v.string(), v.regex(/^[\w-]{1,20000}$/))
const credential = { id: encoded, rawId: encoded, type: v.literal('public-key') }
const registration = v.object({
  ...credential,
  response: v.object({
    clientDataJSON: encoded,
    attestationObject: encoded,
    transports: v.optional(
      v.pipe(v.array(v.pipe(v.string(), v.regex(/^[a-z-]{1,20}$/))), v.maxLength(8)),
      [],
    ),
  }),
})
const assertion = v.object({
  ...credential,
  response: v.object({
    clientDataJSON: encoded,
    authenticatorData: encoded,
    signature: encoded,
    userHandle: v.nullish(encoded),
  }),
})

/** A credential that a browser made just now, for the account that its challenge names. */
export type NewCredential = Pick<
  Passkey,
  'id' | 'accountId' | 'rpId' | 'publicKey' | 'counter' | 'transports' | 'backedUp'
>

/** The new credential in an answer. Throws `passkey-refused`. */
export async function readNewCredential(
  ports: Ports,
  answer: PasskeyAnswer,
  purpose: string,
): Promise<NewCredential> {
  const { rpId, origin } = getPasskeyPlace(ports)
  const { challenge, accountId } = await takeChallenge(ports, answer.sealed, purpose)
  const parsed = parseAnswer(registration, answer.text)
  await checkAttestation(parsed.response.attestationObject)
  const response = { ...parsed, clientExtensionResults: {} } as RegistrationResponseJSON
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server')
  const { registrationInfo } = await verifyRegistrationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: rpId,
    // A device that was found unlocked must not be enough.
    requireUserVerification: true,
    supportedAlgorithmIDs: [...algorithms],
  }).catch(error => {
    throw refused(wordsFor(error))
  })
  if (registrationInfo === undefined) throw refused('its signature is wrong')
  const { id, publicKey, counter } = registrationInfo.credential
  const backedUp = registrationInfo.credentialBackedUp
  const { transports } = parsed.response
  return { id, accountId, rpId, publicKey: encode(publicKey), counter, transports, backedUp }
}

/**
 * The account whose passkey answered: `owner`'s where somebody is known already, else whoever the passkey says. Failures
 * have counters of their own, so wrong passwords never stand in the way. Throws `passkey-refused`, `rate-limited`.
 */
export async function proveByPasskey(
  ports: Ports,
  answer: PasskeyAnswer,
  purpose: string,
  from: Whence,
  owner?: string,
): Promise<Account> {
  const { challenge } = await takeChallenge(ports, answer.sealed, purpose)
  const parsed = parseAnswer(assertion, answer.text)
  const passkey = await ports.store.identity.findPasskey(parsed.id)
  const account = passkey && (await ports.store.identity.findAccount(passkey.accountId))
  let fault: string | undefined
  const isRight = await guess(ports, 'passkey', account?.id ?? 'unknown', from.address, async () => {
    fault = await findFault(ports, { parsed, passkey, account, challenge, owner, from })
    return fault === undefined
  })
  if (!isRight || account === undefined) throw refused(fault ?? 'nobody here has it')
  return account
}

interface Claim {
  readonly parsed: v.InferOutput<typeof assertion>
  readonly passkey: Passkey | undefined
  readonly account: Account | undefined
  readonly challenge: string
  readonly owner: string | undefined
  readonly from: Whence
}

async function findFault(ports: Ports, claim: Claim): Promise<string | undefined> {
  const { parsed, passkey, account, owner } = claim
  // A disabled account answers like an unknown one.
  if (passkey === undefined || account === undefined || account.disabledAt !== null)
    return 'nobody here has it'
  // Somebody else's passkey in one's own session would confirm what its owner never saw.
  if (owner !== undefined && account.id !== owner) return 'it belongs to another account'
  const { userHandle } = parsed.response
  // Section 7.2, step 6: the handle that the authenticator kept must name the owner of the credential.
  if (userHandle != null ? userHandle !== encode(account.id) : owner === undefined)
    return 'it belongs to another account'
  const said = await verifySignature(ports, claim, passkey)
  if (typeof said === 'string') return said
  // Section 7.2, step 22: of two who bring one counter one is a copy.
  if (await ports.store.upkeep.usePasskey(passkey.id, said, ports.clock())) return undefined
  await tellOfCopy(ports, account, passkey, claim.from)
  return counterWords
}

/** What the authenticator says of itself, or what is wrong. */
async function verifySignature(
  ports: Ports,
  { parsed, challenge }: Claim,
  passkey: Passkey,
): Promise<Pick<Passkey, 'counter' | 'backedUp'> | string> {
  const { rpId, origin } = getPasskeyPlace(ports)
  const { userHandle, ...response } = parsed.response
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server')
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { ...parsed, response, clientExtensionResults: {} } as AuthenticationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
      // The counter is compared in the store, where others who bring it wait.
      credential: { id: passkey.id, publicKey: decode(passkey.publicKey), counter: -1 },
    })
    if (!verified) return 'its signature is wrong'
    return { counter: authenticationInfo.newCounter, backedUp: authenticationInfo.credentialBackedUp }
  } catch (error) {
    return wordsFor(error)
  }
}

const counterWords = 'its counter went back, as that of a copy does'

/** A counter that goes back means two authenticators with one key: its owner must hear of it. */
async function tellOfCopy(ports: Ports, account: Account, passkey: Passkey, from: Whence): Promise<void> {
  const actor = toPerson(account, { kind: 'password' }, from)
  const grant = await authorize(ports, actor, 'session:create', account.id)
  const detail = { account: account.id, op: 'passkey-counter-back', passkey: passkey.id }
  await ports.store.commit(grant, { type: 'account-change', detail }, tx =>
    addNotice(
      tx,
      ports,
      account,
      `A copy of your passkey '${passkey.name}' may have been tried, and was refused,`,
    ),
  )
}

/** Certificates would have the library ask addresses that a stranger wrote into them; we asked for none (attestation `none`). */
async function checkAttestation(text: string): Promise<void> {
  const { decodeAttestationObject } = await import('@simplewebauthn/server/helpers')
  try {
    const decoded = decodeAttestationObject(decode(text))
    const fmt = decoded.get('fmt')
    if (fmt === 'none' || (fmt === 'packed' && decoded.get('attStmt').get('x5c') === undefined)) return
  } catch {
    throw refused('it could not be read')
  }
  throw refused('it came with a certificate that nobody asked for')
}

function parseAnswer<T extends v.GenericSchema>(schema: T, text: string): v.InferOutput<T> {
  if (text.length > maxTextBytes) throw refused('it could not be read')
  try {
    return v.parse(schema, JSON.parse(text))
  } catch {
    throw refused(text === '' ? 'the browser sent none' : 'it could not be read')
  }
}

/** What the library found, in words for people. */
function wordsFor(error: unknown): string {
  const message = error instanceof Error ? error.message : ''
  const found = words.find(([pattern]) => pattern.test(message))
  return found?.[1] ?? 'it could not be read'
}

const words: readonly (readonly [RegExp, string])[] = [
  [/origin/i, 'it was used on another site'],
  [/RP ID/i, 'it belongs to another site'],
  [/challenge/i, 'it answers another request'],
  [/user could not be verified/i, 'the device did not check that it is you (by PIN, finger or face)'],
  [/user not present|User presence/i, 'nobody touched it'],
  [/\balg\b/i, 'its kind of key is not supported'],
]

function encode(bytes: Uint8Array | string): string {
  return Buffer.from(bytes).toString('base64url')
}

function decode(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, 'base64url'))
}
