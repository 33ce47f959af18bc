// SPDX-License-Identifier: Apache-2.0
import { isProblem, type Problem, problem } from '@holdfast/core'
import type { OriginName } from '../catalog/index.ts'
import type { Clock, UpstreamHealth } from '../ports.ts'

/** So many packages in a row that fail, and it is left alone for a while. One that always does says nothing of the others. */
const failuresToOpen = 5
const shortestRestMs = 5_000
const longestRestMs = 5 * 60_000

/** An answer that says that the service is in trouble, or has enough of us, and perhaps when to ask again. */
export class InTrouble extends Error {
  readonly retryAfterMs: number | undefined
  readonly hasEnoughOfUs: boolean
  constructor(why: string, retryAfterMs?: number, hasEnoughOfUs = false) {
    super(why)
    this.retryAfterMs = retryAfterMs
    this.hasEnoughOfUs = hasEnoughOfUs
  }
}

/**
 * Spares an upstream that is down, and those who would wait for it: after several failures in a row everybody fails at once,
 * until one request after a rest shows that it is back. The rest doubles with each that does not; `Retry-After` is obeyed.
 */
export class Breaker {
  readonly #origin: OriginName
  readonly #clock: Clock
  readonly #failed = new Set<string>()
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
   * Does the work for a package, unless it rests. What the network says and `InTrouble` are failures, and come out as `upstream-failed`;
   * that problem itself is about one answer, and no failure of the upstream.
   */
  async run<T>(subject: string, work: () => Promise<T>): Promise<T> {
    const isProbe = this.#begin()
    try {
      const result = await work()
      this.#succeed()
      return result
    } catch (error) {
      throw this.#fail(subject, error)
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
    if (this.#failed.size > 0) return 'failing'
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
    this.#failed.clear()
    this.#restMs = shortestRestMs
    this.#restsUntil = 0
    this.#lastSuccessAt = this.#clock()
  }

  #fail(subject: string, error: unknown): unknown {
    if (!isProblem(error) && !(error instanceof InTrouble)) return error
    if (isProblem(error) && error.code === 'upstream-failed') {
      this.#succeed()
      return error
    }
    const now = this.#clock()
    this.#why = isProblem(error) ? String(error.data['why'] ?? error.message) : error.message
    this.#lastFailureAt = now
    if (this.#failed.size < failuresToOpen) this.#failed.add(subject)
    const trouble = error instanceof InTrouble ? error : undefined
    if (trouble?.hasEnoughOfUs !== true && this.#failed.size < failuresToOpen) return this.#failure()
    this.#restsUntil = now + Math.min(trouble?.retryAfterMs ?? this.#restMs, longestRestMs)
    this.#restMs = Math.min(this.#restMs * 2, longestRestMs)
    return this.#failure()
  }

  #failure(): Problem {
    return problem('upstream-failed', { origin: this.#origin, why: this.#why })
  }
}
