// SPDX-License-Identifier: Apache-2.0
/** Whether an application gets to what advisories are about. */
export { analyseReachability, type Hit, listInstalledNames, type Project } from './analyse.ts'
export type { PathStep, Reachability } from './answer.ts'
export { parseSymbols, type SymbolEntry } from './symbol.ts'
export type { ParsedSource, ParseSource } from './syntax-node.ts'
