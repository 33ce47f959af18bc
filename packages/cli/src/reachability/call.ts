// SPDX-License-Identifier: Apache-2.0
/** Calls as they are written: of functions, methods and constructors, of what loads files, of what compilers add. */
import { arrayOf, type Context } from './code.ts'
import { evaluate, objectOf, propertyName } from './expression.ts'
import type { CallSite } from './machine.ts'
import { describe } from './native.ts'
import { constantText, findName, joinedPath } from './scope.ts'
import type { Place } from './solver.ts'
import { below, listBelow, nameOf, offsetOf, type Syntax } from './syntax-node.ts'

interface Given {
  readonly args: readonly Place[]
  readonly spread: Place | undefined
}

/** The result of a call. */
export function visitCall(node: Syntax, context: Context): Place {
  const callee = below(node, 'callee')
  const { machine } = context
  const result = machine.solver.place()
  if (callee === undefined) return result
  if (callee.type === 'Import') return visitImport(node, context)
  const bare = skipParentheses(callee)
  const known = compilerHelp(bare, node, context)
  if (known !== undefined) return known
  if (bare.type === 'Super') return callSuper(node, context)
  if (nameOf(bare) === 'eval' && findName(context.scope, 'eval') === undefined) return callEval(node, context)
  const given = argumentsOf(node, context)
  if (bare.type === 'MemberExpression') return callMember(bare, node, given, context)
  machine.call(evaluate(bare, context), { ...siteOf(node, given, result, context), named: nameOf(bare) })
  return result
}

function siteOf(node: Syntax, given: Given, result: Place, context: Context): CallSite {
  const [first] = listBelow(node, 'arguments')
  const text = constantText(first, context.scope)
  const beginning = text === undefined ? beginningOf(first, context) : undefined
  return {
    unit: context.unit,
    at: offsetOf(node),
    args: given.args,
    spread: given.spread,
    result,
    text,
    beginning,
  }
}

function argumentsOf(node: Syntax, context: Context): Given {
  const args: Place[] = []
  let spread: Place | undefined
  for (const each of listBelow(node, 'arguments')) {
    const place = evaluate(each, context)
    if (spread === undefined && each.type !== 'SpreadElement') args.push(place)
    else {
      spread ??= context.machine.solver.place()
      context.machine.solver.flow(place, spread)
    }
  }
  return { args, spread }
}

function skipParentheses(node: Syntax): Syntax {
  let bare = node
  for (;;) {
    const inside =
      bare.type === 'ParenthesizedExpression' || bare.type === 'ChainExpression'
        ? below(bare, 'expression')
        : // `(0, module.name)()` calls without a receiver.
          bare.type === 'SequenceExpression' && listBelow(bare, 'expressions')[0]?.type === 'Literal'
          ? listBelow(bare, 'expressions').at(-1)
          : undefined
    if (inside === undefined) return bare
    bare = inside
  }
}

function callMember(callee: Syntax, node: Syntax, given: Given, context: Context): Place {
  const { machine, unit } = context
  const { solver } = machine
  const result = solver.place()
  const object = below(callee, 'object')
  if (object === undefined) return result
  const self = objectOf(object, context)
  const method = propertyName(callee, 'property', context)
  if (method === 'defineProperty' && (nameOf(object) === 'Object' || nameOf(object) === 'Reflect'))
    return define(node, given, context)
  const site: CallSite = {
    ...siteOf(node, given, result, context),
    self: object.type === 'Super' ? context.self : self,
    method,
    named: method,
    isSure: method !== undefined,
  }
  const found = method === undefined ? machine.readAny(self, unit.home) : machine.read(self, method, unit)
  if ((method === 'call' || method === 'apply' || method === 'bind') && nameOf(object) !== 'Reflect')
    return callThrough(method, self, found, site, given, object, context)
  if (nameOf(object) === 'require' && method === 'resolve') return result
  machine.call(found, site)
  return result
}

// f.call(self, …), f.apply(self, list), f.bind(self, …): f is called, or will be.
function callThrough(
  method: 'call' | 'apply' | 'bind',
  callee: Place,
  own: Place,
  site: CallSite,
  given: Given,
  object: Syntax,
  context: Context,
): Place {
  const { machine } = context
  const { solver, heap } = machine
  const [self, ...rest] = given.args
  const inherited = object.type === 'MemberExpression' ? propertyName(object, 'property', context) : undefined
  const target: CallSite =
    method === 'apply'
      ? {
          ...site,
          self,
          args: [],
          spread: rest[0] === undefined ? given.spread : machine.readAny(rest[0]),
          method: inherited,
          named: inherited ?? nameOf(object),
        }
      : { ...site, self, args: rest, method: inherited, named: inherited ?? nameOf(object) }
  solver.on(own, value => {
    if (heap.things[value]?.kind === 'function') machine.callValue(value, site)
  })
  if (method === 'bind') {
    // Calls of what was bound find the function itself; what is bound to it is put in already.
    solver.on(callee, value => {
      const thing = heap.things[value]
      if (thing?.kind !== 'function') return
      if (self !== undefined) solver.flow(self, thing.code.self)
      for (const [index, arg] of rest.entries()) {
        const param = thing.code.positional[index]
        if (param !== undefined) solver.flow(arg, param)
      }
    })
    if (rest.length > 0) machine.call(callee, { ...target, how: 'passes on' })
    solver.flow(callee, site.result)
    return site.result
  }
  machine.call(callee, target)
  return site.result
}

function callSuper(node: Syntax, context: Context): Place {
  const result = context.machine.solver.place()
  const given = argumentsOf(node, context)
  if (context.above !== undefined)
    context.machine.call(context.above, { ...siteOf(node, given, result, context), self: context.self })
  return result
}

// Code in a text can do what it likes with every name that it sees.
function callEval(node: Syntax, context: Context): Place {
  const { machine, unit } = context
  argumentsOf(node, context)
  for (let scope: Context['scope'] | undefined = context.scope; scope !== undefined; scope = scope.parent) {
    for (const place of scope.names.values())
      machine.passOn(place, { unit, at: offsetOf(node), of: undefined, isSure: false })
  }
  const result = machine.solver.place()
  machine.solver.put(result, machine.heap.unknown())
  return result
}

/** The result of `new`. */
export function visitNew(node: Syntax, context: Context): Place {
  const result = context.machine.solver.place()
  const callee = below(node, 'callee')
  if (callee === undefined) return result
  const given = argumentsOf(node, context)
  context.machine.call(evaluate(callee, context), { ...siteOf(node, given, result, context), isNew: true })
  return result
}

/** The result of `import()`; a promise is what it promises. */
export function visitImport(node: Syntax, context: Context): Place {
  const source = below(node, 'source') ?? listBelow(node, 'arguments')[0]
  const text = constantText(source, context.scope)
  if (source !== undefined && text === undefined) evaluate(source, context)
  const { loader, unit } = context
  return text === undefined
    ? loader.loadAny(unit, offsetOf(node), beginningOf(source, context))
    : loader.load(text, unit, offsetOf(node))
}

/** What a text that is put together begins with, such as `./locale/`. */
export function beginningOf(node: Syntax | undefined, context: Context): string | undefined {
  if (node?.type === 'BinaryExpression') {
    const left = below(node, 'left')
    return constantText(left, context.scope) ?? beginningOf(left, context)
  }
  if (node?.type === 'CallExpression') return joinedPath(node, context.scope, true)
  if (node?.type !== 'TemplateLiteral') return undefined
  const cooked = listBelow(node, 'quasis')[0]?.['value'] as { cooked?: unknown } | undefined
  return typeof cooked?.cooked === 'string' && cooked.cooked !== '' ? cooked.cooked : undefined
}

/** The result of a tagged template. */
export function visitTagged(node: Syntax, context: Context): Place {
  const { machine } = context
  const result = machine.solver.place()
  const [tag, quasi] = [below(node, 'tag'), below(node, 'quasi')]
  if (tag === undefined || quasi === undefined) return result
  const args = listBelow(quasi, 'expressions').map(each => evaluate(each, context))
  machine.call(evaluate(tag, context), {
    ...siteOf(node, { args: [arrayOf(context), ...args], spread: undefined }, result, context),
  })
  return result
}

function define(node: Syntax, given: Given, context: Context): Place {
  const { machine } = context
  const [object, , descriptor] = given.args
  const result = machine.solver.place()
  if (object === undefined || descriptor === undefined) return result
  const key = listBelow(node, 'arguments')[1]
  const site = siteOf(node, given, result, context)
  const text = constantText(key, context.scope)
  const source =
    text === undefined ? forwardedFrom(listBelow(node, 'arguments')[2], nameOf(key), context) : undefined
  if (source === undefined) describe(machine, object, text, descriptor, site)
  else machine.copy(source, object)
  machine.solver.flow(object, result)
  return result
}

// { get: function () { return source[key] } }: how compilers forward all names of a module.
function forwardedFrom(
  descriptor: Syntax | undefined,
  key: string | undefined,
  context: Context,
): Place | undefined {
  if (descriptor?.type !== 'ObjectExpression' || key === undefined) return undefined
  const getter = listBelow(descriptor, 'properties').find(each => nameOf(below(each, 'key')) === 'get')
  const body = getter === undefined ? undefined : below(below(getter, 'value') ?? getter, 'body')
  const returned =
    body?.type === 'BlockStatement' ? below(listBelow(body, 'body').at(-1) ?? body, 'argument') : body
  if (
    returned?.type !== 'MemberExpression' ||
    nameOf(below(returned, 'property')) !== key ||
    returned['computed'] !== true
  )
    return undefined
  const object = below(returned, 'object')
  return object === undefined ? undefined : evaluate(object, context)
}

// Compilers' own functions, by the names that they give them: seen as what they mean, since one body serves all modules.
function compilerHelp(callee: Syntax, node: Syntax, context: Context): Place | undefined {
  const name = nameOf(callee.type === 'MemberExpression' ? below(callee, 'property') : callee)
  const plain = name?.replace(/^_+|\$?\d*$/g, '')
  const [first, second] = listBelow(node, 'arguments')
  if (plain === undefined || first === undefined) return undefined
  if (transparent.has(plain)) return evaluate(first, context)
  const { machine } = context
  if ((plain === 'exportStar' || plain === 'reExport') && second !== undefined) {
    const [from, to] = plain === 'exportStar' ? [first, second] : [second, first]
    machine.copy(evaluate(from, context), evaluate(to, context))
    return machine.solver.place()
  }
  if (plain === 'createBinding') return bindName(listBelow(node, 'arguments'), context)
  if (plain === 'export' && second?.type === 'ObjectExpression') return exportGetters(first, second, context)
  return undefined
}

const transparent = new Set([
  'interopRequireDefault',
  'interopRequireWildcard',
  'interopRequire',
  'interopDefault',
  'interopDefaultLegacy',
  'interopDefaultCompat',
  'interopNamespace',
  'interopNamespaceDefault',
  'importDefault',
  'importStar',
  'toESM',
  'toCommonJS',
  'getDefaultExportFromCjs',
])

// __createBinding(to, from, name)
function bindName([to, from, key, other]: readonly Syntax[], context: Context): Place {
  const { machine, unit } = context
  const result = machine.solver.place()
  const name = constantText(key, context.scope)
  if (to === undefined || from === undefined) return result
  if (name === undefined) machine.copy(evaluate(from, context), evaluate(to, context))
  else
    machine.write(
      evaluate(to, context),
      constantText(other, context.scope) ?? name,
      machine.read(evaluate(from, context), name, unit),
    )
  return result
}

// __export(to, { name: () => value })
function exportGetters(to: Syntax, getters: Syntax, context: Context): Place {
  const { machine } = context
  const object = evaluate(to, context)
  for (const property of listBelow(getters, 'properties')) {
    const [name, getter] = [propertyName(property, 'key', context), below(property, 'value')]
    const body = getter === undefined ? undefined : below(getter, 'body')
    const value =
      body?.type === 'BlockStatement' ? below(listBelow(body, 'body')[0] ?? body, 'argument') : body
    if (value !== undefined) machine.write(object, name, evaluate(value, context))
  }
  return machine.solver.place()
}
