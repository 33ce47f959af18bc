// SPDX-License-Identifier: Apache-2.0
/** Statements: what they bind, what they export, what they give back. */
import type { Context } from './code.ts'
import { makeClass, makeFunction } from './code.ts'
import { assignTo, evaluate } from './expression.ts'
import { declare, namesIn } from './scope.ts'
import type { Place } from './solver.ts'
import { below, childrenOf, listBelow, nameOf, offsetOf, type Syntax } from './syntax-node.ts'

/** Goes through a statement and all below it. */
export function visitStatement(node: Syntax, context: Context): void {
  const visit = visitors[node.type]
  if (visit !== undefined) visit(node, context)
  else if (isExpression(node)) evaluate(node, context)
  else for (const child of childrenOf(node)) visitStatement(child, context)
}

function isExpression(node: Syntax): boolean {
  return !/(Statement|Declaration|Clause|Case|Declarator|Specifier|Element|Program)$/.test(node.type)
}

const visitors: Readonly<Record<string, (node: Syntax, context: Context) => void>> = {
  ExpressionStatement(node, context) {
    const expression = below(node, 'expression')
    if (expression !== undefined) evaluate(expression, context)
  },
  VariableDeclaration(node, context) {
    for (const each of listBelow(node, 'declarations')) bind(each, context)
  },
  FunctionDeclaration(node, context) {
    const name = nameOf(below(node, 'id'))
    const value = makeFunction(node, context, { name })
    if (name !== undefined)
      context.machine.solver.put(declare(context.machine.solver, context.scope, name), value)
  },
  ClassDeclaration(node, context) {
    makeClass(node, context)
  },
  ReturnStatement(node, context) {
    const argument = below(node, 'argument')
    if (argument !== undefined) context.machine.solver.flow(evaluate(argument, context), context.result)
  },
  ThrowStatement(node, context) {
    const argument = below(node, 'argument')
    if (argument !== undefined) evaluate(argument, context)
  },
  ForOfStatement: loopOver,
  ForInStatement: loopOver,
  ImportDeclaration: importNames,
  ExportNamedDeclaration: exportNames,
  ExportDefaultDeclaration(node, context) {
    const declaration = below(node, 'declaration')
    if (declaration === undefined) return
    const value = context.machine.solver.place()
    if (declaration.type === 'FunctionDeclaration') {
      visitStatement(declaration, context)
      context.machine.solver.put(value, makeFunction(declaration, context, { name: 'default' }))
    } else if (declaration.type === 'ClassDeclaration')
      context.machine.solver.put(value, makeClass(declaration, context, 'default'))
    else context.machine.solver.flow(evaluate(declaration, context, 'default'), value)
    context.machine.write(context.exports, 'default', value)
  },
  ExportAllDeclaration(node, context) {
    const loaded = load(node, context)
    const exported = exportedName(below(node, 'exported'))
    if (loaded === undefined) return
    if (exported !== undefined) context.machine.write(context.exports, exported, loaded)
    else context.machine.copy(loaded, context.exports)
  },
}

function bind(declarator: Syntax, context: Context): void {
  const [id, init] = [below(declarator, 'id'), below(declarator, 'init')]
  if (init === undefined) return
  assignTo(id, evaluate(init, context, nameOf(id)), context, true)
}

function loopOver(node: Syntax, context: Context): void {
  const [left, right, body] = [below(node, 'left'), below(node, 'right'), below(node, 'body')]
  if (left !== undefined && right !== undefined) {
    const over = evaluate(right, context)
    const element =
      node.type === 'ForOfStatement' ? context.machine.readAny(over) : context.machine.solver.place()
    const target =
      left.type === 'VariableDeclaration' ? below(listBelow(left, 'declarations')[0] ?? left, 'id') : left
    assignTo(target, element, context, true)
  }
  if (body !== undefined) visitStatement(body, context)
}

function load(node: Syntax, { loader, unit }: Context): Place | undefined {
  const specifier = below(node, 'source')?.['value']
  return typeof specifier === 'string' ? loader.load(specifier, unit, offsetOf(node)) : undefined
}

function importNames(node: Syntax, context: Context): void {
  const loaded = load(node, context)
  const { machine, scope, unit } = context
  if (loaded === undefined) return
  for (const each of listBelow(node, 'specifiers')) {
    const local = nameOf(below(each, 'local'))
    if (local === undefined) continue
    const place = declare(machine.solver, scope, local)
    if (each.type === 'ImportNamespaceSpecifier') machine.solver.flow(loaded, place)
    else {
      const name = each.type === 'ImportDefaultSpecifier' ? 'default' : exportedName(below(each, 'imported'))
      machine.solver.flow(machine.read(loaded, name ?? local, unit), place)
    }
  }
}

function exportNames(node: Syntax, context: Context): void {
  const { machine, scope, unit } = context
  const declaration = below(node, 'declaration')
  if (declaration !== undefined) {
    visitStatement(declaration, context)
    const names =
      declaration.type === 'VariableDeclaration'
        ? listBelow(declaration, 'declarations').flatMap(each => namesIn(below(each, 'id')))
        : namesIn(below(declaration, 'id'))
    for (const name of names) machine.write(context.exports, name, declare(machine.solver, scope, name))
  }
  const loaded = load(node, context)
  for (const each of listBelow(node, 'specifiers')) {
    const [local, exported] = [exportedName(below(each, 'local')), exportedName(below(each, 'exported'))]
    if (local === undefined || exported === undefined) continue
    if (loaded === undefined) machine.write(context.exports, exported, declare(machine.solver, scope, local))
    else machine.write(context.exports, exported, machine.read(loaded, local, unit))
  }
}

function exportedName(node: Syntax | undefined): string | undefined {
  return nameOf(node) ?? (typeof node?.['value'] === 'string' ? node['value'] : undefined)
}
