// SPDX-License-Identifier: Apache-2.0
/** Functions and classes: made when they are met, gone through when something calls them. */

import { assignTo, evaluate, wellKnownSymbol } from './expression.ts'
import type { Code, Scope, Unit } from './heap.ts'
import { isUnasked, type Machine } from './machine.ts'
import { declare, openScope } from './scope.ts'
import type { Place, Value } from './solver.ts'
import { visitStatement } from './statement.ts'
import { below, isSyntax, listBelow, nameOf, offsetOf, type Syntax } from './syntax-node.ts'

/** Where code stands while it is gone through. */
export interface Context {
  readonly machine: Machine
  readonly scope: Scope
  readonly unit: Unit
  readonly self: Place
  /** Where a `return` goes. */
  readonly result: Place
  /** What `super` is, inside a class: the class above and what its instances inherit. */
  readonly above?: Place | undefined
  /** Where exports go, at the top of a module. */
  readonly exports: Place
  /** Called with a function's value before its code is gone through. */
  readonly made: Map<Syntax, Value>
  readonly loader: Loader
}

/** How files load one another. */
export interface Loader {
  /** What loading a specifier gives. */
  load(specifier: string, from: Unit, at: number): Place
  /** A specifier that is not known loads whatever the package may load. */
  loadAny(from: Unit, at: number, hint: string | undefined): Place
  nextUnit(): number
  globals: Map<string, Place>
}

const pendingCode = new WeakMap<Code, () => void>()

/** Goes through the code of a function, the first time. */
export function enterCode(code: Code): void {
  const go = pendingCode.get(code)
  if (go === undefined) return
  pendingCode.delete(code)
  go()
}

/** The value of a function expression or declaration; of a class's constructor with what its fields do. */
export function makeFunction(
  node: Syntax,
  context: Context,
  given: {
    readonly name?: string | undefined
    readonly above?: Place | undefined
    readonly fields?: readonly (() => void)[]
    readonly self?: Place
  } = {},
): Value {
  const known = context.made.get(node)
  if (known !== undefined) return known
  const { machine } = context
  const { solver, heap } = machine
  const isArrow = node.type === 'ArrowFunctionExpression'
  const params = listBelow(node, 'params')
  const own = nameOf(below(node, 'id'))
  const unit: Unit = {
    id: context.loader.nextUnit(),
    file: context.unit.file,
    home: context.unit.home,
    at: offsetOf(node),
    name: own ?? given.name ?? '(function)',
    node,
  }
  const code: Code = {
    node,
    file: unit.file,
    home: unit.home,
    scope: context.scope,
    params: solver.place(),
    positional: params.map(() => solver.place()),
    self: isArrow ? context.self : (given.self ?? solver.place()),
    result: solver.place(),
    unit,
    ...(given.fields === undefined ? {} : { fields: given.fields }),
  }
  const value = heap.add({ kind: 'function', code })
  context.made.set(node, value)
  if (!isArrow) {
    const prototype = heap.add({ kind: 'object', home: unit.home, isArray: false })
    solver.put(heap.property(value, 'prototype'), prototype)
    solver.put(heap.property(prototype, 'constructor'), value)
  }
  pendingCode.set(code, () =>
    goThrough(code, value, params, {
      ...context,
      unit,
      self: code.self,
      result: code.result,
      above: given.above ?? (isArrow ? context.above : undefined),
    }),
  )
  return value
}

function goThrough(code: Code, value: Value, params: readonly Syntax[], outer: Context): void {
  const { machine } = outer
  const { solver } = machine
  const { node } = code
  const body = below(node, 'body')
  const scope = openScope(solver, code.scope, [...params, ...(body === undefined ? [] : [body])])
  const context: Context = { ...outer, scope }
  const own = nameOf(below(node, 'id'))
  if (own !== undefined && node.type === 'FunctionExpression' && !scope.names.has(own))
    solver.put(declare(solver, scope, own), value)
  if (node.type !== 'ArrowFunctionExpression') putArguments(machine, scope, code)
  params.forEach((param, index) => {
    const from = code.positional[index] as Place
    if (param.type === 'RestElement')
      assignTo(below(param, 'argument'), arrayOf(context, code.params), context, true)
    else assignTo(param, from, context, true)
  })
  for (const run of code.fields ?? []) run()
  if (body?.type === 'BlockStatement') visitStatement(body, context)
  else if (body !== undefined) solver.flow(evaluate(body, context), code.result)
}

function putArguments(machine: Machine, scope: Scope, code: Code): void {
  if (scope.names.has('arguments')) return
  const { solver, heap } = machine
  const all = heap.add({ kind: 'object', home: code.home, isArray: true })
  solver.put(heap.parents(all), heap.native('Array.prototype'))
  solver.flow(code.params, heap.elements(all))
  code.positional.forEach((place, index) => {
    solver.flow(place, heap.property(all, String(index)))
  })
  solver.put(declare(solver, scope, 'arguments'), all)
}

/** An array with such elements. */
export function arrayOf({ machine, unit }: Context, ...elements: readonly Place[]): Place {
  const { solver, heap } = machine
  const made = heap.add({ kind: 'object', home: unit.home, isArray: true })
  solver.put(heap.parents(made), heap.native('Array.prototype'))
  for (const each of elements) solver.flow(each, heap.elements(made))
  const place = solver.place()
  solver.put(place, made)
  return place
}

/** The value of a class. */
export function makeClass(node: Syntax, context: Context, name?: string): Value {
  const known = context.made.get(node)
  if (known !== undefined) return known
  const { machine } = context
  const { solver, heap } = machine
  const superclass = below(node, 'superClass')
  const above = superclass === undefined ? undefined : evaluate(superclass, context)
  const body = below(node, 'body')
  const members = body === undefined ? [] : listBelow(body, 'body')
  const written = members.find(each => each.type === 'MethodDefinition' && each['kind'] === 'constructor')
  const title = nameOf(below(node, 'id')) ?? name ?? '(class)'
  const self = solver.place()
  const fields: (() => void)[] = []
  const inner: Context = { ...context, above, self }
  const constructorNode =
    written === undefined ? implicitConstructor(node, above !== undefined) : (below(written, 'value') ?? node)
  const value = makeFunction(constructorNode, inner, { name: title, above, fields, self })
  context.made.set(node, value)
  const own = nameOf(below(node, 'id'))
  if (own !== undefined) solver.put(declare(solver, context.scope, own), value)
  const prototype = heap.property(value, 'prototype')
  if (above !== undefined) {
    solver.flow(above, heap.parents(value))
    const inherited = machine.read(above, 'prototype', context.unit)
    solver.on(prototype, each => solver.flow(inherited, heap.parents(each)))
  }
  const statics = solver.place()
  solver.put(statics, value)
  for (const member of members) addMember(member, { inner, statics, prototype, fields, title })
  decorate([node, ...members], statics, context)
  return value
}

// Who is given a class by a decorator makes it and calls its methods, as frameworks do.
function decorate(decorated: readonly Syntax[], made: Place, context: Context): void {
  const { machine, unit } = context
  for (const decorator of decorated.flatMap(each => listBelow(each, 'decorators'))) {
    const expression = below(decorator, 'expression')
    if (expression === undefined) continue
    const at = offsetOf(decorator)
    machine.call(evaluate(expression, context), { unit, at, args: [made], result: machine.solver.place() })
    machine.passOn(made, { unit, at, of: undefined, isSure: true })
  }
}

function addMember(
  member: Syntax,
  {
    inner,
    statics,
    prototype,
    fields,
    title,
  }: { inner: Context; statics: Place; prototype: Place; fields: (() => void)[]; title: string },
): void {
  const { machine } = inner
  const { solver } = machine
  if (member.type === 'StaticBlock') {
    for (const each of listBelow(member, 'body')) visitStatement(each, { ...inner, self: statics })
    return
  }
  const name = memberName(member, inner)
  const value = below(member, 'value')
  const isStatic = member['static'] === true
  if (member.type === 'MethodDefinition') {
    if (member['kind'] === 'constructor' || value === undefined) return
    const target = isStatic ? statics : prototype
    const method = solver.place()
    solver.put(method, makeFunction(value, inner, { name: `${title}.${name ?? '(computed)'}` }))
    const kind = member['kind']
    if (kind === 'get' && name !== undefined) machine.addGetter(target, name, method)
    else if (kind !== 'set') machine.write(target, name, method)
    if (kind === 'set' || isUnasked(name)) machine.addUnasked(target, method)
    // The receiver of a method is whatever inherits it: at least what the class makes.
    return
  }
  if (value === undefined) return
  const assign = (): void => {
    const context = isStatic ? { ...inner, self: statics } : inner
    machine.write(isStatic ? statics : inner.self, name, evaluate(value, context, name))
  }
  if (isStatic) assign()
  else fields.push(assign)
}

function memberName(member: Syntax, context: Context): string | undefined {
  const key = below(member, 'key')
  if (member['computed'] !== true) return nameOf(key) ?? String(key?.['value'])
  if (key === undefined) return undefined
  const symbol = wellKnownSymbol(key)
  if (symbol === undefined) evaluate(key, context)
  return symbol
}

// A class without a constructor passes on what it gets.
function implicitConstructor(node: Syntax, isDerived: boolean): Syntax {
  const made = (more: object) => ({ start: node['start'], end: node['end'], ...more }) as unknown as Syntax
  const rest = made({ type: 'RestElement', argument: made({ type: 'Identifier', name: '…' }) })
  const pass = made({
    type: 'ExpressionStatement',
    expression: made({
      type: 'CallExpression',
      callee: made({ type: 'Super' }),
      arguments: [made({ type: 'SpreadElement', argument: made({ type: 'Identifier', name: '…' }) })],
    }),
  })
  const body = made({ type: 'BlockStatement', body: isDerived ? [pass] : [] })
  return made({
    type: 'ClassConstructor',
    params: isDerived ? [rest] : [],
    body,
    ...(isSyntax(node['id']) ? { id: node['id'] } : {}),
  })
}
