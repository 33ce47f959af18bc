// SPDX-License-Identifier: Apache-2.0
/** A certificate for `localhost` or other names, made when a test needs one: no key lies in the repository. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const dayMs = 24 * 3600_000
const constructed = 0x20
const [integer, bits, octets, oid, utf8, time] = [0x02, 0x03, 0x04, 0x06, 0x0c, 0x17]
const sequence = 0x10 | constructed
const set = 0x11 | constructed
const context = (number: number) => 0x80 | number

const ecdsaWithSha256 = encode(sequence, encode(oid, hex('2a8648ce3d040302')))
const name = encode(
  sequence,
  encode(set, encode(sequence, encode(oid, hex('550403')), encode(utf8, Buffer.from('localhost')))),
)

/** Key and certificate as PEM, good from yesterday until tomorrow (RFC 5280, section 4.1). */
export function makeSelfSigned(hosts: readonly string[] = ['localhost']): {
  readonly key: string
  readonly cert: string
} {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const alternative = encode(sequence, ...hosts.map(host => encode(context(2), Buffer.from(host))))
  const extension = encode(sequence, encode(oid, hex('551d11')), encode(octets, alternative))
  const signed = encode(
    sequence,
    encode(context(0) | constructed, encode(integer, hex('02'))),
    encode(integer, Buffer.concat([hex('01'), randomBytes(8)])),
    ecdsaWithSha256,
    name,
    encode(sequence, encode(time, timeText(-dayMs)), encode(time, timeText(dayMs))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    encode(context(3) | constructed, encode(sequence, extension)),
  )
  const signature = encode(bits, Buffer.concat([hex('00'), sign('sha256', signed, privateKey)]))
  const body = encode(sequence, signed, ecdsaWithSha256, signature).toString('base64')
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${body.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  }
}

/** One element of DER: tag, length, content. */
function encode(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const length = content.length
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Uint8Array.of(tag, ...head), content])
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex')
}

function timeText(fromNowMs: number): Buffer {
  const text = new Date(Date.now() + fromNowMs).toISOString()
  return Buffer.from(`${text.slice(2, 19).replace(/[-T:]/g, '')}Z`)
}
