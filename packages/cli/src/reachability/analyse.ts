// SPDX-License-Identifier: Apache-2.0
/** Whether an application can get to what advisories are about, and by which way. */
import { realpathSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { answerFor, type Reachability } from './answer.ts'
import { findEntries } from './entry.ts'
import { listImported } from './import-reach.ts'
import { createRunning, type Program, type Running } from './loading.ts'
import type { Machine } from './machine.ts'
import { type PackageGraph, readPackageGraph } from './package-graph.ts'
import { createResolver, isInside, type PackageFolder, type Resolver } from './resolve.ts'
import type { Place, Value } from './solver.ts'
import { createSources } from './source.ts'
import { type ExportPath, parseExport, readOwnSymbols, type SymbolEntry, symbolsOfRecord } from './symbol.ts'
import type { ParseSource } from './syntax-node.ts'

/** An application. */
export interface Project {
  readonly folder: string
  /** Where it begins, instead of what its manifest and the conventions of frameworks say. */
  readonly entries?: readonly string[]
  /** Symbols that its people know of, beside ours. */
  readonly symbols?: readonly SymbolEntry[]
  /** How long the analysis may take; what it did not get to counts as reachable. */
  readonly maxSeconds?: number
  /** How much of that may go into the insides of vulnerable packages. */
  readonly insideSeconds?: number
}

/** An advisory that hits what is installed. */
export interface Hit {
  /** What the answer is found under. */
  readonly key: string
  readonly ids: readonly string[]
  readonly package: string
  /** Whether it hits a version; all where it does not say. */
  readonly covers?: (version: string) => boolean
  readonly record?: unknown
}

/** The names of all that is installed in a folder. */
export function listInstalledNames(folder: string): ReadonlySet<string> {
  const root = realpathSync(folder)
  return new Set(readPackageGraph(root, createResolver(root)).packages.map(({ name }) => name))
}

/** A hit with what is looked for. */
export interface Target {
  readonly hit: Hit
  readonly folders: readonly PackageFolder[]
  readonly exports: readonly ExportPath[]
  readonly sinks: readonly string[]
  /** The numbers of its symbols, one an export and folder. */
  readonly symbols: number[]
  /** Where the functions of its exports are. */
  readonly places: Place[]
  /** Whether one of its exports is not the module itself, or is something that can be called. */
  isCallable: boolean
}

const defaultSeconds = 30
const defaultInsideSeconds = 5
const maxSteps = 60_000_000
/** What the insides of flawed packages may take beside three times what all else takes: those that end at all end before 20,000 steps. */
const insideSteps = 150_000

/**
 * Answers for each hit whether the application gets to it; never throws for what is in the files. At first what
 * vulnerable packages export is taken as symbol data has it, and their insides are left out; then they are gone through like all
 * others, which tells more apart, unless that takes too long.
 */
export async function analyseReachability(
  project: Project,
  hits: readonly Hit[],
  parseSource: ParseSource,
): Promise<ReadonlyMap<string, Reachability>> {
  const root = realpathSync(project.folder)
  const resolver = createResolver(root)
  const graph = readPackageGraph(root, resolver)
  const known = [...(project.symbols ?? []), ...readOwnSymbols()]
  const entries = project.entries?.map(each => realpathSync(join(root, each))) ?? findEntries(root, resolver)
  const sources = createSources(parseSource)
  const seconds = project.maxSeconds ?? defaultSeconds
  const look = (isSealed: boolean, maxSeconds: number, steps: number) => {
    const targets = hits.map(hit => makeTarget(hit, graph, known))
    const running = start({ root, resolver, graph, targets, sources, isSealed, maxSeconds, maxSteps: steps })
    for (const entry of entries) running.begin(entry)
    const isComplete = runToEnd(running)
    const answers = () =>
      new Map(targets.map(target => [target.hit.key, answerFor(target, running, { root, isComplete })]))
    return { isComplete, answers, steps: running.machine.solver.steps() }
  }
  const outside = look(true, seconds, maxSteps)
  if (!outside.isComplete) {
    const targets = hits.map(hit => makeTarget(hit, graph, known))
    const vulnerable = new Set(targets.flatMap(({ folders }) => folders.map(each => each.folder)))
    const imported = listImported(entries, { resolver, graph, leading: graph.leadingTo(vulnerable) })
    const answers = outside.answers()
    return new Map(targets.map(target => [target.hit.key, byImports(target, imported, answers)]))
  }
  const within = Math.min(seconds, project.insideSeconds ?? defaultInsideSeconds)
  const whole = look(false, within, insideSteps + 3 * outside.steps)
  return (whole.isComplete ? whole : outside).answers()
}

const notImported: Reachability = {
  verdict: 'not-reachable',
  why: 'no file that the application loads names it',
  path: [],
  uses: [],
}

/** What was not gone through in time is answered by what files name: a package that none of them loads is not reached. */
function byImports(
  { hit, folders }: Target,
  imported: ReadonlySet<string>,
  answers: ReadonlyMap<string, Reachability>,
): Reachability {
  const answer = answers.get(hit.key) ?? notImported
  const isLoaded = folders.length === 0 || folders.some(each => imported.has(each.folder))
  return answer.verdict === 'unknown' && !isLoaded ? notImported : answer
}

// Where the stack ends the analysis ends, and what it did not get to counts as reachable.
function runToEnd({ machine }: Running): boolean {
  try {
    return machine.run()
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

interface Setting {
  readonly root: string
  readonly resolver: Resolver
  readonly graph: PackageGraph
  readonly targets: readonly Target[]
  readonly sources: Program['sources']
  readonly isSealed: boolean
  readonly maxSeconds: number
  readonly maxSteps: number
}

function start({
  root,
  resolver,
  graph,
  targets,
  sources,
  isSealed,
  maxSeconds,
  maxSteps,
}: Setting): Running {
  const vulnerable = new Set(targets.flatMap(target => target.folders.map(each => each.folder)))
  const leading = graph.leadingTo(vulnerable)
  const homes: string[] = []
  const seen = new Set<string>()
  const marks = new Map<string, readonly Value[]>()
  const program: Program = {
    root,
    resolver,
    graph,
    sources,
    leading,
    vulnerable,
    sealed: isSealed ? listSealed(targets, graph, leading) : new Set(),
    marksNamed: name => marks.get(name) ?? [],
    homeOfSymbol: target => homes[target] ?? '',
    onEntrance: (file, exports, machine) => {
      if (seen.has(file)) return
      seen.add(file)
      for (const target of targets) {
        const folder = target.folders.find(each => isInside(file, each.folder))
        if (folder !== undefined)
          markExports(target, folder, file, { exports, machine, resolver, homes, marks, root })
      }
    },
    maxSteps,
    endsAt: performance.now() + maxSeconds * 1000,
  }
  return createRunning(program)
}

// Symbol data names every export that leads to a flaw, so nothing inside has to be followed; unless it leads on to another package's flaw.
function listSealed(
  targets: readonly Target[],
  graph: PackageGraph,
  leading: ReadonlySet<string>,
): ReadonlySet<string> {
  const sealed = new Set(targets.flatMap(({ folders }) => folders.map(each => each.folder)))
  for (const folder of sealed)
    if (graph.dependenciesOf(folder).some(each => leading.has(each.folder))) sealed.delete(folder)
  return sealed
}

function makeTarget(hit: Hit, graph: PackageGraph, known: readonly SymbolEntry[]): Target {
  const folders = graph.packages.filter(
    each => each.name === hit.package && (hit.covers?.(each.version) ?? true),
  )
  const entries = known.filter(each => each.package === hit.package && hit.ids.includes(each.advisory))
  const named = [...symbolsOfRecord(hit.record, hit.package), ...entries.flatMap(each => each.exports)]
  return {
    hit,
    folders,
    exports: [...new Set(named)].map(parseExport),
    sinks: [...new Set(entries.flatMap(each => each.sinks))],
    symbols: [],
    places: [],
    isCallable: false,
  }
}

interface Entrance {
  readonly exports: Place
  readonly machine: Machine
  readonly resolver: Resolver
  readonly homes: string[]
  readonly marks: Map<string, readonly Value[]>
  readonly root: string
}

// From here on the values of the advisory's exports are marked: whoever calls what carries the mark calls the symbol.
function markExports(target: Target, folder: PackageFolder, file: string, entrance: Entrance): void {
  const { machine, exports, homes } = entrance
  machine.solver.on(exports, value => machine.giveOut(value))
  for (const path of target.exports) {
    const names = namesAt(path, folder, file, entrance)
    if (names === undefined) continue
    const symbol = homes.push(folder.folder) - 1
    target.symbols.push(symbol)
    const last = names.at(-1)
    const mark = machine.heap.add({ kind: 'symbol', target: symbol, name: last ?? 'default' })
    if (last !== undefined) entrance.marks.set(last, [...(entrance.marks.get(last) ?? []), mark])
    if (last === undefined) markDefault(target, exports, mark, machine)
    else markBelow(target, exports, names, mark, machine)
  }
}

/** The names below a file's exports that an exported name means; none means all of it, undefined that it is not of this file. */
function namesAt(
  path: ExportPath,
  folder: PackageFolder,
  file: string,
  { resolver, root }: Entrance,
): readonly string[] | undefined {
  const inside = relative(folder.folder, file)
    .replaceAll('\\', '/')
    .replace(/\.[cm]?[jt]sx?$/, '')
  const [head = '', ...rest] = path.names
  const own = head === 'default' ? rest : path.names
  if (path.subpath !== '') {
    const isMeant = inside === path.subpath || inside === `${path.subpath}/index`
    if (isMeant) return own
  }
  const main = resolver.resolve(folder.name, join(root, 'package.json'))
  const found = resolver.resolve('.', join(folder.folder, 'package.json'))
  const mains = [main, found].flatMap(each => (each.kind === 'file' ? each.files : []))
  const isMain =
    mains.includes(file) || /(^|\/)(dist|umd|esm?|cjs|build|bundle)\//.test(inside) || inside === 'index'
  if (isMain || head === 'default') return isMain ? own : undefined
  const last = basename(inside) === 'index' ? basename(inside.slice(0, -'/index'.length)) : basename(inside)
  const isNamedAfter = plain(last) === plain(head)
  return isNamedAfter ? rest : own
}

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '')

function markDefault(target: Target, exports: Place, mark: Value, { solver, heap }: Machine): void {
  solver.put(exports, mark)
  target.places.push(exports)
  solver.on(exports, value => {
    const thing = heap.things[value]
    if (thing?.kind === 'function' || thing?.kind === 'unknown') target.isCallable = true
    if (thing?.kind !== 'object' && thing?.kind !== 'function') return
    const own = heap.property(value, 'default')
    solver.put(own, mark)
    target.places.push(own)
    solver.on(own, each => {
      if (heap.things[each]?.kind === 'function') target.isCallable = true
    })
  })
}

function markBelow(
  target: Target,
  object: Place,
  names: readonly string[],
  mark: Value,
  machine: Machine,
): void {
  const { solver, heap } = machine
  const [name, ...rest] = names
  if (name === undefined) return
  target.isCallable = true
  solver.on(object, value => {
    const thing = heap.things[value]
    if (thing?.kind !== 'object' && thing?.kind !== 'function') return
    const own = heap.property(value, name)
    const holders = thing.kind === 'function' ? [own, below(machine, value, name)] : [own]
    for (const place of holders) {
      if (rest.length > 0) markBelow(target, place, rest, mark, machine)
      else {
        solver.put(place, mark)
        target.places.push(place)
      }
    }
  })
}

// A name below a class is one of its methods.
function below({ solver, heap }: Machine, value: Value, name: string): Place {
  const place = solver.place()
  solver.on(heap.property(value, 'prototype'), prototype => {
    if (heap.things[prototype]?.kind !== 'object') return
    const own = heap.property(prototype, name)
    solver.flow(own, place)
    solver.flow(place, own)
  })
  return place
}
