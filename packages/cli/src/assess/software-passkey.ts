// SPDX-License-Identifier: Apache-2.0
/** An authenticator in software (WebAuthn level 3, sections 6.1 and 6.5): what a browser and its device answer together. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** What a page asks for to make a passkey, as far as it is looked at here. */
export interface CreationOptions {
  readonly challenge: string
  readonly rp: { readonly id: string }
  readonly user: { readonly id: string }
}

/** What a page asks for to use one. */
export interface RequestOptions {
  readonly challenge: string
  readonly rpId: string
}

/** What is wrong with an answer, on purpose. */
export interface Faults {
  /** The page it claims to come from. */
  readonly origin?: string
  readonly rpId?: string
  readonly challenge?: string
  /** The device did not ask for PIN, finger or face. */
  readonly isUnverified?: boolean
  readonly counter?: number
  readonly userHandle?: string
  /** Signs something else. */
  readonly isForged?: boolean
}

/** One passkey on a device. */
export interface SoftwarePasskey {
  readonly id: string
  /** The answer to `navigator.credentials.create`, as JSON text. */
  create(options: CreationOptions, faults?: Faults): string
  /** The answer to `navigator.credentials.get`. */
  get(options: RequestOptions, faults?: Faults): string
}

/** A new one, used on pages of this origin. */
export function makeSoftwarePasskey(origin: string): SoftwarePasskey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const id = randomBytes(16)
  let counter = 0
  let userHandle = ''
  return {
    id: encode(id),
    create(options, faults = {}) {
      userHandle = options.user.id
      const attested = Buffer.concat([Buffer.alloc(16), uint16(id.length), id, coseKey(publicKey)])
      const authData = Buffer.concat([head(options.rp.id, 0, faults, 0x40), attested])
      const clientDataJSON = clientData('webauthn.create', options.challenge, origin, faults)
      const attestationObject = encode(attestation(authData))
      return answer(id, {
        clientDataJSON: encode(clientDataJSON),
        attestationObject,
        transports: ['internal'],
      })
    },
    get(options, faults = {}) {
      counter += 1
      const authData = head(options.rpId, counter, faults)
      const clientDataJSON = clientData('webauthn.get', options.challenge, origin, faults)
      return answer(id, {
        clientDataJSON: encode(clientDataJSON),
        authenticatorData: encode(authData),
        signature: encode(signature(privateKey, authData, clientDataJSON, faults)),
        userHandle: faults.userHandle ?? userHandle,
      })
    },
  }
}

function answer(id: Buffer, response: object): string {
  return JSON.stringify({ id: encode(id), rawId: encode(id), type: 'public-key', response })
}

function clientData(type: string, challenge: string, origin: string, faults: Faults): Buffer {
  return Buffer.from(
    JSON.stringify({
      type,
      challenge: faults.challenge ?? challenge,
      origin: faults.origin ?? origin,
      crossOrigin: false,
    }),
  )
}

/** Hash of the relying party's id, flags (present, verified, more), counter. */
function head(rpId: string, counter: number, faults: Faults, more = 0): Buffer {
  const flags = 0x01 | (faults.isUnverified === true ? 0 : 0x04) | more
  return Buffer.concat([sha256(faults.rpId ?? rpId), Buffer.of(flags), uint32(faults.counter ?? counter)])
}

function signature(key: KeyObject, authData: Buffer, clientDataJSON: Buffer, faults: Faults): Buffer {
  const signed = Buffer.concat([authData, sha256(clientDataJSON)])
  return sign('sha256', faults.isForged === true ? Buffer.concat([signed, signed]) : signed, key)
}

/** A P-256 key in COSE (RFC 9053, section 7.1.1): {1: 2, 3: -7, -1: 1, -2: x, -3: y}. */
function coseKey(publicKey: KeyObject): Buffer {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const coordinate = (label: number, text: string) => Buffer.concat([Buffer.of(label), bytes(decode(text))])
  return Buffer.concat([Buffer.from('a5010203262001', 'hex'), coordinate(0x21, x), coordinate(0x22, y)])
}

/** The attestation object `none` in CBOR: {"fmt": "none", "attStmt": {}, "authData": bytes}. */
function attestation(authData: Buffer): Buffer {
  const pieces = [
    text('fmt'),
    text('none'),
    text('attStmt'),
    Buffer.of(0xa0),
    text('authData'),
    bytes(authData),
  ]
  return Buffer.concat([Buffer.of(0xa3), ...pieces])
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(0x60 + value.length), Buffer.from(value)])
}

function bytes(value: Buffer): Buffer {
  // The shortest form there is: what is signed over is encoded in one way only.
  const head =
    value.length < 256
      ? Buffer.of(0x58, value.length)
      : Buffer.concat([Buffer.of(0x59), uint16(value.length)])
  return Buffer.concat([head, value])
}

function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff)
}

function uint32(value: number): Buffer {
  const four = Buffer.alloc(4)
  four.writeUInt32BE(value)
  return four
}

function sha256(value: string | Buffer): Buffer {
  return createHash('sha256').update(value).digest()
}

function encode(value: Buffer): string {
  return value.toString('base64url')
}

function decode(value: string): Buffer {
  return Buffer.from(value, 'base64url')
}
