// SPDX-License-Identifier: Apache-2.0
/** Names and what they stand for, function by function: blocks of one function share their names, which errs on the side of more. */
import { posix } from 'node:path'
import type { Scope } from './heap.ts'
import type { Place, Solver } from './solver.ts'
import { below, childrenOf, isFunction, listBelow, nameOf, type Syntax } from './syntax-node.ts'

/** A scope with all names that are declared in a function's body. */
export function openScope(solver: Solver, parent: Scope | undefined, body: readonly Syntax[]): Scope {
  const scope: Scope = { names: new Map(), texts: new Map(), parent }
  const assigned = new Map<string, number>()
  const pending = [...body]
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    for (const name of declaredBy(node)) if (!scope.names.has(name)) scope.names.set(name, solver.place())
    noteText(scope, assigned, node)
    if (isFunction(node) || node.type === 'ClassExpression') continue
    if (node.type === 'ClassDeclaration') continue
    for (const child of childrenOf(node)) pending.push(child)
  }
  return scope
}

/** Adds a name to a scope. */
export function declare(solver: Solver, scope: Scope, name: string): Place {
  const known = scope.names.get(name)
  if (known !== undefined) return known
  const place = solver.place()
  scope.names.set(name, place)
  scope.texts.delete(name)
  return place
}

/** What a name stands for; undefined where nothing around declares it. */
export function findName(scope: Scope, name: string): Place | undefined {
  for (let each: Scope | undefined = scope; each !== undefined; each = each.parent) {
    const place = each.names.get(name)
    if (place !== undefined) return place
  }
  return undefined
}

/** The text that an expression always is; undefined where it may be different ones. */
export function constantText(node: Syntax | undefined, scope: Scope, depth = 0): string | undefined {
  if (node === undefined || depth > 50) return undefined
  if (node.type === 'Literal') {
    const value = node['value']
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
  }
  if (node.type === 'TemplateLiteral') return templateText(node, scope, depth)
  if (node.type === 'BinaryExpression' && node['operator'] === '+') {
    const left = constantText(below(node, 'left'), scope, depth + 1)
    const right = left === undefined ? undefined : constantText(below(node, 'right'), scope, depth + 1)
    return left === undefined || right === undefined ? undefined : left + right
  }
  if (node.type === 'ParenthesizedExpression')
    return constantText(below(node, 'expression'), scope, depth + 1)
  if (node.type === 'CallExpression')
    return resolvedPath(node, scope, depth) ?? joinedPath(node, scope, false)
  if (node.type === 'NewExpression') return ownAddress(node, scope, depth)
  const name = nameOf(node)
  return name === undefined ? undefined : textOfName(scope, name)
}

// What `require.resolve(…)` or `fileURLToPath(…)` leads to is what it is given.
function resolvedPath(node: Syntax, scope: Scope, depth: number): string | undefined {
  const callee = below(node, 'callee') ?? node
  const isResolve =
    nameOf(below(callee, 'property')) === 'resolve' && nameOf(below(callee, 'object')) === 'require'
  const name = nameOf(callee) ?? nameOf(below(callee, 'property'))
  const [first, ...more] = listBelow(node, 'arguments')
  return isResolve || (name === 'fileURLToPath' && more.length === 0)
    ? constantText(first, scope, depth + 1)
    : undefined
}

// `new URL('./file.js', import.meta.url)` is a file beside this one.
function ownAddress(node: Syntax, scope: Scope, depth: number): string | undefined {
  const [first, base] = listBelow(node, 'arguments')
  const isBeside = base?.type === 'MemberExpression' && below(base, 'object')?.type === 'MetaProperty'
  return isBeside && nameOf(below(node, 'callee')) === 'URL'
    ? constantText(first, scope, depth + 1)
    : undefined
}

/** What `path.join(…)` gives where all of it is known, or what it begins with. */
export function joinedPath(node: Syntax, scope: Scope, isBeginning: boolean): string | undefined {
  const method = nameOf(below(below(node, 'callee') ?? node, 'property'))
  if (method !== 'join' && method !== 'resolve') return undefined
  const parts = listBelow(node, 'arguments').map(each => constantText(each, scope, 40))
  const known = parts.indexOf(undefined)
  if (parts.length === 0 || known === 0 || (known > 0 && !isBeginning)) return undefined
  const joined = posix.join(...(known < 0 ? parts : parts.slice(0, known)).map(String))
  return isBeginning ? `${joined}/` : joined
}

function templateText(node: Syntax, scope: Scope, depth: number): string | undefined {
  const parts = listBelow(node, 'quasis').map(
    each => (each['value'] as { cooked?: unknown } | undefined)?.cooked,
  )
  const filled = listBelow(node, 'expressions').map(each => constantText(each, scope, depth + 1))
  if (filled.includes(undefined)) return undefined
  return parts.map((part, index) => `${String(part ?? '')}${filled[index] ?? ''}`).join('')
}

function textOfName(scope: Scope, name: string): string | undefined {
  for (let each: Scope | undefined = scope; each !== undefined; each = each.parent) {
    if (each.names.has(name)) return each.texts.get(name)
  }
  return undefined
}

function noteText(scope: Scope, assigned: Map<string, number>, node: Syntax): void {
  if (node.type !== 'VariableDeclaration' || node['kind'] !== 'const') return
  for (const each of listBelow(node, 'declarations')) {
    const name = nameOf(below(each, 'id'))
    if (name === undefined) continue
    assigned.set(name, (assigned.get(name) ?? 0) + 1)
    const text = constantText(below(each, 'init'), scope)
    if (text === undefined || (assigned.get(name) ?? 0) > 1) scope.texts.delete(name)
    else scope.texts.set(name, text)
  }
}

function declaredBy(node: Syntax): readonly string[] {
  if (node.type === 'VariableDeclarator') return namesIn(below(node, 'id'))
  if (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration')
    return namesIn(below(node, 'id'))
  if (node.type === 'CatchClause') return namesIn(below(node, 'param'))
  if (/^Import(Default|Namespace)?Specifier$/.test(node.type)) return namesIn(below(node, 'local'))
  return []
}

/** The names that a pattern binds. */
export function namesIn(pattern: Syntax | undefined): readonly string[] {
  if (pattern === undefined) return []
  const name = nameOf(pattern)
  if (name !== undefined) return [name]
  if (pattern.type === 'ObjectPattern')
    return listBelow(pattern, 'properties').flatMap(each =>
      namesIn(below(each, 'value') ?? below(each, 'argument')),
    )
  if (pattern.type === 'ArrayPattern') return listBelow(pattern, 'elements').flatMap(namesIn)
  if (pattern.type === 'AssignmentPattern') return namesIn(below(pattern, 'left'))
  return pattern.type === 'RestElement' ? namesIn(below(pattern, 'argument')) : []
}
