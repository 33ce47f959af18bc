// SPDX-License-Identifier: Apache-2.0
import { isProblem, problem } from '@holdfast/core'
import type { OriginName } from '../catalog/index.ts'
import type { Clock, UpstreamHealth } from '../ports.ts'

/** So many failures in a row, and it is left alone for a while. */
const failuresToOpen = 5
const shortestRestMs = 5_000
const longestRestMs = 5 * 60_000

/** An answer that says that the service itself is in trouble, and perhaps when to ask again. */
export class InTrouble extends Error {
  readonly retryAfterMs: number | undefined
  constructor(why: string, retryAfterMs?: number) {
    super(why)
    this.retryAfterMs = retryAfterMs
  }
}

/**
 * Spares an upstream that is down, and those who would wait for it: after several failures in a row everybody fails at once,
 * until one request after a rest shows that it is back. The rest doubles with each that does not; `Retry-After` is obeyed.
 */
export class Breaker {
  readonly #origin: OriginName
  readonly #clock: Clock
  #failures = 0
  #restMs = shortestRestMs
  #restsUntil = 0
  #isProbing = false
  #lastSuccessAt: number | null = null
  #lastFailureAt: number | null = null
  #why = ''

  constructor(origin: OriginName, clock: Clock) {
    this.#origin = origin
    this.#clock = clock
  }

  /**
   * Does the work, unless it rests. What the network says and `InTrouble` are failures, and come out as `upstream-failed`;
   * that problem itself is about one answer, and no failure of the upstream.
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const isProbe = this.#begin()
    try {
      const result = await work()
      this.#succeed()
      return result
    } catch (error) {
      throw this.#fail(error)
    } finally {
      if (isProbe) this.#isProbing = false
    }
  }

  health(): UpstreamHealth {
    const [lastSuccessAt, lastFailureAt] = [this.#lastSuccessAt, this.#lastFailureAt]
    return { state: this.#state(), lastSuccessAt, lastFailureAt, why: this.#why }
  }

  #state(): UpstreamHealth['state'] {
    if (this.#clock() < this.#restsUntil) return 'open'
    if (this.#failures > 0) return 'failing'
    return this.#lastSuccessAt === null ? 'unknown' : 'up'
  }

  /** Whether this is the one request that looks if it is back. */
  #begin(): boolean {
    if (this.#restsUntil === 0) return false
    if (this.#isProbing || this.#clock() < this.#restsUntil)
      throw problem('upstream-failed', {
        origin: this.#origin,
        why: `${this.#why}; it is left alone for a while`,
      })
    this.#isProbing = true
    return true
  }

  #succeed(): void {
    this.#failures = 0
    this.#restMs = shortestRestMs
    this.#restsUntil = 0
    this.#lastSuccessAt = this.#clock()
  }

  #fail(error: unknown): unknown {
    if (!isProblem(error) && !(error instanceof InTrouble)) return error
    if (isProblem(error) && error.code === 'upstream-failed') {
      this.#succeed()
      return error
    }
    const now = this.#clock()
    this.#why = isProblem(error) ? String(error.data['why'] ?? error.message) : error.message
    this.#lastFailureAt = now
    this.#failures++
    const told = error instanceof InTrouble ? error.retryAfterMs : undefined
    if (told !== undefined) this.#restsUntil = now + Math.min(told, longestRestMs)
    else if (this.#failures >= failuresToOpen) {
      this.#restsUntil = now + this.#restMs
      this.#restMs = Math.min(this.#restMs * 2, longestRestMs)
    }
    return problem('upstream-failed', { origin: this.#origin, why: this.#why })
  }
}
