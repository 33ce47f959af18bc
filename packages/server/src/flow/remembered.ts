// SPDX-License-Identifier: Apache-2.0

/** The last things noted, by name; when there are too many the oldest makes room. */
export class Remembered<T> extends Map<string, T> {
  readonly #most: number

  constructor(most: number) {
    super()
    this.#most = most
  }

  override set(key: string, value: T): this {
    this.delete(key)
    const [oldest] = this.keys()
    if (this.size >= this.#most && oldest !== undefined) this.delete(oldest)
    return super.set(key, value)
  }
}
