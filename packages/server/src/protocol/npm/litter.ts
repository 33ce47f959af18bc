// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Some 40 MB of objects beside the loop, and ten seconds of work in threads. */
const mostVersions = 10_000

/**
 * What looks at large packages leave behind. V8 lets old objects grow to three times what lives before it looks through them: for
 * documents of 20 MB that is a hundred megabytes that nobody needs, where a look takes less than a tenth of a second.
 */
export class Litter {
  readonly #collect: () => void
  #versions = 0

  constructor(collect: () => void = collector()) {
    this.#collect = collect
  }

  add(versions: number): void {
    this.#versions += versions
    if (this.#versions < mostVersions) return
    this.#versions = 0
    this.#collect()
  }
}

function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc')
}
