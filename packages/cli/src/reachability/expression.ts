// SPDX-License-Identifier: Apache-2.0
/** Expressions: which values they give, and what they write. */
import { visitCall, visitImport, visitNew, visitTagged } from './call.ts'
import { arrayOf, type Context, makeClass, makeFunction } from './code.ts'
import { isUnasked } from './machine.ts'
import { constantText, declare, findName } from './scope.ts'
import type { Place } from './solver.ts'
import { visitStatement } from './statement.ts'
import { below, childrenOf, listBelow, nameOf, offsetOf, type Syntax } from './syntax-node.ts'

/** Where the values of an expression are. */
export function evaluate(node: Syntax, context: Context, name?: string): Place {
  const visit = Object.hasOwn(visitors, node.type) ? visitors[node.type] : undefined
  if (visit !== undefined) return visit(node, context, name)
  if (node.type.startsWith('JSX')) return visitJsx(node, context)
  for (const child of childrenOf(node)) {
    if (/(Statement|Declaration)$/.test(child.type)) visitStatement(child, context)
    else evaluate(child, context)
  }
  return context.machine.solver.place()
}

type Visit = (node: Syntax, context: Context, name?: string) => Place

const inner =
  (member: string): Visit =>
  (node, context, name) => {
    const child = below(node, member)
    return child === undefined ? context.machine.solver.place() : evaluate(child, context, name)
  }

const either =
  (...members: string[]): Visit =>
  (node, context, name) => {
    const place = context.machine.solver.place()
    for (const member of members) context.machine.solver.flow(inner(member)(node, context, name), place)
    return place
  }

const holding = (context: Context, value: number): Place => {
  const place = context.machine.solver.place()
  context.machine.solver.put(place, value)
  return place
}

const visitors: Readonly<Record<string, Visit>> = {
  Literal: (_node, { machine }) => machine.solver.place(),
  Identifier: visitName,
  ThisExpression: (_node, { self }) => self,
  Super: (_node, { above, machine }) => above ?? machine.solver.place(),
  ParenthesizedExpression: inner('expression'),
  ChainExpression: inner('expression'),
  AwaitExpression: inner('argument'),
  SpreadElement: (node, context) => context.machine.readAny(inner('argument')(node, context)),
  YieldExpression(node, context) {
    const value = inner('argument')(node, context)
    context.machine.solver.flow(arrayOf(context, value), context.result)
    return context.machine.solver.place()
  },
  UnaryExpression(node, context) {
    inner('argument')(node, context)
    return context.machine.solver.place()
  },
  LogicalExpression: either('left', 'right'),
  ConditionalExpression(node, context, name) {
    inner('test')(node, context)
    return either('consequent', 'alternate')(node, context, name)
  },
  SequenceExpression(node, context) {
    const values = listBelow(node, 'expressions').map(each => evaluate(each, context))
    return values.at(-1) ?? context.machine.solver.place()
  },
  FunctionExpression: (node, context, name) => holding(context, makeFunction(node, context, { name })),
  ArrowFunctionExpression: (node, context, name) => holding(context, makeFunction(node, context, { name })),
  ClassExpression: (node, context, name) => holding(context, makeClass(node, context, name)),
  ObjectExpression: visitObject,
  ArrayExpression: (node, context) => {
    const elements = listBelow(node, 'elements').map(each => evaluate(each, context))
    const made = arrayOf(context, ...elements)
    const isPlain = listBelow(node, 'elements').every(each => each.type !== 'SpreadElement')
    if (isPlain && elements.length <= 16)
      elements.forEach((each, index) => {
        context.machine.write(made, String(index), each)
      })
    return made
  },
  MemberExpression: visitMember,
  AssignmentExpression: visitAssignment,
  CallExpression: visitCall,
  NewExpression: visitNew,
  ImportExpression: visitImport,
  TaggedTemplateExpression: visitTagged,
}

function visitName(node: Syntax, context: Context): Place {
  const name = nameOf(node) ?? ''
  const known = findName(context.scope, name)
  if (known !== undefined) return known
  const { machine, loader } = context
  const existing = loader.globals.get(name)
  if (existing !== undefined) return existing
  const place = machine.solver.place()
  loader.globals.set(name, place)
  // What is kept in the world is read there again, also by its bare name.
  const world = machine.heap.objectAt('world', machine.setup.root, false)
  if (worlds.has(name)) {
    machine.solver.put(machine.heap.elements(world), machine.heap.unknown())
    machine.solver.put(place, world)
    return place
  }
  machine.solver.flow(machine.heap.property(world, name), place)
  if (name !== 'undefined')
    machine.solver.put(place, globalNatives.has(name) ? machine.heap.native(name) : machine.heap.unknown())
  return place
}

const worlds = new Set(['globalThis', 'global', 'window', 'self'])

const globalNatives = new Set(
  'Object Array Promise Map Set WeakMap WeakSet Worker SharedWorker Reflect JSON Math console Number String Boolean BigInt Date RegExp Error TypeError RangeError SyntaxError Symbol parseInt parseFloat isNaN isFinite setTimeout setInterval setImmediate queueMicrotask process Buffer performance Intl URL URLSearchParams Uint8Array encodeURIComponent decodeURIComponent encodeURI decodeURI escape unescape'.split(
    ' ',
  ),
)

function visitObject(node: Syntax, context: Context): Place {
  const { machine, unit } = context
  const { solver, heap } = machine
  const made = heap.add({ kind: 'object', home: unit.home, isArray: false })
  const place = holding(context, made)
  let isAsked = true
  for (const property of listBelow(node, 'properties')) {
    if (property.type === 'SpreadElement') {
      const from = below(property, 'argument')
      if (from !== undefined) machine.copy(evaluate(from, context), place)
      continue
    }
    const key = propertyName(property, 'key', context)
    const value = below(property, 'value')
    if (value === undefined) continue
    const held = evaluate(value, context, key)
    if (property['kind'] === 'set' || isUnasked(key)) {
      machine.addUnasked(place, held)
      isAsked = false
    }
    if (property['kind'] === 'get' && key !== undefined) machine.addGetter(place, key, held)
    else if (property['kind'] === 'set') continue
    else if (key === '__proto__') solver.flow(held, heap.parents(made))
    else machine.write(place, key, held)
  }
  if (isAsked) return place
  machine.callUnasked(made, { unit, at: offsetOf(node) })
  return place
}

/** The name that a member or a key names; undefined where it is computed. */
export function propertyName(node: Syntax, member: string, context: Context): string | undefined {
  const key = below(node, member)
  if (key === undefined) return undefined
  if (node['computed'] === true) {
    const text = constantText(key, context.scope) ?? wellKnownSymbol(key)
    if (text === undefined) evaluate(key, context)
    return text
  }
  return nameOf(key) ?? String(key['value'])
}

/** A name for a symbol of the language, such as `@@iterator` for `Symbol.iterator`. */
export function wellKnownSymbol(key: Syntax): string | undefined {
  const name = key.type === 'MemberExpression' ? nameOf(below(key, 'property')) : undefined
  return name !== undefined && nameOf(below(key, 'object')) === 'Symbol' ? `@@${name}` : undefined
}

function visitMember(node: Syntax, context: Context): Place {
  const object = below(node, 'object')
  if (object === undefined) return context.machine.solver.place()
  if (object.type === 'MetaProperty') return context.machine.solver.place()
  const from = objectOf(object, context)
  const name = propertyName(node, 'property', context)
  return name === undefined
    ? context.machine.readAny(from, context.unit.home)
    : context.machine.read(from, name, context.unit)
}

/** The values whose member is read; for `super` what its instances inherit. */
export function objectOf(object: Syntax, context: Context): Place {
  if (object.type !== 'Super') return evaluate(object, context)
  const above = context.above ?? context.machine.solver.place()
  const both = context.machine.solver.place()
  context.machine.solver.flow(above, both)
  context.machine.solver.flow(context.machine.read(above, 'prototype', context.unit), both)
  return both
}

function visitAssignment(node: Syntax, context: Context): Place {
  const [left, right] = [below(node, 'left'), below(node, 'right')]
  if (left === undefined || right === undefined) return context.machine.solver.place()
  if (copiesMember(left, right, context)) return context.machine.solver.place()
  const name =
    nameOf(left) ?? (left.type === 'MemberExpression' ? nameOf(below(left, 'property')) : undefined)
  const value = evaluate(right, context, name)
  const operator = node['operator']
  if (operator !== '=' && operator !== '||=' && operator !== '&&=' && operator !== '??=') return value
  assignTo(left, value, context, false)
  return value
}

// `to[key] = from[key]` keeps names as they are.
function copiesMember(left: Syntax, right: Syntax, context: Context): boolean {
  const source = right.type === 'MemberExpression' ? right : undefined
  if (left.type !== 'MemberExpression' || left['computed'] !== true || source?.['computed'] !== true)
    return false
  const [key, other] = [nameOf(below(left, 'property')), nameOf(below(source, 'property'))]
  if (
    key === undefined ||
    key !== other ||
    constantText(below(left, 'property'), context.scope) !== undefined
  )
    return false
  const [to, from] = [below(left, 'object'), below(source, 'object')]
  if (to === undefined || from === undefined) return false
  context.machine.copy(evaluate(from, context), evaluate(to, context), context.unit.home)
  return true
}

/** Lets values flow into a name, a member or a pattern. */
export function assignTo(
  target: Syntax | undefined,
  value: Place,
  context: Context,
  isDeclaring: boolean,
): void {
  if (target === undefined) return
  const { machine, scope } = context
  const { solver } = machine
  const name = nameOf(target)
  if (name !== undefined) {
    const place =
      findName(scope, name) ?? (isDeclaring ? declare(solver, scope, name) : visitName(target, context))
    solver.flow(value, place)
    return
  }
  if (target.type === 'MemberExpression') {
    const object = below(target, 'object')
    if (object === undefined) return
    const to = objectOf(object, context)
    machine.write(to, propertyName(target, 'property', context), value, context.unit.home)
    return
  }
  if (target.type === 'AssignmentPattern') {
    const fallback = below(target, 'right')
    if (fallback !== undefined) {
      const both = solver.place()
      solver.flow(value, both)
      solver.flow(evaluate(fallback, context, nameOf(below(target, 'left'))), both)
      assignTo(below(target, 'left'), both, context, isDeclaring)
      return
    }
  }
  if (target.type === 'ObjectPattern') {
    takeApart(target, value, context, isDeclaring)
    return
  }
  if (target.type === 'ArrayPattern') {
    takeElements(target, value, context, isDeclaring)
    return
  }
  if (target.type === 'RestElement') assignTo(below(target, 'argument'), value, context, isDeclaring)
}

function takeApart(target: Syntax, value: Place, context: Context, isDeclaring: boolean): void {
  const { machine, unit } = context
  for (const property of listBelow(target, 'properties')) {
    if (property.type === 'RestElement') {
      assignTo(below(property, 'argument'), value, context, isDeclaring)
      continue
    }
    const key = propertyName(property, 'key', context)
    const part = key === undefined ? machine.readAny(value) : machine.read(value, key, unit)
    assignTo(below(property, 'value'), part, context, isDeclaring)
  }
}

function takeElements(target: Syntax, value: Place, context: Context, isDeclaring: boolean): void {
  const any = context.machine.readAny(value)
  for (const each of listBelow(target, 'elements')) {
    const part = each.type === 'RestElement' ? arrayOf(context, any) : any
    assignTo(each, part, context, isDeclaring)
  }
}

// What a component is made of is called by what shows it.
function visitJsx(node: Syntax, context: Context): Place {
  const { machine, unit } = context
  const place = machine.solver.place()
  const cause = { unit, at: offsetOf(node), of: undefined, isSure: true }
  if (node.type === 'JSXOpeningElement') {
    const name = below(node, 'name')
    if (name !== undefined) machine.passOn(jsxName(name, context), cause)
  } else if (node.type === 'JSXMemberExpression' || node.type === 'JSXIdentifier') return place
  for (const child of childrenOf(node)) {
    const value = evaluate(child, context)
    if (node.type === 'JSXExpressionContainer' || node.type === 'JSXSpreadAttribute')
      machine.passOn(value, cause)
    machine.solver.flow(value, place)
  }
  return place
}

function jsxName(node: Syntax, context: Context): Place {
  const { machine, unit } = context
  const name = nameOf(node)
  if (name !== undefined) return findName(context.scope, name) ?? machine.solver.place()
  const object = below(node, 'object')
  const property = nameOf(below(node, 'property'))
  if (object === undefined || property === undefined) return machine.solver.place()
  return machine.read(jsxName(object, context), property, unit)
}
