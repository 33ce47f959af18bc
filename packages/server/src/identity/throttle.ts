// SPDX-License-Identifier: Apache-2.0
/** What identity asks of the store to count guesses: shared by all processes, and right when they come at once. */

/** One counter, and how many attempts it allows within the window. */
export interface Budget {
  readonly counter: string
  readonly allowed: number
}

export interface ThrottleUpkeep {
  /**
   * Books one attempt on each of these counters, or on none when one is used up: of any number at once, on whatever
   * replica, no more pass than are allowed. Gives the oldest moment that counts on the one that is used up.
   */
  bookAttempt(
    id: string,
    budgets: readonly Budget[],
    sinceMs: number,
    at: number,
  ): Promise<number | undefined>
  /** Takes back what was booked under this id: it was no failure. */
  unbookAttempt(id: string): Promise<void>
}
