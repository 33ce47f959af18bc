// SPDX-License-Identifier: Apache-2.0
/** What calls, passing on and loading do to values; it logs who called whom, from where. */
import { type Code, createHeap, type Heap, homeOf, type Thing, type Unit } from './heap.ts'
import { callNative } from './native.ts'
import { createSolver, hasRoom, type Place, type Solver, type Value } from './solver.ts'

/** That one unit leads to another unit, or to a symbol of an advisory (`symbol` is its number). */
export interface Step {
  readonly from: Unit
  readonly to: Unit | undefined
  readonly symbol: number | undefined
  readonly at: number
  readonly how: 'calls' | 'passes on' | 'loads'
  /** Whether this is what the code says, and not only what it might do. */
  readonly isSure: boolean
  /** Whether the callee is named where it is called as it is where it is made. */
  readonly isDirect: boolean
}

/** One call as it stands in the code. */
export interface CallSite {
  readonly unit: Unit
  readonly at: number
  readonly args: readonly Place[]
  /** What is spread over the arguments that follow. */
  readonly spread?: Place | undefined
  readonly self?: Place | undefined
  readonly result: Place
  readonly isNew?: boolean
  /** The name of the method that is called. */
  readonly method?: string | undefined
  readonly how?: Step['how']
  /** The name that the callee has in the code. */
  readonly named?: string | undefined
  readonly isSure?: boolean
  /** The first argument, where it always is the same text; else what that text begins with. */
  readonly text?: string | undefined
  readonly beginning?: string | undefined
}

/** What passes a value to code that is not seen. */
export interface Cause {
  readonly unit: Unit
  readonly at: number
  /** The package that gets it, whose values may come back. */
  readonly of: string | undefined
  readonly isSure: boolean
  /** Whether it only holds what is passed on. */
  readonly isDeep?: boolean
}

/** The world of one analysis. */
export interface Machine {
  readonly solver: Solver
  readonly heap: Heap
  readonly steps: readonly Step[]
  readonly setup: Setup
  call(callee: Place, site: CallSite): void
  callValue(value: Value, site: CallSite): void
  /** The values of a place get to code that is not seen. */
  passOn(place: Place, cause: Cause): void
  note(step: Step): void
  read(object: Place, name: string, unit: Unit): Place
  readAny(object: Place, by?: string): Place
  /** Writes a property; `by` is the package whose code does. */
  write(object: Place, name: string | undefined, value: Place, by?: string): void
  /** All properties of one are properties of the other. */
  copy(from: Place, to: Place, by?: string): void
  construct(value: Value, site: CallSite): Value | undefined
  /** A function that runs when a member is read. */
  addGetter(object: Place, name: string, getter: Place): void
  /** A function that the language calls by itself, or when something is written. */
  addUnasked(object: Place, method: Place): void
  /** Such functions of something that was made run. */
  callUnasked(made: Value, at: { readonly unit: Unit; readonly at: number }): void
  /** Values that a vulnerable package gives out as itself: passing them on passes on all it has. */
  giveOut(value: Value): void
  /** Whether a value is what one of the packages gives out. */
  isGivenOut(value: Value, homes: readonly string[]): boolean
  /** Reads by name, as they stand outside of what is vulnerable. */
  readonly reads: readonly {
    readonly object: Place
    readonly name: string
    readonly to: Place
    readonly unit: Unit
  }[]
  run(): boolean
}

/** What the machine is told about packages, and asks about code. */
export interface Setup {
  readonly root: string
  readonly vulnerable: ReadonlySet<string>
  /** The package that a symbol is of. */
  homeOfSymbol(target: number): string
  /** The symbols whose last name this is. */
  marksNamed(name: string): readonly Value[]
  /** Makes the code of a function run: its constraints are made the first time. */
  enter(value: Value): void
  /** What `require` of a file gives. */
  load(file: string, site: CallSite): void
  /** Goes through code that began to run meanwhile; whether there was any. */
  work(): boolean
  readonly maxSteps: number
  readonly endsAt: number
}

const unseenArguments = 6
/** Names times objects from which on copies share what was copied. */
const manyCopied = 4000

// Node's own classes that call the methods of what inherits them.
function isCallingBack(thing: Thing | undefined): boolean {
  return (
    thing?.kind === 'native' &&
    /^(stream|http|https|net|repl|readline|worker_threads|async_hooks|tls)\b/.test(thing.name)
  )
}

/** The name under which things keep the functions that the language calls by itself. */
const unasked = '\u0000unasked'

/** The name under which things keep the functions that run when a member is read. */
const getterOf = (name: string): string => `\u0000get ${name}`

/** Whether the language calls a member of this name by itself: `@@` begins the names of well-known symbols. */
export function isUnasked(name: string | undefined): boolean {
  return name !== undefined && /^(?:toString|toJSON|valueOf|then|@@\w+)$/.test(name)
}

/** A machine without any code in it yet. */
export function createMachine(setup: Setup): Machine {
  const solver = createSolver(setup.maxSteps, setup.endsAt)
  const heap = createHeap(solver, setup.vulnerable, (getter, self, to) => {
    const thing = heap.things[getter]
    if (thing?.kind !== 'function') return
    setup.enter(getter)
    solver.put(thing.code.self, self)
    solver.flow(thing.code.result, to)
    note({
      from: definedIn(thing.code.unit),
      to: thing.code.unit,
      symbol: undefined,
      at: thing.code.unit.at,
      how: 'calls',
      isSure: true,
      isDirect: true,
    })
  })
  const steps: Step[] = []
  const noted = new Set<string>()
  const calls: { readonly callee: Place; readonly site: CallSite }[] = []
  const escaped = new Map<string, Cause>()
  const givenOut = new Set<Value>()
  const held = new Map<Value, Cause[]>()
  const instances = new Map<Value, Value>()
  const reads: { object: Place; name: string; to: Place; unit: Unit }[] = []
  const tops = new Map<string, Unit>()
  const readers = new Map<string, { readonly object: Place; readonly unit: Unit }[]>()
  const gotten = new Set<string>()

  function definedIn(unit: Unit): Unit {
    return tops.get(unit.file) ?? unit
  }

  function note(step: Step): void {
    if (step.to?.name === '') tops.set(step.to.file, step.to)
    const key = `${step.from.id} ${step.to?.id} ${step.symbol} ${step.isSure} ${step.isDirect} ${step.how}`
    if (noted.has(key)) return
    noted.add(key)
    steps.push(step)
  }

  function call(callee: Place, site: CallSite): void {
    calls.push({ callee, site })
    solver.on(callee, value => callValue(value, site))
  }

  function callValue(value: Value, site: CallSite): void {
    const thing = heap.things[value]
    if (thing === undefined || thing.kind === 'object') return
    const how = {
      how: site.how ?? 'calls',
      isSure: site.isSure ?? true,
      at: site.at,
      from: site.unit,
    } as const
    if (thing.kind === 'native') {
      callNative(machine, thing.name, thing.file, site)
      return
    }
    if (thing.kind === 'function') {
      setup.enter(value)
      const { unit } = thing.code
      note({ ...how, to: unit, symbol: undefined, isDirect: isNamed(site, unit) })
      enterCode(value, thing, site)
      return
    }
    if (thing.kind === 'symbol') {
      note({ ...how, to: undefined, symbol: thing.target, isDirect: site.named === thing.name })
      const home = setup.homeOfSymbol(thing.target)
      callUnseen(site, home)
      return
    }
    callUnseen(site, thing.of)
  }

  function enterCode(value: Value, thing: Thing & { kind: 'function' }, site: CallSite): void {
    const { code } = thing
    if (code.home !== site.unit.home && setup.vulnerable.has(site.unit.home)) {
      callBack(code, site)
      return
    }
    site.args.forEach((arg, index) => {
      const param = code.positional[index]
      if (param !== undefined) solver.flow(arg, param)
      solver.flow(arg, code.params)
    })
    if (site.spread !== undefined) {
      for (const param of [...code.positional.slice(site.args.length), code.params])
        solver.flow(site.spread, param)
    }
    if (site.isNew) {
      const made = construct(value, site)
      if (made !== undefined) solver.put(site.result, made)
    } else if (site.self !== undefined) solver.flow(site.self, code.self)
    solver.flow(code.result, site.result)
    if (code.home !== site.unit.home && code.home !== setup.root) crossInto(code.home, site)
  }

  // What a vulnerable package gives to others' functions is not followed through its inside: it is something of that package.
  function callBack(code: Code, site: CallSite): void {
    const given = heap.unknown(site.unit.home)
    for (const param of [...code.positional, code.params, code.self]) solver.put(param, given)
    solver.flow(code.result, site.result)
  }

  // Values that get lost inside another package may still be called there, and come back.
  function crossInto(home: string, site: CallSite): void {
    const cause: Cause = { unit: site.unit, at: site.at, of: home, isSure: true }
    for (const arg of site.args) passOn(arg, cause)
    if (site.spread !== undefined) passOn(site.spread, cause)
    solver.put(site.result, heap.unknown(home))
  }

  function callUnseen(site: CallSite, of: string | undefined): void {
    const cause: Cause = { unit: site.unit, at: site.at, of, isSure: true }
    if (site.method !== undefined && site.self !== undefined && site.how !== 'passes on')
      callNative(machine, `?.${site.method}`, '', { ...site, isNew: false })
    for (const arg of site.args) passOn(arg, cause)
    if (site.spread !== undefined) passOn(site.spread, cause)
    solver.put(site.result, heap.unknown(of))
  }

  function construct(value: Value, site: CallSite): Value | undefined {
    const thing = heap.things[value]
    if (thing?.kind !== 'function') return undefined
    const known = instances.get(value)
    const made = known ?? heap.add({ kind: 'object', home: thing.code.home, isArray: false })
    if (known !== undefined) return known
    instances.set(value, made)
    solver.flow(heap.lookup(value, 'prototype'), heap.parents(made))
    solver.put(thing.code.self, made)
    callUnasked(made, site)
    // What inherits from code that is not seen has its methods called by that code.
    solver.on(heap.lookup(made, '\u0000outside'), above => {
      if (heap.isUnknown(above) || isCallingBack(heap.things[above]))
        passOnValue(made, { unit: site.unit, at: site.at, of: undefined, isSure: true }, true)
    })
    return made
  }

  // Setters, and what the language calls by itself, run without a call that is written.
  function callUnasked(made: Value, { unit, at }: { readonly unit: Unit; readonly at: number }): void {
    const [self, given] = [solver.place(), solver.place()]
    solver.put(self, made)
    solver.put(given, heap.unknown())
    const site: CallSite = { unit, at, args: [given], self, result: solver.place() }
    solver.on(heap.lookup(made, unasked), method => {
      if (heap.things[method]?.kind === 'function') callValue(method, site)
    })
  }

  function passOn(place: Place, cause: Cause): void {
    solver.on(place, value => passOnValue(value, cause))
  }

  function passOnValue(value: Value, cause: Cause, isInherited = false): void {
    const thing = heap.things[value]
    if (thing === undefined || thing.kind === 'unknown' || thing.kind === 'native') return
    const key = `${value} ${cause.unit.home} ${cause.of} ${cause.isSure} ${cause.isDeep}`
    if (escaped.has(key)) return
    escaped.set(key, cause)
    const home = thing.kind === 'symbol' ? setup.homeOfSymbol(thing.target) : homeOf(thing)
    const isOfVulnerable = home !== undefined && setup.vulnerable.has(home)
    // What a vulnerable package holds of its own, it does not give away by giving away its holder.
    if (isOfVulnerable && home === cause.unit.home && (cause.isDeep || thing.kind === 'symbol')) return
    if (thing.kind === 'symbol') {
      const { unit: from, at, isSure } = cause
      note({ from, to: undefined, symbol: thing.target, at, how: 'passes on', isSure, isDirect: false })
      return
    }
    if (thing.kind === 'function') callFromOutside(value, cause)
    if (!isOfVulnerable || isInherited) {
      passOnMembers(value, cause)
      return
    }
    if (givenOut.has(value)) {
      giveOutTo(value, cause)
      return
    }
    held.set(value, [...(held.get(value) ?? []), cause])
  }

  function passOnMembers(value: Value, holder: Cause): void {
    const cause: Cause = { ...holder, isDeep: true }
    passOn(heap.lookupAny(value), cause)
    if (heap.things[value]?.kind === 'function') passOn(heap.lookup(value, 'prototype'), cause)
  }

  function giveOut(value: Value): void {
    if (givenOut.has(value)) return
    givenOut.add(value)
    for (const cause of held.get(value) ?? []) giveOutTo(value, cause)
    held.delete(value)
  }

  function giveOutTo(value: Value, cause: Cause): void {
    if (homeOf(heap.things[value]) === cause.unit.home) return
    passOnMembers(value, { ...cause, isSure: false })
  }

  function callFromOutside(value: Value, cause: Cause): void {
    const thing = heap.things[value]
    if (thing?.kind !== 'function') return
    const unknown = solver.place()
    solver.put(unknown, heap.unknown(cause.of))
    const result = solver.place()
    passOn(result, cause)
    const isClass = /^Class/.test(thing.code.node.type) || thing.code.fields !== undefined
    callValue(value, {
      unit: cause.unit,
      at: cause.at,
      args: Array.from({ length: Math.max(unseenArguments, thing.code.positional.length) }, () => unknown),
      self: unknown,
      result,
      isNew: isClass,
      how: 'passes on',
      isSure: cause.isSure,
    })
  }

  function read(object: Place, name: string, unit: Unit): Place {
    const to = solver.place()
    if (!setup.vulnerable.has(unit.home)) reads.push({ object, name, to, unit })
    solver.on(object, value => solver.flow(heap.lookup(value, name), to))
    const known = readers.get(name) ?? []
    if (known.length === 0) readers.set(name, known)
    known.push({ object, unit })
    if (gotten.has(name)) noteGetter(name, object, unit)
    return to
  }

  /** Keeps the function that runs when a member is read, and who reads it. */
  function addGetter(object: Place, name: string, getter: Place): void {
    solver.on(object, value => {
      if (heap.isUnknown(value)) return
      heap.property(value, name)
      solver.flow(getter, heap.getters(value, name))
      solver.flow(getter, heap.property(value, getterOf(name)))
    })
    if (gotten.has(name)) return
    gotten.add(name)
    for (const { object: read, unit } of readers.get(name) ?? []) noteGetter(name, read, unit)
  }

  function noteGetter(name: string, object: Place, unit: Unit): void {
    solver.on(object, value =>
      solver.on(heap.lookup(value, getterOf(name)), getter => {
        const thing = heap.things[getter]
        if (thing?.kind !== 'function') return
        const { unit: to } = thing.code
        note({ from: unit, to, symbol: undefined, at: unit.at, how: 'calls', isSure: true, isDirect: true })
      }),
    )
  }

  function readAny(object: Place, by?: string): Place {
    const to = solver.place()
    solver.on(object, value => {
      // A vulnerable package that goes through its own functions one by one does not use each of them.
      if (by !== undefined && setup.vulnerable.has(by) && isOwnExport(value, by))
        solver.put(to, heap.unknown(by))
      else solver.flow(heap.lookupAny(value), to)
    })
    return to
  }

  // The inside of a vulnerable package is not followed into what others gave to it.
  function isCutOff(target: Value, by: string | undefined): boolean {
    if (by === undefined || !setup.vulnerable.has(by)) return false
    const home = homeOf(heap.things[target])
    return home !== undefined && home !== by
  }

  function isOwnExport(value: Value, by: string): boolean {
    const thing = heap.things[value]
    return homeOf(thing) === by && !(thing?.kind === 'object' && thing.isArray)
  }

  function write(object: Place, name: string | undefined, value: Place, by?: string): void {
    solver.on(object, target => {
      const thing = heap.things[target]
      if (thing?.kind === 'unknown' || thing?.kind === 'native' || thing?.kind === 'symbol') return
      if (isCutOff(target, by)) {
        solver.put(heap.elements(target), heap.unknown(by))
        return
      }
      solver.flow(value, name === undefined ? heap.elements(target) : heap.property(target, name))
      if (name === '__proto__') solver.flow(value, heap.parents(target))
    })
  }

  // By way of one place a name, so that what many are copied from and into costs their sum and not their product. Where it is too
  // many still, the copies inherit what was copied: then only names that are read cost anything.
  function copy(from: Place, to: Place, by?: string): void {
    const named = new Map<string, Place>()
    const targets = new Set<Value>()
    const elements = solver.place()
    let shared: Value | undefined
    const placeOf = (name: string): Place => {
      const known = named.get(name) ?? solver.place()
      if (named.has(name)) return known
      named.set(name, known)
      if (shared !== undefined) solver.flow(known, heap.property(shared, name))
      else for (const target of targets) solver.flow(known, heap.property(target, name))
      shareIfMany()
      return known
    }
    const shareIfMany = (): void => {
      if (shared !== undefined || named.size * targets.size < manyCopied) return
      shared = heap.addShared()
      for (const [name, place] of named) solver.flow(place, heap.property(shared, name))
      for (const target of targets) heap.inheritShared(target, shared)
    }
    solver.on(from, source => {
      if (heap.isUnknown(source)) return write(to, undefined, from)
      if (heap.things[source]?.kind === 'native') return
      heap.onName(source, name => {
        if (name !== 'prototype') solver.flow(heap.lookup(source, name), placeOf(name))
      })
      heap.onShared(source, above =>
        heap.onName(above, name => solver.flow(heap.property(above, name), placeOf(name))),
      )
      solver.flow(heap.elements(source), elements)
    })
    solver.on(to, target => {
      if (heap.isUnknown(target) || heap.things[target]?.kind === 'native') return
      if (isCutOff(target, by)) {
        solver.put(heap.elements(target), heap.unknown(by))
        return
      }
      targets.add(target)
      if (shared !== undefined) heap.inheritShared(target, shared)
      else for (const [name, place] of named) solver.flow(place, heap.property(target, name))
      solver.flow(elements, heap.elements(target))
      shareIfMany()
    })
  }

  // Where nothing that is seen can be called, something that is not seen is: until no such call is left.
  function run(): boolean {
    for (;;) {
      if (!solver.run() || performance.now() > setup.endsAt || !hasRoom()) return false
      if (setup.work() || readLoosely() || callUnresolved() || heap.settle()) continue
      return true
    }
  }

  // A name that is read of something a vulnerable package made, and that is not seen there, may be its symbol of that name.
  function readLoosely(): boolean {
    let hasChanged = false
    for (const { object, name, to } of reads) {
      for (const mark of setup.marksNamed(name)) {
        if (solver.valuesAt(to).has(mark)) continue
        const thing = heap.things[mark]
        const home = thing?.kind === 'symbol' ? setup.homeOfSymbol(thing.target) : undefined
        if (home === undefined || ![...solver.valuesAt(object)].some(value => isLoose(value, name, home)))
          continue
        solver.put(to, mark)
        hasChanged = true
      }
    }
    return hasChanged
  }

  function isLoose(value: Value, name: string, home: string): boolean {
    const thing = heap.things[value]
    if (thing?.kind === 'unknown') return thing.of === home
    if (homeOf(thing) !== home || givenOut.has(value)) return false
    return ![...solver.valuesAt(heap.lookup(value, name))].some(
      each => heap.things[each]?.kind === 'function',
    )
  }

  // The vulnerable package that made a receiver: what its unseen methods call back with comes from it.
  function makerOf(self: Place | undefined): string | undefined {
    for (const value of self === undefined ? [] : solver.valuesAt(self)) {
      const home = homeOf(heap.things[value])
      if (home !== undefined && setup.vulnerable.has(home)) return home
    }
    return undefined
  }

  function callUnresolved(): boolean {
    const unresolved = calls
      .splice(0)
      .filter(
        ({ callee }) => ![...solver.valuesAt(callee)].some(value => heap.things[value]?.kind !== 'object'),
      )
    for (const { site } of unresolved) callUnseen(site, makerOf(site.self))
    return unresolved.length > 0
  }

  const machine: Machine = {
    solver,
    heap,
    steps,
    setup,
    call,
    callValue,
    passOn,
    note,
    read,
    readAny,
    write,
    copy,
    construct,
    addGetter,
    addUnasked: (object, method) => machine.write(object, unasked, method),
    callUnasked,
    giveOut,
    isGivenOut: (value, homes) => givenOut.has(value) && homes.includes(homeOf(heap.things[value]) ?? ''),
    reads,
    run,
  }
  return machine
}

function isNamed({ named, method, unit: from }: CallSite, { name, home }: Unit): boolean {
  if (named === undefined || name === named || name.endsWith(`.${named}`)) return true
  if (method !== undefined && home !== from.home) return false
  return name.startsWith('(') || name === 'exports' || name === 'default'
}
