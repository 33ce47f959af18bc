// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** In versions: some 40 MB of objects beside the loop, and ten seconds of work in threads. */
export const mostBesideTheLoop = 10_000
/** One large package: in a thread nobody waits for a look. */
export const mostInThread = 2500

/**
 * What looks at large packages leave behind. V8 lets old objects grow to three times what lives before it looks through them: for
 * documents of 20 MB that is a hundred megabytes that nobody needs, where a look takes less than a tenth of a second.
 */
export class Litter {
  readonly #most: number
  readonly #collect: () => void
  #versions = 0

  constructor(most: number, collect: () => void = collector()) {
    this.#most = most
    this.#collect = collect
  }

  add(versions: number): void {
    this.#versions += versions
    if (this.#versions < this.#most) return
    this.#versions = 0
    this.#collect()
  }
}

function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc')
}
