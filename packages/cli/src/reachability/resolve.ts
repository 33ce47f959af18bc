// SPDX-License-Identifier: Apache-2.0
/** Where a specifier leads: Node's rules, with those of bundlers and TypeScript beside them. */
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, resolve as resolvePath, sep } from 'node:path'

/** An installed package, or the application: a folder with a manifest. */
export interface PackageFolder {
  readonly folder: string
  readonly name: string
  readonly version: string
  readonly manifest: Readonly<Record<string, unknown>>
}

/** What a specifier leads to. */
export type Resolved =
  | { readonly kind: 'file'; readonly files: readonly string[] }
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'missing' }

/** Finds files and packages of one project; remembers what it saw. */
export interface Resolver {
  resolve(specifier: string, from: string): Resolved
  /** The folder of an installed package as seen from a folder; undefined where it is not installed. */
  findPackage(name: string, from: string): PackageFolder | undefined
  /** The package that a file belongs to. */
  packageOf(file: string): PackageFolder
}

const builtins = new Set(builtinModules)
const extensions = ['.js', '.cjs', '.mjs', '.ts', '.tsx', '.mts', '.cts', '.jsx', '.json', '.vue', '.svelte']
const conditions = ['node', 'import', 'require', 'module', 'default', 'browser', 'development', 'production']
const maxManifestBytes = 4 * 1024 * 1024

/** A resolver for the project in a folder. */
export function createResolver(root: string): Resolver {
  const packages = new Map<string, PackageFolder | undefined>()
  const found = new Map<string, PackageFolder | undefined>()
  const resolved = new Map<string, Resolved>()

  function readPackage(folder: string): PackageFolder | undefined {
    if (!packages.has(folder)) packages.set(folder, readManifest(folder))
    return packages.get(folder)
  }

  function packageOf(file: string): PackageFolder {
    for (let folder = dirname(file); ; folder = dirname(folder)) {
      const here = readPackage(folder)
      if (here !== undefined && (here.name !== '' || folder === root)) return here
      if (folder === root || folder === dirname(folder)) break
    }
    return readPackage(root) ?? { folder: root, name: '', version: '', manifest: {} }
  }

  function findPackage(name: string, from: string): PackageFolder | undefined {
    const key = `${from}\n${name}`
    if (found.has(key)) return found.get(key)
    const up = dirname(from)
    const here = readPackage(realPath(join(from, 'node_modules', name)))
    const result = here ?? (up === from ? undefined : findPackage(name, up))
    found.set(key, result)
    return result
  }

  function resolve(specifier: string, from: string): Resolved {
    const key = `${dirname(from)}\n${specifier}`
    const known = resolved.get(key)
    if (known !== undefined) return known
    const result = look(specifier, from)
    resolved.set(key, result)
    return result
  }

  function look(specifier: string, from: string): Resolved {
    const bare = specifier.replace(/^node:/, '')
    if (specifier.startsWith('node:') || builtins.has(bare)) {
      const shadowed = specifier === bare ? findPackage(bare.replace(/\/.*/, ''), dirname(from)) : undefined
      if (shadowed === undefined) return { kind: 'builtin', name: bare }
    }
    if (/^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..')
      return toFile([resolvePath(dirname(from), specifier)])
    const own = packageOf(from)
    if (specifier.startsWith('#')) return fromMap(own, targets(own.manifest['imports'], specifier), from)
    const [name, subpath] = splitSpecifier(specifier)
    const other =
      own.name === name && own.manifest['exports'] !== undefined ? own : findPackage(name, dirname(from))
    return other === undefined ? toFile(aliases(own, specifier)) : insidePackage(other, subpath, from)
  }

  function insidePackage(other: PackageFolder, subpath: string, from: string): Resolved {
    const { manifest, folder } = other
    if (manifest['exports'] !== undefined && manifest['exports'] !== null) {
      const mapped = fromMap(other, targets(manifest['exports'], subpath), from)
      if (mapped.kind === 'file') return mapped
    }
    if (subpath !== '.') return toFile([join(folder, subpath)])
    const main = ['main', 'module', 'browser', 'es2015'].flatMap(member => {
      const value = manifest[member]
      return typeof value === 'string' ? [join(folder, value)] : []
    })
    const files = main.map(each => toFile([each])).flatMap(each => (each.kind === 'file' ? each.files : []))
    return files.length > 0 ? { kind: 'file', files: [...new Set(files)] } : toFile([join(folder, 'index')])
  }

  function fromMap(own: PackageFolder, found: readonly string[], from: string): Resolved {
    const results = found.map(target =>
      target.startsWith('.')
        ? toFile([join(own.folder, target)])
        : target === ''
          ? missing
          : resolve(target, from),
    )
    const files = results.flatMap(each => (each.kind === 'file' ? each.files : []))
    if (files.length > 0) return { kind: 'file', files: [...new Set(files)] }
    return results.find(each => each.kind === 'builtin') ?? missing
  }

  function aliases(own: PackageFolder, specifier: string): readonly string[] {
    const paths = readTsPaths(own.folder)
    const mapped = paths.flatMap(([pattern, targetList]) =>
      targetList.flatMap(target => fillPattern(pattern, specifier, target) ?? []),
    )
    if (specifier.startsWith('@/') || specifier.startsWith('~/'))
      mapped.push(join(own.folder, 'src', specifier.slice(2)), join(own.folder, specifier.slice(2)))
    return mapped
  }

  return { resolve, findPackage, packageOf }
}

const missing: Resolved = { kind: 'missing' }

/** The package and the path inside it (`.` or `./…`) that a bare specifier names. */
export function splitSpecifier(specifier: string): readonly [string, string] {
  const parts = specifier.split('/')
  const nameParts = specifier.startsWith('@') ? 2 : 1
  const rest = parts.slice(nameParts).join('/')
  return [parts.slice(0, nameParts).join('/'), rest === '' ? '.' : `./${rest}`]
}

/** Whether a path is inside a folder. */
export function isInside(file: string, folder: string): boolean {
  return file === folder || file.startsWith(folder + sep)
}

function readManifest(folder: string): PackageFolder | undefined {
  const manifest = readJson(join(folder, 'package.json'))
  if (manifest === undefined) return undefined
  const text = (member: string) => (typeof manifest[member] === 'string' ? (manifest[member] as string) : '')
  return { folder, name: text('name'), version: text('version'), manifest }
}

function readJson(path: string): Readonly<Record<string, unknown>> | undefined {
  try {
    if (statSync(path).size > maxManifestBytes) return undefined
    const value: unknown = JSON.parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

// A file as Node and bundlers would find it: as named, with an extension, or the index of a folder.
function toFile(bases: readonly string[]): Resolved {
  for (const base of bases) {
    const file = findFile(base)
    if (file !== undefined) return { kind: 'file', files: [realPath(file)] }
  }
  return missing
}

function findFile(base: string): string | undefined {
  if (isFile(base)) return base
  const written = /\.[cm]?jsx?$/.exec(base)?.[0]
  if (written !== undefined) {
    const bare = base.slice(0, -written.length)
    const source = written.replace('js', 'ts')
    for (const each of [bare + source, `${bare}.tsx`]) if (isFile(each)) return each
  }
  for (const extension of extensions) if (isFile(base + extension)) return base + extension
  if (!isFolder(base)) return undefined
  const main = readJson(join(base, 'package.json'))?.['main']
  const nested =
    typeof main === 'string' && main !== '.' && main !== './' ? findFile(join(base, main)) : undefined
  if (nested !== undefined) return nested
  for (const extension of extensions) {
    const index = join(base, `index${extension}`)
    if (isFile(index)) return index
  }
  return undefined
}

function isFile(path: string): boolean {
  return kindOf(path) === 'file'
}

function isFolder(path: string): boolean {
  return kindOf(path) === 'folder'
}

// Links that lead in a circle and names that no file can have are nothing.
function kindOf(path: string): 'file' | 'folder' | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false })
    return found?.isFile() ? 'file' : found?.isDirectory() ? 'folder' : undefined
  } catch {
    return undefined
  }
}

/** What a map of `exports` or `imports` gives for one subpath under any condition: all that could be loaded counts. */
function targets(map: unknown, subpath: string): readonly string[] {
  const isSubpathMap =
    typeof map === 'object' &&
    map !== null &&
    Object.keys(map).some(key => key.startsWith('.') || key.startsWith('#'))
  if (!isSubpathMap) return subpath === '.' ? leaves(map, undefined) : []
  const entries = Object.entries(map as Record<string, unknown>)
  const exact = entries.find(([key]) => key === subpath)
  if (exact !== undefined) return leaves(exact[1], undefined)
  const matching = entries
    .filter(([key]) => key.includes('*') || key.endsWith('/'))
    .map(([key, value]) => ({ key, value, star: matchStar(key, subpath) }))
    .filter(each => each.star !== undefined)
    .sort((one, other) => other.key.length - one.key.length)
  const [best] = matching
  return best === undefined ? [] : leaves(best.value, best.star)
}

function matchStar(pattern: string, subpath: string): string | undefined {
  const whole = pattern.includes('*') ? pattern : `${pattern}*`
  const [start = '', end = ''] = whole.split('*')
  if (!subpath.startsWith(start) || !subpath.endsWith(end) || subpath.length < start.length + end.length)
    return undefined
  return subpath.slice(start.length, subpath.length - end.length)
}

function leaves(value: unknown, star: string | undefined): string[] {
  if (typeof value === 'string') {
    if (star === undefined) return [value]
    return [value.endsWith('/') ? value + star : value.replaceAll('*', star)]
  }
  if (Array.isArray(value)) return value.flatMap(each => leaves(each, star))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, each]) =>
    conditions.includes(key) || !key.startsWith('types') ? leaves(each, star) : [],
  )
}

function readTsPaths(folder: string): readonly (readonly [string, readonly string[]])[] {
  for (const name of ['tsconfig.json', 'tsconfig.base.json', 'jsconfig.json']) {
    const options = readLooseJson(join(folder, name))?.['compilerOptions']
    if (typeof options !== 'object' || options === null) continue
    const { baseUrl, paths } = options as { baseUrl?: unknown; paths?: unknown }
    const base = join(folder, typeof baseUrl === 'string' ? baseUrl : '.')
    const mapped = Object.entries((paths ?? {}) as Record<string, unknown>).map(
      ([pattern, list]) =>
        [pattern, (Array.isArray(list) ? list : []).map(each => join(base, String(each)))] as const,
    )
    return typeof baseUrl === 'string' ? [...mapped, ['*', [join(base, '*')]] as const] : mapped
  }
  return []
}

// A tsconfig may have comments and trailing commas.
function readLooseJson(path: string): Readonly<Record<string, unknown>> | undefined {
  try {
    if (statSync(path).size > maxManifestBytes) return undefined
    const text = readFileSync(path, 'utf8').replace(
      /("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\/|,(?=\s*[}\]])/g,
      (_all, quoted) => quoted ?? '',
    )
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function fillPattern(pattern: string, specifier: string, target: string): string | undefined {
  if (!pattern.includes('*')) return pattern === specifier ? target : undefined
  const star = matchStar(pattern, specifier)
  return star === undefined ? undefined : target.replace('*', star)
}
