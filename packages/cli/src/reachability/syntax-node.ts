// SPDX-License-Identifier: Apache-2.0
/** Syntax trees as they come from a parser that is handed in: read member by member, believed in nothing. */

/** What the parser of the server answers for one file. */
export type ParsedSource =
  | { readonly kind: 'program'; readonly program: unknown; readonly isModule: boolean }
  | { readonly kind: 'faulty'; readonly why: string; readonly line: number }

/** The server's parser: never throws. */
export type ParseSource = (text: string, path: string) => ParsedSource

/** A node of a syntax tree (ESTree with positions). */
export interface Syntax {
  readonly type: string
  readonly [member: string]: unknown
}

/** Whether a value is a node. */
export function isSyntax(value: unknown): value is Syntax {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

/** The node below a member, if there is one. */
export function below(node: Syntax, member: string): Syntax | undefined {
  const value = node[member]
  return isSyntax(value) ? value : undefined
}

/** The nodes in a list below a member; holes of arrays are left out. */
export function listBelow(node: Syntax, member: string): readonly Syntax[] {
  const value = node[member]
  return Array.isArray(value) ? value.filter(isSyntax) : []
}

/** All nodes directly below. */
export function* childrenOf(node: Syntax): Generator<Syntax> {
  for (const member in node) {
    if (member === 'loc' || member === 'range' || member === 'parent') continue
    const value = node[member]
    if (Array.isArray(value)) {
      for (const each of value) if (isSyntax(each)) yield each
    } else if (isSyntax(value)) yield value
  }
}

/** The name of an identifier (also of JSX and of private members); undefined for all else. */
export function nameOf(node: Syntax | undefined): string | undefined {
  if (node === undefined) return undefined
  if (node.type === 'PrivateIdentifier' || node.type === 'PrivateName') return `#${String(node['name'])}`
  if (node.type === 'Identifier' || node.type === 'JSXIdentifier') return String(node['name'])
  return undefined
}

/** The offset that a node begins at. */
export function offsetOf(node: Syntax): number {
  return typeof node['start'] === 'number' ? node['start'] : 0
}

/** Whether an offset lies inside a node. */
export function spans(node: Syntax, offset: number): boolean {
  return offsetOf(node) <= offset && typeof node['end'] === 'number' && offset < node['end']
}

/** Whether a node opens a function of its own. */
export function isFunction(node: Syntax): boolean {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'ArrowFunctionExpression'
  )
}
