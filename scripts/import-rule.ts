// SPDX-License-Identifier: Apache-2.0
import { glob, readFile } from 'node:fs/promises'
import { posix } from 'node:path'

/** One import statement: the file it stands in and what it asks for. Paths are relative to the project. */
export interface Import {
  readonly file: string
  readonly target: string
  readonly kind: 'value' | 'type' | 'dynamic'
  /** Names it takes, where it lists them. */
  readonly names: readonly string[]
}

/** How far out a part of the server lies: imports point to lower numbers only. */
const ranks: readonly (readonly string[])[] = [
  ['ports', 'config'],
  ['catalog'],
  ['identity', 'integrity', 'vulnerability', 'incident', 'community'],
  ['flow'],
  ['consumers'],
  ['http'],
  ['protocol/npm', 'protocol/api', 'web'],
  ['main', 'command'],
]
/** Adapters: they implement port types, and only main.ts names them. */
const adapters = ['store/sql', 'store/blob', 'remote']
/** What principles may take from one another, as types only. */
const currency = ['Actor', 'Grant', 'Event', 'NewEvent', 'StoredEvent']
const lazyServer = 'packages/cli/src/main.ts'

/** Every import of packages/<name>/src that points the wrong way, as `file: why`. */
export async function findWrongImports(root: string): Promise<string[]> {
  const wrong: string[] = []
  for await (const file of glob('packages/*/src/**/*.ts', { cwd: root })) {
    const imports = readImports(file, await readFile(posix.join(root, file), 'utf8'))
    wrong.push(...imports.flatMap(each => explainWrong(each) ?? []).map(why => `${file}: ${why}`))
  }
  return wrong.sort()
}

/** The imports and re-exports of one source text. */
export function readImports(file: string, text: string): Import[] {
  const code = text.replace(/^\s*(\/\*[\s\S]*?\*\/|\/\/.*)$/gm, '')
  const statement = /^(?:import|export)\s+(type\s)?(?:([\w\s{},*$]*?)\sfrom\s*)?['"]([^'"]+)['"]/gm
  const fixed = [...code.matchAll(statement)]
  const dynamic = [...code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)]
  return [
    ...fixed.map(([, type, names = '', target = '']) => toImport(file, target, type !== undefined, names)),
    ...dynamic.map(([, target = '']) => ({ file, target, kind: 'dynamic', names: [] }) as const),
  ]
}

function toImport(file: string, target: string, isType: boolean, list: string): Import {
  const names = list
    .replace(/[{}\s]+/g, ' ')
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
  const allTypes = isType || (names.length > 0 && names.every(name => name.startsWith('type ')))
  return {
    file,
    target,
    kind: allTypes ? 'type' : 'value',
    names: names.map(name => name.replace(/^type /, '')),
  }
}

/** Why an import is wrong, or undefined when it may stand. Files of tests may open any door. */
export function explainWrong({ file, target, kind, names }: Import): string | undefined {
  const isTest = /\.test\.ts$|\/fixture\//.test(file)
  const home = file.split('/')[1] ?? ''
  if (!target.startsWith('.')) return isTest ? undefined : explainWrongPackage(file, home, target, kind)
  const resolved = posix.join(posix.dirname(file), target)
  if (!resolved.startsWith(`packages/${home}/`)) return `${target} leaves the package: import it by name`
  if (home !== 'server' || isTest) return undefined
  const [from, to] = [partOf(file), partOf(resolved)]
  if (from === to) return undefined
  const isFile = resolved === `packages/server/src/${to}.ts`
  const isDoor = resolved === `packages/server/src/${to}/index.ts`
  if (!isFile && !isDoor) return `${target} goes past the door ${to}/index.ts`
  return explainWrongDirection(from, to, kind === 'type', names)
}

/** The part of the server a file belongs to: a file beside main.ts, a folder, or a folder of protocol and store. */
function partOf(file: string): string {
  const [first = '', second = '', ...deeper] = file.replace('packages/server/src/', '').split('/')
  if (['protocol', 'store'].includes(first) && deeper.length > 0) return `${first}/${second}`
  return first.replace(/\.ts$/, '')
}

function explainWrongDirection(
  from: string,
  to: string,
  isType: boolean,
  names: readonly string[],
): string | undefined {
  if (from === 'main') return undefined
  if (adapters.includes(to)) return `only main.ts names an adapter, not ${from}: ask for a port`
  if (adapters.includes(from))
    return isType ? undefined : `${from} takes port types only, not values of ${to}`
  if (from === 'ports') return isType ? undefined : `ports take types only, not values of ${to}`
  const [rankFrom, rankTo] = [rankOf(from), rankOf(to)]
  if (rankFrom === undefined || rankTo === undefined)
    return `${from} or ${to} has no place in the import rules`
  if (rankTo < rankFrom || (from === 'command' && to === 'main')) return undefined
  if (isType && names.length > 0 && names.every(name => currency.includes(name))) return undefined
  return `${from} does not import ${to}`
}

function rankOf(part: string): number | undefined {
  const rank = ranks.findIndex(parts => parts.includes(part))
  return rank === -1 ? undefined : rank
}

function explainWrongPackage(
  file: string,
  home: string,
  target: string,
  kind: Import['kind'],
): string | undefined {
  if (home === 'core') return `core imports only its own files, not ${target}`
  if (!target.startsWith('@holdfast/') || target === '@holdfast/core') return undefined
  const isLazy = file === lazyServer && target === '@holdfast/server/command' && kind === 'dynamic'
  return isLazy ? undefined : `only ${lazyServer} loads the server, by one dynamic import, not ${target}`
}
