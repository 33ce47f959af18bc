// SPDX-License-Identifier: Apache-2.0
import { glob, readFile } from 'node:fs/promises'
import { posix } from 'node:path'

/** One import statement: the file it stands in and what it asks for. Paths are relative to the project. */
export interface Import {
  readonly file: string
  readonly target: string
  readonly isDynamic: boolean
  readonly types: readonly string[]
  /** `*` where it takes everything. */
  readonly values: readonly string[]
}

/** How far out a part of the server lies: imports point to lower numbers only. */
const ranks: readonly (readonly string[])[] = [
  ['ports', 'thread', 'litter', 'mirror-source'],
  ['catalog'],
  // The rules of the policy are written in it, and the upstreams.
  ['origin'],
  ['config'],
  ['identity', 'integrity', 'vulnerability', 'incident', 'community'],
  ['flow'],
  ['http'],
  [
    'protocol/npm',
    'protocol/api',
    'protocol/log',
    'protocol/osv',
    'protocol/feed',
    'web',
    'consumers',
    'drill-runner',
    'download-recorder',
    'trail',
  ],
  ['main', 'command'],
]
/** Adapters: they implement port types, and only main.ts names them. */
const adapters = ['store', 'store/sql', 'store/blob', 'store/log', 'remote']
/** The values of the inside that adapters call: how an actor is written down is not theirs to say, nor how a thread is run. */
const adapterWords = [
  'actorId',
  'Thread',
  'answerJobs',
  'Litter',
  'mostInThread',
  'SourceWriter',
  'readSourceLines',
]
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
  const dynamic = [...code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)]
  return [
    ...[...code.matchAll(statement)].map(([, type, names = '*', target = '']) =>
      toImport(file, target, type !== undefined, names),
    ),
    ...dynamic.map(([, target = '']) => ({ file, target, isDynamic: true, types: [], values: ['*'] })),
  ]
}

function toImport(file: string, target: string, isType: boolean, list: string): Import {
  const names = list
    .replace(/[{}\s]+/g, ' ')
    .split(',')
    .map(name => name.trim())
  const isTyped = (name: string) => isType || name.startsWith('type ')
  const types = names.filter(name => name !== '' && isTyped(name)).map(name => name.replace(/^type /, ''))
  return {
    file,
    target,
    isDynamic: false,
    types,
    values: names.filter(name => name !== '' && !isTyped(name)),
  }
}

/** Why an import is wrong, or undefined when it may stand. Files of tests may open any door. */
export function explainWrong(each: Import): string | undefined {
  const { file, target } = each
  const isTest = file.endsWith('.test.ts')
  if (!target.startsWith('.')) return isTest ? undefined : explainWrongPackage(each)
  const home = file.split('/')[1]
  const resolved = posix.join(posix.dirname(file), target)
  if (!resolved.startsWith(`packages/${home}/`)) return `${target} leaves the package: import it by name`
  if (home !== 'server' || isTest || resolved === 'packages/server/package.json') return undefined
  const [from, to] = [partOf(file), partOf(resolved)]
  if (from === to || (from.startsWith('store') && to.startsWith('store'))) return undefined
  const isFile = resolved === `packages/server/src/${to}.ts`
  const isDoor = resolved === `packages/server/src/${to}/index.ts`
  if (!isFile && !isDoor) return `${target} goes past the door ${to}/index.ts`
  return explainWrongDirection(from, to, each)
}

function explainWrongPackage({ file, target, isDynamic }: Import): string | undefined {
  if (file.startsWith('packages/core/')) return `core imports only its own files, not ${target}`
  if (!target.startsWith('@holdfast/') || target === '@holdfast/core') return undefined
  if (file === lazyServer && target === '@holdfast/server/command' && isDynamic) return undefined
  return `only ${lazyServer} loads the server, by one dynamic import, not ${target}`
}

/** The part of the server a file belongs to: a file beside main.ts, a folder, or a folder of protocol and store. */
function partOf(file: string): string {
  const [first = '', second = '', ...deeper] = file.replace('packages/server/src/', '').split('/')
  if (['protocol', 'store'].includes(first) && deeper.length > 0) return `${first}/${second}`
  return first.replace(/\.ts$/, '')
}

function explainWrongDirection(from: string, to: string, { types, values }: Import): string | undefined {
  if (from === 'main') return undefined
  if (adapters.includes(to)) return `only main.ts names an adapter, not ${from}: ask for a port`
  if (adapters.includes(from)) {
    const isFine = values.every(name => adapterWords.includes(name))
    return isFine ? undefined : `${from} takes port types only, not values of ${to}`
  }
  if (from === 'ports') return values.length === 0 ? undefined : `ports take types only, not values of ${to}`
  const [rankFrom, rankTo] = [rankOf(from), rankOf(to)]
  if (rankFrom === undefined || rankTo === undefined)
    return `${from} or ${to} has no place in the import rules`
  if (rankTo < rankFrom || (from === 'command' && to === 'main')) return undefined
  if (values.length === 0 && types.every(name => currency.includes(name))) return undefined
  return `${from} does not import ${to}`
}

function rankOf(part: string): number | undefined {
  const rank = ranks.findIndex(parts => parts.includes(part))
  return rank === -1 ? undefined : rank
}
