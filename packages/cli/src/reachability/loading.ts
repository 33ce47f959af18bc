// SPDX-License-Identifier: Apache-2.0
/** Files as they load one another, from entry points on; functions as they begin to run. */
import { basename, dirname, join, resolve as resolvePath } from 'node:path'
import { type Context, enterCode, type Loader } from './code.ts'
import { entriesOf } from './folder.ts'
import type { Unit } from './heap.ts'
import { createMachine, type Machine } from './machine.ts'
import type { PackageGraph } from './package-graph.ts'
import { isInside, type Resolver } from './resolve.ts'
import { openScope } from './scope.ts'
import { hasRoom, type Place, type Value } from './solver.ts'
import type { Source } from './source.ts'
import { visitStatement } from './statement.ts'
import { listBelow, type Syntax } from './syntax-node.ts'

/** What is analysed, and with what. */
export interface Program {
  readonly root: string
  readonly resolver: Resolver
  readonly graph: PackageGraph
  readonly sources: { read(file: string): Source }
  /** The packages whose files are gone through. */
  readonly leading: ReadonlySet<string>
  readonly vulnerable: ReadonlySet<string>
  /** The packages of which only what they export counts: the ways into their flaws are known, and nothing vulnerable is behind them. */
  readonly sealed: ReadonlySet<string>
  homeOfSymbol(target: number): string
  /** The symbols whose last name this is. */
  marksNamed(name: string): readonly Value[]
  /** A file of a vulnerable package that others load, and where its exports are. */
  onEntrance(file: string, exports: Place, machine: Machine): void
  readonly maxSteps: number
  readonly endsAt: number
}

/** A program that runs: its machine, its files, what could not be gone through. */
export interface Running {
  readonly machine: Machine
  /** Where everything begins. */
  readonly start: Unit
  readonly files: ReadonlyMap<string, { readonly unit: Unit; readonly exports: Place }>
  readonly opaque: ReadonlyMap<string, string>
  /** The syntax of a file that was gone through. */
  sourceOf(file: string): (Source & { kind: 'program' }) | undefined
  /** Begins at a file: whoever loads it may use all that it exports. */
  begin(file: string): void
}

const maxGuessedFiles = 400

/** Sets a program up; nothing runs before `machine.run()`. */
export function createRunning(program: Program): Running {
  const { root, resolver, leading } = program
  let units = 0
  const start: Unit = {
    id: units,
    file: join(root, 'package.json'),
    home: root,
    at: 1,
    name: '(start)',
    node: undefined,
  }
  const files = new Map<string, { readonly unit: Unit; readonly exports: Place }>()
  const opaque = new Map<string, string>()
  const queue: { readonly run: () => void; readonly file: string; readonly unit: Unit }[] = []
  const entered = new Set<Value>()

  const machine = createMachine({
    root,
    vulnerable: program.vulnerable,
    homeOfSymbol: program.homeOfSymbol,
    marksNamed: program.marksNamed,
    maxSteps: program.maxSteps,
    endsAt: program.endsAt,
    enter,
    load: (file, site) => {
      const from = file === site.unit.file ? site.unit : { ...site.unit, file }
      const loaded =
        site.text === undefined
          ? loader.loadAny(from, site.at, site.beginning)
          : loader.load(site.text, from, site.at)
      machine.solver.flow(loaded, site.result)
    },
    work,
  })
  const { solver, heap } = machine

  const loader: Loader = { load, loadAny, nextUnit: () => ++units, globals: new Map() }

  function enter(value: Value): void {
    if (entered.has(value)) return
    entered.add(value)
    const thing = heap.things[value]
    if (thing?.kind !== 'function') return
    const { code } = thing
    queue.push({ run: () => enterCode(code), file: code.file, unit: code.unit })
  }

  function work(): boolean {
    if (queue.length === 0) return false
    const now = queue.splice(0)
    for (const { run, file, unit } of now) {
      if (performance.now() > program.endsAt || !hasRoom()) return true
      try {
        run()
      } catch (error) {
        // Code nested so deep that the stack ends is code that is not seen.
        if (!(error instanceof RangeError)) throw error
        countAsAnything(file, unit, 'it is nested too deep')
      }
    }
    return true
  }

  function load(specifier: string, from: Unit, at: number): Place {
    const resolved = resolver.resolve(specifier, from.file)
    if (resolved.kind === 'builtin') return holding(heap.native(resolved.name))
    const place = solver.place()
    if (resolved.kind === 'missing') {
      solver.put(place, heap.unknown())
      return place
    }
    for (const file of resolved.files) solver.flow(loadFile(file, from, at, true), place)
    return place
  }

  function loadFile(file: string, from: Unit, at: number, isSure: boolean): Place {
    const home = resolver.packageOf(file).folder
    if (!leading.has(home)) return holding(heap.unknown())
    const known = files.get(file) ?? open(file, home)
    machine.note({ from, to: known.unit, symbol: undefined, at, how: 'loads', isSure, isDirect: true })
    if (program.vulnerable.has(home) && (from.home !== home || from.file !== file)) {
      if (from.home !== home) program.onEntrance(file, known.exports, machine)
    }
    return known.exports
  }

  function open(file: string, home: string): { readonly unit: Unit; readonly exports: Place } {
    const unit: Unit = { id: ++units, file, home, at: 1, name: '', node: undefined }
    const opened = { unit, exports: solver.place() }
    files.set(file, opened)
    queue.push({ run: () => goThrough(file, unit, opened.exports), file, unit })
    return opened
  }

  function goThrough(file: string, unit: Unit, exports: Place): void {
    if (program.sealed.has(unit.home)) {
      seal(unit, exports)
      return
    }
    const source = program.sources.read(file)
    if (source.kind === 'data') {
      solver.put(exports, heap.unknown())
      return
    }
    if (source.kind === 'opaque') {
      const made = heap.add({ kind: 'object', home: unit.home, isArray: false })
      solver.put(heap.elements(made), heap.unknown(unit.home))
      solver.put(exports, made)
      solver.put(exports, heap.unknown(unit.home))
      countAsAnything(file, unit, source.why, source.specifiers)
      return
    }
    const body = listBelow(source.program, 'body')
    const scope = openScope(solver, undefined, body)
    const made: Map<Syntax, Value> = new Map()
    const own = heap.add({ kind: 'object', home: unit.home, isArray: false })
    const self = holding(own)
    const context: Context = {
      machine,
      scope,
      unit,
      self,
      result: solver.place(),
      exports: self,
      made,
      loader,
    }
    if (source.isModule) {
      solver.put(exports, own)
      // What compilers make of a module has no `require`; where it is used nevertheless, it is Node's.
      scope.names.set('require', scope.names.get('require') ?? holding(heap.native('require', file)))
    } else offerCommonJs(context, own, exports)
    for (const statement of body) visitStatement(statement, context)
  }

  // What is inside is not looked at: names below its exports are what symbols are, and everything else is some value of it.
  function seal(unit: Unit, exports: Place): void {
    const made = heap.add({ kind: 'object', home: unit.home, isArray: false })
    solver.put(heap.elements(made), heap.unknown(unit.home))
    solver.put(exports, made)
    solver.put(exports, heap.unknown(unit.home))
  }

  function offerCommonJs({ scope, unit }: Context, own: Value, exports: Place): void {
    const module = heap.add({ kind: 'object', home: unit.home, isArray: false })
    const requires = holding(heap.native('require', unit.file))
    solver.flow(requires, heap.property(module, 'require'))
    solver.put(heap.property(module, 'exports'), own)
    solver.flow(heap.property(module, 'exports'), exports)
    for (const [name, place] of [
      ['require', requires],
      ['module', holding(module)],
      ['exports', holding(own)],
    ] as const)
      if (!scope.names.has(name)) scope.names.set(name, place)
      else solver.flow(place, scope.names.get(name) as Place)
    scope.names.set('__dirname', solver.place())
    scope.texts.set('__dirname', dirname(unit.file))
    // A default import of such a file is what it exports.
    solver.on(exports, value => {
      if (
        !heap.isUnknown(value) &&
        heap.things[value]?.kind !== 'native' &&
        heap.things[value]?.kind !== 'symbol'
      )
        solver.flow(exports, heap.property(value, 'default'))
    })
  }

  function countAsAnything(file: string, unit: Unit, why: string, named?: readonly string[]): void {
    opaque.set(file, why)
    for (const specifier of named ?? [])
      machine.passOn(load(specifier, unit, 1), { unit, at: 1, of: undefined, isSure: false })
    if (named === undefined) loadAny(unit, 1, undefined)
  }

  function loadAny(from: Unit, at: number, beginning: string | undefined): Place {
    const isPath = beginning !== undefined && /^(\.{1,2})?\//.test(beginning)
    const found = isPath
      ? filesLike(resolvePath(dirname(from.file), beginning), beginning.endsWith('/'), from.home)
      : []
    const place = holding(heap.unknown())
    for (const file of found) solver.flow(loadFile(file, from, at, true), place)
    if (isPath) return place
    const wanted = beginning === undefined ? undefined : /^(@[^/]+\/)?[^/]+(?=\/)/.exec(beginning)?.[0]
    for (const dependency of program.graph.dependenciesOf(from.home)) {
      if (!leading.has(dependency.folder) || (wanted !== undefined && dependency.name !== wanted)) continue
      const main = resolver.resolve(dependency.name, from.file)
      for (const file of main.kind === 'file' ? main.files : []) {
        const exports = loadFile(file, from, at, false)
        machine.passOn(exports, { unit: from, at, of: undefined, isSure: false })
        solver.flow(exports, place)
      }
    }
    return place
  }

  function holding(value: Value): Place {
    const place = solver.place()
    solver.put(place, value)
    return place
  }

  function begin(file: string): void {
    const exports = loadFile(file, start, 1, true)
    machine.passOn(exports, { unit: start, at: 1, of: undefined, isSure: true })
  }

  function sourceOf(file: string): (Source & { kind: 'program' }) | undefined {
    const source = files.has(file) ? program.sources.read(file) : undefined
    return source?.kind === 'program' ? source : undefined
  }

  return { machine, start, files, opaque, sourceOf, begin }
}

// The files that a path may lead to of which only the beginning is known; never outside of its package.
function filesLike(path: string, isFolder: boolean, home: string): readonly string[] {
  const [folder, prefix] = isFolder ? [path, ''] : [dirname(path), basename(path)]
  if (!isInside(folder, home)) return []
  const found: string[] = []
  const walk = (at: string, depth: number): void => {
    for (const entry of entriesOf(at)) {
      if (found.length >= maxGuessedFiles || (depth === 0 && !entry.name.startsWith(prefix))) continue
      if (entry.isDirectory() && entry.name !== 'node_modules' && depth < 4)
        walk(join(at, entry.name), depth + 1)
      else if (/\.[cm]?[jt]sx?$/.test(entry.name) && !/\.d\.[cm]?ts$/.test(entry.name))
        found.push(join(at, entry.name))
    }
  }
  walk(folder, 0)
  return found
}
