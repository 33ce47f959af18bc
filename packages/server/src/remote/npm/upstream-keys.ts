// SPDX-License-Identifier: Apache-2.0
import { isProblem } from '@holdfast/core'
import * as v from 'valibot'
import type { Clock, PublicKey } from '../../ports.ts'
import { readyKeys } from './signature.ts'

const goodForMs = 3600_000
/** A key that is not known may be new, but somebody who makes keys up must not make us ask each time. */
const againAfterMs = 60_000

const keyShape = v.object({
  keyid: v.pipe(v.string(), v.maxLength(200)),
  keytype: v.string(),
  scheme: v.string(),
  key: v.pipe(v.string(), v.maxLength(1000)),
  expires: v.nullish(v.string(), null),
})
const shape = v.object({ keys: v.pipe(v.array(v.unknown()), v.maxLength(100)) })

/** Asks for the keys: the text of an answer, or undefined where the registry has none. */
export type AskForKeys = () => Promise<string | undefined>

/**
 * The public keys of an upstream, remembered. Keys that were seen stay, also when the upstream stops telling them: to forget
 * them would be a way to make unsigned versions pass.
 */
export class UpstreamKeys {
  readonly #ask: AskForKeys
  readonly #clock: Clock
  #keys: ReadonlyMap<string, PublicKey> = new Map()
  #readAt = Number.NEGATIVE_INFINITY
  #dueAt = Number.NEGATIVE_INFINITY
  #changedAt = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined

  constructor(ask: AskForKeys, clock: Clock) {
    this.#ask = ask
    this.#clock = clock
  }

  /** When a key was last added. */
  get changedAt(): number {
    return this.#changedAt
  }

  get wereNeverRead(): boolean {
    return this.#readAt === Number.NEGATIVE_INFINITY
  }

  has(keyid: string): boolean {
    return this.#keys.has(keyid)
  }

  get isEmpty(): boolean {
    return this.#keys.size === 0
  }

  /** The keys, asked for when that was long ago. Never rejects: an upstream whose keys cannot be read counts as one without. */
  async current(): Promise<readonly PublicKey[]> {
    if (this.#clock() >= this.#dueAt) await this.#refresh()
    return [...this.#keys.values()]
  }

  /** Whether asking again brought a key that was not known. */
  async foundMore(): Promise<boolean> {
    if (this.#clock() - this.#readAt < againAfterMs) return false
    const before = this.#keys.size
    await this.#refresh()
    return this.#keys.size > before
  }

  #refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #read(): Promise<void> {
    this.#readAt = this.#clock()
    try {
      const told = parseKeys(await this.#ask())
      if (told.some(({ keyid }) => !this.#keys.has(keyid))) this.#changedAt = this.#clock()
      this.#keys = new Map([...this.#keys, ...told.map(each => [each.keyid, each] as const)])
      this.#dueAt = this.#clock() + goodForMs
    } catch (error) {
      if (!isProblem(error)) throw error
      this.#dueAt = this.#clock() + againAfterMs
    }
  }
}

/** The keys in an answer. What is no list of keys, or no key that we can check with, is none: many registries answer any address with a page. */
export function parseKeys(text: string | undefined): readonly PublicKey[] {
  const read = v.safeParse(shape, parseText(text))
  const list = read.success ? read.output.keys : []
  return list.flatMap(each => {
    const key = v.safeParse(keyShape, each)
    return key.success && readyKeys([key.output]).size > 0 ? [key.output] : []
  })
}

function parseText(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
