// SPDX-License-Identifier: Apache-2.0
/** Sets of values that flow along edges until nothing changes any more; within a budget. */

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
  /** Works until nothing changes; false when the budget was used up first. */
  run(): boolean
}

const noValues: ReadonlySet<Value> = new Set()

/** A solver that takes at most so many steps, and ends before a moment of `performance.now()`. */
export function createSolver(maxSteps: number, endsAt: number): Solver {
  const values: (Set<Value> | undefined)[] = []
  const onward: (Set<Place> | undefined)[] = []
  const listeners: (((value: Value) => void)[] | undefined)[] = []
  const pending: number[] = []
  let steps = 0

  function place(): Place {
    values.push(undefined)
    onward.push(undefined)
    listeners.push(undefined)
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

  // A value that is still pending is told by `run`; who listens twice for one value is what `told` is for.
  function on(at: Place, listener: (value: Value) => void): void {
    const told = new Set<Value>()
    const once = (value: Value): void => {
      if (told.has(value)) return
      told.add(value)
      listener(value)
    }
    const heard = listeners[at]
    if (heard === undefined) listeners[at] = [once]
    else heard.push(once)
    for (const value of [...(values[at] ?? noValues)]) once(value)
  }

  function run(): boolean {
    while (pending.length > 0) {
      steps++
      if (steps > maxSteps || ((steps & 4095) === 0 && performance.now() > endsAt)) return false
      const value = pending.pop() as number
      const at = pending.pop() as number
      for (const to of onward[at] ?? noValues) put(to, value)
      for (const listener of [...(listeners[at] ?? [])]) listener(value)
    }
    return true
  }

  return { place, put, flow, on, valuesAt: at => values[at] ?? noValues, run }
}
