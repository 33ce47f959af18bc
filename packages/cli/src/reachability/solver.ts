// SPDX-License-Identifier: Apache-2.0
/** Sets of values that flow along edges until nothing changes any more; within a budget. */

import { getHeapStatistics } from 'node:v8'

/** A place that values flow through: a variable, a property, the result of an expression. */
export type Place = number
/** A value, as a number. */
export type Value = number

/** Values in places; whoever listens hears of each value once. */
export interface Solver {
  place(): Place
  put(place: Place, value: Value): void
  flow(from: Place, to: Place): void
  on(place: Place, listener: (value: Value) => void): void
  valuesAt(place: Place): ReadonlySet<Value>
  /** How many steps were taken. */
  steps(): number
  /** Works until nothing changes; false when the budget was used up first. */
  run(): boolean
}

const noValues: ReadonlySet<Value> = new Set()

const maxHeapBytes = 1.2 * 2 ** 30

/** Whether there is memory left for more: what a large application would take is more than machines have. */
export function hasRoom(): boolean {
  return getHeapStatistics().used_heap_size < maxHeapBytes
}

/** A solver that takes at most so many steps, and ends before a moment of `performance.now()`. */
export function createSolver(maxSteps: number, endsAt: number): Solver {
  const values: (Set<Value> | undefined)[] = []
  const onward: (Set<Place> | undefined)[] = []
  const listeners: (((value: Value) => void)[] | undefined)[] = []
  // First in, first out: of a place's values so many, the oldest, were told already.
  const told: number[] = []
  let pending: number[] = []
  let steps = 0

  function place(): Place {
    values.push(undefined)
    onward.push(undefined)
    listeners.push(undefined)
    told.push(0)
    return values.length - 1
  }

  function put(at: Place, value: Value): void {
    const held = values[at]
    if (held === undefined) values[at] = new Set([value])
    else if (held.has(value)) return
    else held.add(value)
    pending.push(at, value)
  }

  function flow(from: Place, to: Place): void {
    if (from === to) return
    const targets = onward[from]
    if (targets === undefined) onward[from] = new Set([to])
    else if (targets.has(to)) return
    else targets.add(to)
    for (const value of values[from] ?? noValues) put(to, value)
  }

  // Values that are still pending are told by `run`.
  function on(at: Place, listener: (value: Value) => void): void {
    const heard = listeners[at]
    if (heard === undefined) listeners[at] = [listener]
    else heard.push(listener)
    const count = told[at] ?? 0
    if (count === 0) return
    for (const value of [...(values[at] ?? noValues)].slice(0, count)) listener(value)
  }

  function tell(at: Place, value: Value): void {
    told[at] = (told[at] ?? 0) + 1
    for (const to of onward[at] ?? noValues) put(to, value)
    const heard = listeners[at]
    // Who comes while they are told hears of it by coming.
    if (heard !== undefined) for (const listener of heard.slice()) listener(value)
  }

  function run(): boolean {
    while (pending.length > 0) {
      const round = pending
      pending = []
      for (let next = 0; next < round.length; next += 2) {
        steps++
        if (steps > maxSteps || ((steps & 4095) === 0 && performance.now() > endsAt)) return false
        if ((steps & 65_535) === 0 && !hasRoom()) return false
        tell(round[next] as Place, round[next + 1] as Value)
      }
    }
    return true
  }

  return { place, put, flow, on, valuesAt: at => values[at] ?? noValues, steps: () => steps, run }
}
