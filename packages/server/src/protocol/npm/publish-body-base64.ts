// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'

/** Strict base64 (RFC 4648, section 4) that arrives in pieces, as the inside of a JSON string. */
export class Base64Stream {
  /** Less than four characters, or the beginning of an escape. */
  #rest = ''
  #isPadded = false

  /** The bytes that are complete with this piece. */
  decode(piece: Buffer): Buffer {
    // node:buffer decodes the URL alphabet as well; to the client's own check these would be other bytes.
    if (piece.includes(0x2d) || piece.includes(0x5f)) throw refuseCharacter()
    const text = this.#unescape(this.#rest + piece.toString('latin1'))
    const cut = text.escapeStart - (text.escapeStart % 4)
    this.#rest = text.plain.slice(cut)
    return this.#decodeGroups(text.plain.slice(0, cut))
  }

  /** Refuses data that stopped in the middle. */
  finish(): void {
    if (this.#rest !== '') throw problem('invalid-body', { why: 'the base64 of a tarball is cut off' })
  }

  /** `\/` and `\u002f` are ways to write a slash in JSON; an escape that is not complete yet stays as it is. */
  #unescape(raw: string): { plain: string; escapeStart: number } {
    if (!raw.includes('\\')) return { plain: raw, escapeStart: raw.length }
    const cut = /\\(?:u[0-9a-fA-F]{0,3})?$/.exec(raw)?.index ?? raw.length
    const plain = raw
      .slice(0, cut)
      .replace(/\\(?:u00([0-7][0-9a-fA-F])|(\/))/g, (_escape, code?: string) =>
        code === undefined ? '/' : String.fromCharCode(Number.parseInt(code, 16)),
      )
    if (/[-_]/.test(plain)) throw refuseCharacter()
    return { plain: plain + raw.slice(cut), escapeStart: plain.length }
  }

  #decodeGroups(text: string): Buffer {
    if (text === '') return Buffer.alloc(0)
    if (this.#isPadded) throw refuseCharacter()
    const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
    this.#isPadded = padding > 0
    const bytes = Buffer.from(text, 'base64')
    // node:buffer passes over what is not base64: then bytes are missing.
    if (bytes.length !== (text.length / 4) * 3 - padding) throw refuseCharacter()
    // `QQ==` and `QR==` decode to the same byte; only one of them is base64.
    if (padding > 0 && bytes.subarray(padding - 3).toString('base64') !== text.slice(-4))
      throw refuseCharacter()
    return bytes
  }
}

function refuseCharacter() {
  return problem('invalid-body', { why: 'the data of a tarball is not base64' })
}
