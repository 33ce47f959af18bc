// SPDX-License-Identifier: Apache-2.0
/** What the language's own functions do with the values that they are given. */
import type { CallSite, Machine } from './machine.ts'
import type { Place } from './solver.ts'

type Act = (machine: Machine, site: CallSite) => void

/** Runs a native by its last name; what has no entry passes its arguments to code that is not seen. */
export function callNative(machine: Machine, name: string, file: string, site: CallSite): void {
  if (name === 'require' || (/(^|\.)(Worker|SharedWorker|fork)$/.test(name) && site.text !== undefined))
    machine.setup.load(file === '' ? site.unit.file : file, site)
  if (name === 'require') return
  if (name.startsWith('resolve:')) {
    const [, place] = name.split(':')
    for (const arg of site.args) machine.solver.flow(arg, Number(place))
    return
  }
  const last = name.slice(name.lastIndexOf('.') + 1)
  const owner = name.slice(0, name.lastIndexOf('.'))
  const act = (Object.hasOwn(statics, name) ? statics[name] : undefined) ?? methodFor(owner, last)
  if (act !== undefined) act(machine, site)
  else if (owner === '?') return
  else if (!harmless.test(name)) passAllOn(machine, site)
}

function methodFor(owner: string, last: string): Act | undefined {
  if (owner !== '?' && !/^(Array|Promise|Map|Set|String|Function|arguments)(\.prototype)?$/.test(owner))
    return undefined
  return last === 'then' ? withSelf : methods.get(last)
}

const harmless =
  /^(require|path|JSON|Math|console|Number|String|Boolean|BigInt|Date|RegExp|Error|TypeError|RangeError|SyntaxError|Symbol|parseInt|parseFloat|isNaN|isFinite|encodeURI|decodeURI|escape|unescape|Buffer|process|performance|Intl|ArrayBuffer|DataView|\w+Array|URL|URLSearchParams|Atomics|Object|Array|Map|Set|WeakMap|WeakSet|Reflect|String\.prototype)\b/

// A native given to a native could call itself for ever: of those only what ends a promise or loads a file is called.
function callGiven(machine: Machine, callback: Place, site: CallSite): void {
  const { solver, heap } = machine
  solver.on(callback, value => {
    const thing = heap.things[value]
    if (thing?.kind !== 'native' || /^(resolve:|require$)/.test(thing.name)) machine.callValue(value, site)
  })
}

function passAllOn({ passOn, solver, heap }: Machine, site: CallSite): void {
  for (const arg of [...site.args, ...(site.spread === undefined ? [] : [site.spread])])
    passOn(arg, { unit: site.unit, at: site.at, of: undefined, isSure: true })
  solver.put(site.result, heap.unknown())
}

function newArray({ solver, heap }: Machine, site: CallSite, ...elements: Place[]): void {
  const made = heap.objectAt(`array ${site.unit.id} ${site.at}`, site.unit.home, true)
  solver.put(heap.parents(made), heap.native('Array.prototype'))
  for (const each of elements) solver.flow(each, heap.elements(made))
  solver.put(site.result, made)
}

// A callback gets elements of what the method is called on, and the whole of it.
const withElements: Act = (machine, site) => {
  const { solver } = machine
  const self = site.self ?? solver.place()
  const elements = machine.readAny(self)
  const results = solver.place()
  const [callback, ...rest] = site.args
  if (callback === undefined) return
  callGiven(machine, callback, {
    ...site,
    args: [elements, elements, elements, self],
    result: results,
    self: rest[0],
    isNew: false,
    method: undefined,
  })
  for (const arg of rest) {
    solver.flow(arg, results)
    solver.flow(arg, elements)
  }
  // What comes back feeds the next round of a reduction.
  solver.flow(results, elements)
  solver.flow(elements, site.result)
  newArray(machine, site, elements)
}

const withSelf: Act = (machine, site) => {
  const { solver } = machine
  const given = solver.place()
  if (site.self !== undefined) solver.flow(site.self, given)
  for (const callback of site.args)
    callGiven(machine, callback, {
      ...site,
      args: [given],
      result: site.result,
      self: undefined,
      isNew: false,
      method: undefined,
    })
  solver.flow(given, site.result)
}

const keepAll: Act = (machine, site) => {
  for (const arg of site.args)
    if (site.self !== undefined) machine.write(site.self, undefined, arg, site.unit.home)
  if (site.self !== undefined) machine.solver.flow(site.self, site.result)
}

const giveElements: Act = (machine, site) => {
  if (site.self === undefined) return
  const elements = machine.readAny(site.self)
  machine.solver.flow(elements, site.result)
  for (const arg of site.args) machine.solver.flow(machine.readAny(arg), elements)
  newArray(machine, site, elements)
}

const giveElement: Act = (machine, site) => {
  if (site.self !== undefined) machine.solver.flow(machine.readAny(site.self), site.result)
}

const noResult: Act = () => undefined

const methods = new Map<string, Act>(
  Object.entries({
    forEach: withElements,
    map: withElements,
    filter: withElements,
    find: withElements,
    findIndex: withElements,
    findLast: withElements,
    some: withElements,
    every: withElements,
    flatMap: withElements,
    reduce: withElements,
    reduceRight: withElements,
    sort: withElements,
    catch: withSelf,
    finally: withSelf,
    push: keepAll,
    unshift: keepAll,
    splice: keepAll,
    fill: keepAll,
    add: keepAll,
    concat: giveElements,
    slice: giveElements,
    flat: giveElements,
    reverse: giveElements,
    values: giveElements,
    entries: giveElements,
    pop: giveElements,
    shift: giveElements,
    at: giveElements,
    next: giveElements,
    get: giveElement,
    set: keepAll,
    join: noResult,
    indexOf: noResult,
    includes: noResult,
    hasOwnProperty: noResult,
    toString: noResult,
  }),
)

const first: Act = (machine, site) => {
  if (site.args[0] !== undefined) machine.solver.flow(site.args[0], site.result)
}

const assign: Act = (machine, site) => {
  const [target, ...sources] = site.args
  if (target === undefined) return
  for (const source of sources) machine.copy(source, target, site.unit.home)
  if (site.spread !== undefined) machine.copy(site.spread, target, site.unit.home)
  machine.solver.flow(target, site.result)
}

const inherit: Act = (machine, { args: [child, parent], unit }) => {
  if (child === undefined || parent === undefined) return
  const [own, above] = [machine.read(child, 'prototype', unit), machine.read(parent, 'prototype', unit)]
  link(machine, own, above)
}

function link({ solver, heap }: Machine, child: Place, parent: Place): void {
  solver.on(child, value => {
    if (!heap.isUnknown(value)) solver.flow(parent, heap.parents(value))
  })
}

const setParent: Act = (machine, { args: [child, parent], result }) => {
  if (child === undefined || parent === undefined) return
  link(machine, child, parent)
  machine.solver.flow(child, result)
}

const create: Act = (machine, site) => {
  const { heap, solver } = machine
  const made = heap.objectAt(`create ${site.unit.id} ${site.at}`, site.unit.home, false)
  if (site.args[0] !== undefined) solver.flow(site.args[0], heap.parents(made))
  solver.put(site.result, made)
  if (site.args[1] !== undefined) describeAll(machine, site.result, site.args[1], site)
}

function describeAll(machine: Machine, object: Place, descriptors: Place, site: CallSite): void {
  const { heap, solver } = machine
  solver.on(descriptors, value => {
    heap.onName(value, name => describe(machine, object, name, heap.property(value, name), site))
  })
}

// What a map or a set is made of comes out of it again, keys and values alike.
const collect: Act = (machine, site) => {
  const elements = site.args[0] === undefined ? machine.solver.place() : machine.readAny(site.args[0])
  newArray(machine, site, elements, machine.readAny(elements))
}

const applyTo: Act = (machine, site) => {
  const [callee, self, list] = site.args
  if (callee === undefined) return
  const given = list === undefined ? undefined : machine.readAny(list)
  machine.call(callee, { ...site, args: [], spread: given, self, method: undefined, isNew: false })
}

const constructBy: Act = (machine, site) => {
  const [callee, list] = site.args
  if (callee === undefined) return
  const given = list === undefined ? undefined : machine.readAny(list)
  machine.call(callee, { ...site, args: [], spread: given, self: undefined, method: undefined, isNew: true })
}

/** What a property descriptor says is a property. */
export function describe(
  machine: Machine,
  object: Place,
  name: string | undefined,
  descriptor: Place,
  site: CallSite,
): void {
  const { heap, solver } = machine
  machine.write(object, name, machine.read(descriptor, 'value', site.unit))
  const getter = machine.read(descriptor, 'get', site.unit)
  solver.on(object, target => {
    if (heap.isUnknown(target) || heap.things[target]?.kind === 'native') return
    if (name === undefined) {
      const result = solver.place()
      callGiven(machine, getter, { ...site, args: [], result, self: object })
      solver.flow(result, heap.elements(target))
    } else {
      heap.property(target, name)
      solver.flow(getter, heap.getters(target, name))
    }
  })
}

const values: Act = (machine, site) => {
  if (site.args[0] === undefined) return
  newArray(machine, site, machine.readAny(site.args[0]))
  machine.solver.flow(machine.readAny(site.args[0]), site.result)
}

const entries: Act = (machine, site) => {
  if (site.args[0] === undefined) return
  const inner = machine.solver.place()
  newArray(machine, { ...site, result: inner }, machine.readAny(site.args[0]))
  newArray(machine, site, inner)
}

const promise: Act = (machine, site) => {
  const { heap, solver } = machine
  const settle = solver.place()
  solver.put(settle, heap.native(`resolve:${site.result}`))
  if (site.args[0] !== undefined)
    callGiven(machine, site.args[0], {
      ...site,
      args: [settle, settle],
      result: solver.place(),
      isNew: false,
      self: undefined,
    })
}

const later: Act = (machine, site) => {
  const [callback, , ...rest] = site.args
  if (callback !== undefined)
    callGiven(machine, callback, {
      ...site,
      args: rest,
      result: machine.solver.place(),
      isNew: false,
      self: undefined,
    })
}

const statics: Readonly<Record<string, Act>> = {
  Object: first,
  'Object.assign': assign,
  'Object.create': create,
  'Object.setPrototypeOf': setParent,
  'Reflect.setPrototypeOf': setParent,
  'Object.getPrototypeOf': (machine, { args: [object], result }) => {
    if (object !== undefined)
      machine.solver.on(object, value => machine.solver.flow(machine.heap.parents(value), result))
  },
  'Object.freeze': first,
  'Object.seal': first,
  'Object.preventExtensions': first,
  'Object.values': values,
  'Object.entries': entries,
  'Object.fromEntries': values,
  'Object.defineProperties': (machine, site) => {
    const [object, descriptors] = site.args
    if (object === undefined || descriptors === undefined) return
    describeAll(machine, object, descriptors, site)
    machine.solver.flow(object, site.result)
  },
  'Array.from': (machine, site) =>
    withElements(machine, {
      ...site,
      self: site.args[0],
      args: site.args.length > 1 ? site.args.slice(1) : [machine.solver.place()],
    }),
  'Array.of': (machine, site) => newArray(machine, site, ...site.args),
  Array: (machine, site) => newArray(machine, site, ...site.args),
  Map: collect,
  Set: collect,
  WeakMap: collect,
  WeakSet: collect,
  'Reflect.apply': applyTo,
  'Reflect.construct': constructBy,
  'Reflect.get': (machine, { args: [object], result }) => {
    if (object !== undefined) machine.solver.flow(machine.readAny(object), result)
  },
  'Promise.resolve': first,
  'Promise.all': values,
  'Promise.allSettled': values,
  'Promise.race': values,
  'Promise.any': values,
  Promise: promise,
  setTimeout: later,
  setInterval: later,
  setImmediate: (machine, site) =>
    later(machine, {
      ...site,
      args: [...site.args.slice(0, 1), machine.solver.place(), ...site.args.slice(1)],
    }),
  queueMicrotask: later,
  'process.nextTick': (machine, site) =>
    later(machine, {
      ...site,
      args: [...site.args.slice(0, 1), machine.solver.place(), ...site.args.slice(1)],
    }),
  'util.inherits': inherit,
  '?.inherits': inherit,
  'util.promisify': first,
  'util.deprecate': first,
  'util.callbackify': first,
  'module.createRequire': ({ solver, heap }, site) =>
    solver.put(site.result, heap.native('require', site.unit.file)),
}
