// SPDX-License-Identifier: Apache-2.0
/** The values that code makes, and their properties: what is written by name, what is computed, what is inherited. */
import type { Place, Solver, Value } from './solver.ts'
import type { Syntax } from './syntax-node.ts'

/** A function's code, and the places through which values enter and leave it. */
export interface Code {
  readonly node: Syntax
  readonly file: string
  /** The folder of the package that it belongs to. */
  readonly home: string
  readonly scope: Scope
  readonly params: Place
  readonly positional: readonly Place[]
  readonly self: Place
  readonly result: Place
  readonly unit: Unit
  /** The call of `super` inside it goes here, where it is a constructor. */
  readonly above?: Place
  /** Expressions that run with it: fields of the class. */
  readonly fields?: readonly (() => void)[]
}

/** What runs as one: a function, or the top of a file. */
export interface Unit {
  readonly id: number
  readonly file: string
  readonly home: string
  readonly at: number
  readonly name: string
  readonly node: Syntax | undefined
}

/** Names that are visible in a function. */
export interface Scope {
  readonly names: Map<string, Place>
  /** Names that only ever hold one text. */
  readonly texts: Map<string, string>
  readonly parent: Scope | undefined
}

/** What a value is. */
export type Thing =
  | { readonly kind: 'unknown'; readonly of: string | undefined }
  | { readonly kind: 'function'; readonly code: Code }
  | { readonly kind: 'object'; readonly home: string; readonly isArray: boolean }
  | { readonly kind: 'native'; readonly name: string; readonly file: string }
  | { readonly kind: 'symbol'; readonly target: number; readonly name: string }

/** Things and their properties. */
export interface Heap {
  readonly things: readonly Thing[]
  add(thing: Thing): Value
  /** The one object that is made at a place of the code. */
  objectAt(key: string, home: string, isArray: boolean): Value
  /** The unknown that came out of one package, or out of nowhere that is known. */
  unknown(of?: string): Value
  native(name: string, file?: string): Value
  isUnknown(value: Value): boolean
  /** Where a property is written. */
  property(value: Value, name: string): Place
  /** Where properties of computed names are written, and elements of arrays. */
  elements(value: Value): Place
  /** What a value inherits from. */
  parents(value: Value): Place
  /** Functions that run when a property is read. */
  getters(value: Value, name: string): Place
  /** What reading a property gives. */
  lookup(value: Value, name: string): Place
  /** What reading some property gives. */
  lookupAny(value: Value): Place
  /** The names that were written. */
  namesOf(value: Value): ReadonlySet<string>
  /** Hears of each name once, also of later ones. */
  onName(value: Value, listener: (name: string) => void): void
  /** What is written to a name anywhere in a package. */
  fieldOf(home: string, name: string): Place
  /** A thing that holds what was copied into many. */
  addShared(): Value
  /** Lets a value have what such a thing holds. */
  inheritShared(value: Value, shared: Value): void
  /** Hears of each such thing once whose properties a value has. */
  onShared(value: Value, listener: (shared: Value) => void): void
  /** Lets computed writes be read under names that nothing was written to; whether that changed anything. */
  settle(): boolean
}

/** Places by what they are of, and by a name. */
type Named<Key> = Map<Key, Map<string, Place>>

/** The values of one analysis; what `closed` packages write under computed names is not read by name. */
export function createHeap(
  solver: Solver,
  closed: ReadonlySet<string>,
  callGetter: (getter: Value, self: Value, to: Place) => void,
): Heap {
  const things: Thing[] = []
  const unknowns = new Map<string | undefined, Value>()
  const natives = new Map<string, Value>()
  const objects = new Map<string, Value>()
  const properties: Named<Value> = new Map()
  const written = new Map<Value, Set<string>>()
  const nameListeners = new Map<Value, ((name: string) => void)[]>()
  const [allElements, allParents, allLooks]: [Place[], Place[], Place[]] = [[], [], []]
  const [allGetters, allLookups, allFields]: [Named<Value>, Named<Value>, Named<string>] = [
    new Map(),
    new Map(),
    new Map(),
  ]
  const shareds = new Set<Value>()
  const homesOfShared = new Map<Value, Set<string>>()
  let unsettled: { readonly value: Value; readonly name: string; readonly to: Place }[] = []

  function placeOf(places: Place[], value: Value, fill?: (place: Place) => void): Place {
    const known = places[value]
    if (known !== undefined) return known
    const place = solver.place()
    places[value] = place
    fill?.(place)
    return place
  }

  function placeNamed<Key>(places: Named<Key>, key: Key, name: string, fill?: (place: Place) => void): Place {
    const own = places.get(key) ?? new Map<string, Place>()
    const known = own.get(name)
    if (known !== undefined) return known
    if (own.size === 0) places.set(key, own)
    const place = solver.place()
    own.set(name, place)
    fill?.(place)
    return place
  }

  function add(thing: Thing): Value {
    things.push(thing)
    return things.length - 1
  }

  function objectAt(key: string, home: string, isArray: boolean): Value {
    const known = objects.get(key) ?? add({ kind: 'object', home, isArray })
    objects.set(key, known)
    return known
  }

  function unknown(of?: string): Value {
    const known = unknowns.get(of) ?? add({ kind: 'unknown', of })
    unknowns.set(of, known)
    return known
  }

  function native(name: string, file = ''): Value {
    const key = `${name}\n${file}`
    const known = natives.get(key) ?? add({ kind: 'native', name, file })
    natives.set(key, known)
    return known
  }

  function property(value: Value, name: string): Place {
    const place = slot(value, name)
    const names = written.get(value) ?? new Set<string>()
    if (names.has(name)) return place
    written.set(value, names.add(name))
    for (const listener of nameListeners.get(value)?.slice() ?? []) listener(name)
    return place
  }

  // A name that is only read is no name that the thing has.
  function slot(value: Value, name: string): Place {
    return placeNamed(properties, value, name, place => {
      const home = homeOf(things[value])
      if (home !== undefined) solver.flow(place, fieldOf(home, name))
    })
  }

  const elements = (value: Value) => placeOf(allElements, value)
  const parents = (value: Value) => placeOf(allParents, value)
  const getters = (value: Value, name: string) => placeNamed(allGetters, value, name)
  const fieldOf = (home: string, name: string) => placeNamed(allFields, home, name)

  function lookup(value: Value, name: string): Place {
    return placeNamed(allLookups, value, name, to => {
      const thing = things[value]
      if (thing?.kind === 'unknown') {
        solver.put(to, value)
        if (thing.of !== undefined) solver.flow(fieldOf(thing.of, name), to)
        return
      }
      if (thing?.kind === 'native') {
        solver.put(
          to,
          thing.name.split('.').length > 2 ? unknown() : native(`${thing.name}.${name}`, thing.file),
        )
        return
      }
      if (name === '__proto__') solver.flow(parents(value), to)
      solver.flow(slot(value, name), to)
      solver.on(getters(value, name), getter => callGetter(getter, value, to))
      const home = homeOf(thing)
      if (home === undefined || !closed.has(home) || /^\d+$/.test(name)) unsettled.push({ value, name, to })
      solver.on(parents(value), parent => solver.flow(lookup(parent, name), to))
    })
  }

  function lookupAny(value: Value): Place {
    return placeOf(allLooks, value, to => {
      const thing = things[value]
      if (thing?.kind === 'unknown') return solver.put(to, value)
      if (thing?.kind === 'native') return solver.put(to, unknown())
      solver.flow(elements(value), to)
      onName(value, name => {
        solver.flow(property(value, name), to)
        solver.on(getters(value, name), getter => callGetter(getter, value, to))
      })
      solver.on(parents(value), parent => {
        if (things[parent]?.kind !== 'native') solver.flow(lookupAny(parent), to)
      })
    })
  }

  function namesOf(value: Value): ReadonlySet<string> {
    return new Set(written.get(value) ?? [])
  }

  function onName(value: Value, listener: (name: string) => void): void {
    const heard = nameListeners.get(value)
    if (heard === undefined) nameListeners.set(value, [listener])
    else heard.push(listener)
    for (const name of namesOf(value)) listener(name)
  }

  function addShared(): Value {
    const made = add({ kind: 'object', home: '', isArray: false })
    shareds.add(made)
    return made
  }

  function inheritShared(value: Value, shared: Value): void {
    solver.put(parents(value), shared)
    const home = homeOf(things[value])
    const homes = homesOfShared.get(shared) ?? new Set<string>()
    homesOfShared.set(shared, homes)
    if (home === undefined || homes.has(home)) return
    homes.add(home)
    onName(shared, name => solver.flow(property(shared, name), fieldOf(home, name)))
  }

  function onShared(value: Value, listener: (shared: Value) => void): void {
    solver.on(parents(value), parent => {
      if (shareds.has(parent)) listener(parent)
    })
  }

  function ownValues(value: Value, name: string): readonly Value[] {
    const above = [...solver.valuesAt(parents(value))].filter(each => shareds.has(each))
    return [value, ...above].flatMap(each => [...solver.valuesAt(slot(each, name))])
  }

  // A name that was written out says what it is; only where it was not, what was written under computed names may be it.
  function settle(): boolean {
    const now = unsettled
    unsettled = []
    let hasChanged = false
    for (const each of now) {
      const isSettled = ownValues(each.value, each.name).some(value => isTelling(things[value]))
      if (isSettled) continue
      const written = elements(each.value)
      if (solver.valuesAt(written).size === 0) {
        unsettled.push(each)
        continue
      }
      solver.flow(written, each.to)
      hasChanged = true
    }
    return hasChanged
  }

  return {
    things,
    add,
    objectAt,
    unknown,
    native,
    isUnknown: value => things[value]?.kind === 'unknown',
    property,
    elements,
    parents,
    getters,
    lookup,
    lookupAny,
    namesOf,
    onName,
    fieldOf,
    addShared,
    inheritShared,
    onShared,
    settle,
  }
}

function isTelling(thing: Thing | undefined): boolean {
  return thing?.kind === 'function' || thing?.kind === 'object'
}

/** The package in which a thing was made, if code made it. */
export function homeOf(thing: Thing | undefined): string | undefined {
  if (thing?.kind === 'function') return thing.code.home
  return thing?.kind === 'object' ? thing.home : undefined
}
