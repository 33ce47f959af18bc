// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { isProblem } from '@holdfast/core'
import { readTarball, type TarLimits } from './tar.ts'
import { gunzip } from './tar-gunzip.ts'

type Source = () => AsyncIterable<Uint8Array> | Uint8Array

const sha256 = /^[0-9a-f]{64}$/i

/**
 * The first of these texts that stands in a tarball: in capitals or not, backwards, in hexadecimal or base64, in a file or its name;
 * 64 hexadecimal digits are also the SHA-256 of a file. Of bytes that are no gzip nothing is found. What an attacker hides better
 * than that is the business of screening.
 */
export async function findIndicator(
  source: Source,
  indicators: readonly string[],
  limits: TarLimits,
): Promise<string | undefined> {
  if (indicators.length === 0) return undefined
  const scan = new IndicatorScan(indicators)
  await untilBroken(() => gunzip(source(), limits, bytes => scan.write(bytes)))
  return scan.found ?? (await findFile(source, indicators, limits))
}

async function findFile(
  source: Source,
  indicators: readonly string[],
  limits: TarLimits,
): Promise<string | undefined> {
  const wanted = new Map(indicators.filter(each => sha256.test(each)).map(each => [each.toLowerCase(), each]))
  if (wanted.size === 0) return undefined
  const hashes: (() => string)[] = []
  const visit = () => {
    const hash = createHash('sha256')
    hashes.push(() => hash.digest('hex'))
    return (bytes: Uint8Array) => void hash.update(bytes)
  }
  await untilBroken(() => readTarball(source(), limits, visit))
  for (const each of hashes) {
    const found = wanted.get(each())
    if (found !== undefined) return found
  }
  return undefined
}

/** What was read of a broken archive counts: whether it is let in is decided elsewhere. */
async function untilBroken(read: () => Promise<void>): Promise<void> {
  await read().catch(error => {
    if (!isProblem(error)) throw error
  })
}

/** Text as an attacker writes it. */
interface Form {
  readonly indicator: string
  readonly text: string
  readonly isExact: boolean
}

class IndicatorScan {
  found: string | undefined
  readonly #forms: readonly Form[]
  readonly #overlap: number
  #tail = ''

  constructor(indicators: readonly string[]) {
    this.#forms = indicators.flatMap(formsOf)
    this.#overlap = Math.max(...this.#forms.map(each => each.text.length)) - 1
  }

  /** Takes bytes in pieces of any length: what lies across two of them is found too. */
  write(bytes: Uint8Array): void {
    if (this.found !== undefined) return
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const text = this.#tail + piece.toString('latin1')
    const lower = text.toLowerCase()
    this.found = this.#forms.find(each => (each.isExact ? text : lower).includes(each.text))?.indicator
    this.#tail = text.slice(Math.max(0, text.length - this.#overlap))
  }
}

function formsOf(indicator: string): readonly Form[] {
  // As its bytes, since the text that is searched has a character for each.
  const plain = Buffer.from(indicator).toString('latin1').toLowerCase()
  const spellings = [Buffer.from(indicator), Buffer.from(plain, 'latin1')]
  const loose = [plain, [...plain].reverse().join(''), ...spellings.map(each => each.toString('hex'))]
  const exact = spellings.flatMap(each => [0, 1, 2].map(offset => base64At(each, offset)))
  return [
    ...loose.map(text => ({ indicator, text, isExact: false })),
    ...new Set(exact).values().map(text => ({ indicator, text, isExact: true })),
  ]
}

/** Those characters of its base64 that do not depend on what stands before and behind it. */
function base64At(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .replace(/=+$/, '')
  const whole = Math.floor(((offset + bytes.length) * 8) / 6)
  return text.slice(offset === 0 ? 0 : offset + 1, whole)
}
