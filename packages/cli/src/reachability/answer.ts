// SPDX-License-Identifier: Apache-2.0
/** From who leads to whom to an answer: a way from where the application begins, or that there is none, or why that is not known. */
import { relative } from 'node:path'
import type { Target } from './analyse.ts'
import type { Unit } from './heap.ts'
import type { Running } from './loading.ts'
import type { Step } from './machine.ts'
import { isInside } from './resolve.ts'
import { lineAt } from './source.ts'
import { childrenOf, isFunction, type Syntax, spans } from './syntax-node.ts'

/** One step of a way: what happens there. */
export interface PathStep {
  /** Relative to the application. */
  readonly file: string
  readonly line: number
  readonly what: string
}

/** Whether an application gets to what an advisory is about. `unknown` counts as reachable. */
export interface Reachability {
  readonly verdict: 'reachable' | 'unknown' | 'not-reachable'
  readonly why: string
  readonly path: readonly PathStep[]
  /** The exports that code outside of the package reads. */
  readonly uses: readonly string[]
}

interface Asked {
  readonly root: string
  readonly isComplete: boolean
}

/** The answer for one advisory. */
export function answerFor(target: Target, running: Running, { root, isComplete }: Asked): Reachability {
  const uses = usesOf(target, running)
  const answer = (
    verdict: Reachability['verdict'],
    why: string,
    way: readonly Step[] = [],
  ): Reachability => ({
    verdict,
    why,
    path: way.map(step => describe(step, target, running, root)),
    uses,
  })
  if (target.folders.length === 0)
    return answer('unknown', 'it is not installed here, so its users cannot be seen: counted as reachable')
  const homes = target.folders.map(each => each.folder)
  const loaded = findWay(running, homes, step => step.to !== undefined && homes.includes(step.to.home))
  if (loaded === undefined) {
    if (!isComplete) return answer('unknown', 'the analysis ended before all was seen: counted as reachable')
    return answer('not-reachable', 'nothing that the application runs loads it')
  }
  const isKnown = target.symbols.length > 0 && target.isCallable
  const sinks = isKnown || target.sinks.length > 0 ? sinkUnits(target, running) : undefined
  if (!isKnown && sinks === undefined)
    return answer(
      'unknown',
      'it is loaded, and which of its functions are vulnerable is not known: counted as reachable',
      loaded,
    )
  const wanted = wantedUnits(target, running)
  const hitsSymbol = (step: Step, isLoading: boolean): boolean =>
    !isLoading &&
    ((step.symbol !== undefined && target.symbols.includes(step.symbol)) ||
      (step.to !== undefined && wanted.has(step.to)))
  const hitsSink = (step: Step): boolean => step.to !== undefined && (sinks?.has(step.to) ?? false)
  const hits = (step: Step, isLoading: boolean) => hitsSymbol(step, isLoading) || hitsSink(step)
  const isDirect = isKnown
  const sure = findWay(running, homes, hits, { isSure: true, isDirect })
  if (sure !== undefined) return answer('reachable', 'the application gets to it', sure)
  const unsure = findWay(running, homes, hits, { isDirect })
  if (unsure !== undefined)
    return answer('unknown', 'what leads to it cannot be resolved: counted as reachable', unsure)
  if (!isComplete)
    return answer('unknown', 'the analysis ended before all was seen: counted as reachable', loaded)
  if (!isKnown)
    return answer(
      'unknown',
      'it is loaded, and how its flaw is entered cannot be seen: counted as reachable',
      loaded,
    )
  return answer('not-reachable', 'it is loaded, but nothing gets to what is vulnerable in it')
}

interface Visit {
  readonly step: Step | undefined
  readonly before: Visit | undefined
  readonly unit: Unit
  readonly isLoading: boolean
}

/**
 * The shortest way from the start to a step. What a package calls of itself while it is loaded, before anybody could
 * give it something, is told apart: `isLoading`.
 */
function findWay(
  { machine, start }: Running,
  homes: readonly string[],
  isEnd: (step: Step, isLoading: boolean) => boolean,
  only: { readonly isSure?: boolean; readonly isDirect?: boolean } = {},
): readonly Step[] | undefined {
  const from = stepsByUnit(machine.steps)
  const seen = new Set<string>()
  const queue: Visit[] = [{ step: undefined, before: undefined, unit: start, isLoading: false }]
  for (const visit of queue) {
    for (const step of from.get(visit.unit.id) ?? []) {
      if (only.isSure && !step.isSure) continue
      if (only.isDirect && !step.isDirect && isWithin(step, homes)) continue
      const isInHome = step.to !== undefined && homes.includes(step.to.home)
      const isLoading = isInHome && step.how !== 'passes on' && (step.how === 'loads' || visit.isLoading)
      const next: Visit = { step, before: visit, unit: step.to ?? visit.unit, isLoading }
      const asLoading = visit.isLoading && step.how === 'calls'
      if (isEnd(step, asLoading)) return stepsTo(next)
      const key = `${step.to?.id} ${isLoading}`
      if (step.to === undefined || seen.has(key)) continue
      seen.add(key)
      queue.push(next)
    }
  }
  return undefined
}

// Inside of the package itself only what it calls by name counts, where the names by which it is entered are known.
function isWithin(step: Step, homes: readonly string[]): boolean {
  if (step.to === undefined) return homes.includes(step.from.home)
  return homes.includes(step.to.home) && (homes.includes(step.from.home) || step.how === 'calls')
}

const grouped = new WeakMap<readonly Step[], Map<number, Step[]>>()

function stepsByUnit(steps: readonly Step[]): Map<number, Step[]> {
  const known = grouped.get(steps)
  if (known !== undefined) return known
  const groups = new Map<number, Step[]>()
  for (const step of steps) {
    const group = groups.get(step.from.id)
    if (group === undefined) groups.set(step.from.id, [step])
    else group.push(step)
  }
  grouped.set(steps, groups)
  return groups
}

function stepsTo(last: Visit): readonly Step[] {
  const steps: Step[] = []
  for (let visit: Visit | undefined = last; visit !== undefined; visit = visit.before)
    if (visit.step !== undefined) steps.unshift(visit.step)
  return steps
}

function describe(step: Step, target: Target, running: Running, root: string): PathStep {
  const lineIn = (path: string, offset: number) => lineAt(running.sourceOf(path)?.lineStarts ?? [0], offset)
  const name =
    step.to === undefined
      ? `${target.hit.package} (${target.exports.map(each => each.names.join('.')).join(', ')})`
      : step.to.name === ''
        ? relative(root, step.to.file)
        : `${step.to.name} (${relative(root, step.to.file)}:${lineIn(step.to.file, step.to.at)})`
  const file = relative(root, step.from.file)
  return {
    file,
    line: lineIn(step.from.file, step.at),
    what: `${step.from.name === '(start)' ? 'begins at' : step.how} ${name}`,
  }
}

function wantedUnits(target: Target, { machine }: Running): ReadonlySet<Unit> {
  const units = new Set<Unit>()
  for (const place of target.places) {
    for (const value of machine.solver.valuesAt(place)) {
      const thing = machine.heap.things[value]
      if (thing?.kind === 'function' && target.folders.some(each => each.folder === thing.code.home))
        units.add(thing.code.unit)
    }
  }
  return units
}

// The functions in which the flaw is; undefined where no such place is among what was gone through.
function sinkUnits(target: Target, running: Running): ReadonlySet<Unit> | undefined {
  const wanted = new Set<Syntax>()
  const tops = new Set<Unit>()
  let isFound = false
  for (const sink of target.sinks) {
    const [, path = '', line = '0', column = '0'] = /^(.*?):(\d+)(?::(\d+))?$/.exec(sink) ?? []
    for (const [file, { unit }] of running.files) {
      if (!target.folders.some(each => isInside(file, each.folder) && isPath(file, path))) continue
      const source = running.sourceOf(file)
      if (source === undefined) continue
      isFound = true
      const inner = innermost(
        source.program,
        (source.lineStarts[Number(line) - 1] ?? 0) + Math.max(Number(column) - 1, 0),
      )
      if (inner === undefined) tops.add(unit)
      else wanted.add(inner)
    }
  }
  if (!isFound) return undefined
  const units = running.machine.steps.flatMap(({ to }) =>
    to?.node !== undefined && wanted.has(to.node) ? [to] : [],
  )
  return new Set([...tops, ...units])
}

const isPath = (file: string, path: string): boolean =>
  path !== '' && file.replaceAll('\\', '/').endsWith(`/${path}`)

function innermost(program: Syntax, offset: number): Syntax | undefined {
  let found: Syntax | undefined
  let within: Syntax | undefined = program
  while (within !== undefined) {
    const next: Syntax | undefined = [...childrenOf(within)].find(child => spans(child, offset))
    if (next !== undefined && isFunction(next)) found = next
    within = next
  }
  return found
}

function usesOf(target: Target, { machine }: Running): readonly string[] {
  const homes = target.folders.map(each => each.folder)
  const uses = new Set<string>()
  for (const { object, name } of machine.reads) {
    for (const value of machine.solver.valuesAt(object)) if (machine.isGivenOut(value, homes)) uses.add(name)
  }
  return [...uses].sort().slice(0, 100)
}
