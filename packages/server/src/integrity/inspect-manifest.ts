// SPDX-License-Identifier: Apache-2.0
/**
 * Whether the manifest that a client published says what package.json in the tarball says. Installs obey the one for
 * resolving and the other for running, and people review either: what differs hides a dependency or a script.
 *
 * Clients do change the manifest on its way, each in its manner (npm: `normalize.js` of @npmcli/package-json; yarn 1
 * and bun likewise; pnpm and yarn 4 rewrite before they pack). Both sides are brought to the form npm installs by, and
 * what still differs is refused.
 */
import { posix } from 'node:path'
import { excerpt, problem } from '@holdfast/core'
import { canonicalSource } from './inspect-source.ts'

type Manifest = Readonly<Record<string, unknown>>
type Texts = ReadonlyMap<string, string>

/** Throws `manifest-mismatch` for the first field that decides on an install and differs. */
export function checkManifestAgrees(inTarball: Manifest, published: Manifest): void {
  checkEqual('name', cleanName(inTarball), cleanName(published))
  checkEqual('version', cleanVersion(inTarball), cleanVersion(published))
  for (const [field, read] of readers) checkTexts(field, read(inTarball), read(published))
  checkTexts(
    'scripts',
    readScripts(inTarball),
    withoutImpliedBuild(readScripts(inTarball), readScripts(published)),
  )
  checkBins(inTarball, published)
}

/**
 * A published manifest as it is served: what decides on an install has the one shape that every client reads alike, so
 * that a command outside the package's folder, or a range that is no text, reaches nobody.
 */
export function servedManifest(published: Manifest): Manifest {
  const served: Record<string, unknown> = { ...published }
  for (const field of ['dependencies', 'optionalDependencies', 'peerDependencies', 'devDependencies']) {
    if (served[field] !== undefined) served[field] = Object.fromEntries(listRanges(served[field]))
  }
  if (served['bin'] !== undefined) served['bin'] = Object.fromEntries(readBins(published))
  delete served['bundledDependencies']
  const bundled = listBundled(published)
  if (bundled.length > 0) served['bundleDependencies'] = bundled
  else delete served['bundleDependencies']
  return served
}

const readers: readonly (readonly [field: string, read: (manifest: Manifest) => Texts])[] = [
  ['dependencies', readDependencies],
  ['optionalDependencies', manifest => readRanges(manifest['optionalDependencies'])],
  ['peerDependencies', manifest => readRanges(manifest['peerDependencies'])],
  ['bundleDependencies', readBundled],
]

function checkTexts(field: string, inTarball: Texts, published: Texts): void {
  for (const key of new Set([...inTarball.keys(), ...published.keys()])) {
    checkEqual(`${field}.${excerpt(key)}`, inTarball.get(key), published.get(key))
  }
}

function checkEqual(field: string, found: string | undefined, wanted: string | undefined): void {
  if (found !== wanted)
    throw problem('manifest-mismatch', { field, found: quote(found), wanted: quote(wanted) })
}

function quote(text: string | undefined): string {
  return text === undefined ? 'nothing' : `'${excerpt(text)}'`
}

function cleanName(manifest: Manifest): string {
  return typeof manifest['name'] === 'string' ? manifest['name'].trim() : ''
}

// As semver's loose `clean`: ` =v1.2.3beta+build` is 1.2.3-beta.
function cleanVersion(manifest: Manifest): string {
  const text = typeof manifest['version'] === 'string' ? manifest['version'].trim() : ''
  const match = /^[=v\s]*(\d+)\.(\d+)\.(\d+)(?:-?([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/.exec(text)
  if (match === null) return text
  const numbers = match.slice(1, 4).map(digits => digits.replace(/^0+(?=\d)/, ''))
  return match[4] === undefined ? numbers.join('.') : `${numbers.join('.')}-${match[4]}`
}

// npm installs an optional dependency once, and older ones wrote it under both names; a bundled one is a dependency.
function readDependencies(manifest: Manifest): Texts {
  const optional = readRanges(manifest['optionalDependencies'])
  const ranges = [...readRanges(manifest['dependencies'])].filter(([name]) => !optional.has(name))
  const bundled = listBundled(manifest).filter(name => !optional.has(name))
  return new Map([...bundled.map(name => [name, '*'] as const), ...ranges])
}

function readBundled(manifest: Manifest): Texts {
  return new Map(listBundled(manifest).map(name => [name, 'bundled']))
}

function listBundled(manifest: Manifest): string[] {
  const value = manifest['bundleDependencies'] || manifest['bundledDependencies']
  if (value === true) return [...readRanges(manifest['dependencies']).keys()]
  const names = Array.isArray(value) ? value : Object.keys(asObject(value))
  return names.filter(name => typeof name === 'string' && name !== '')
}

function readRanges(value: unknown): Texts {
  return new Map(listRanges(value).map(([name, range]) => [name, canonicalSource(range.trim())]))
}

function listRanges(value: unknown): [name: string, range: string][] {
  const list = typeof value === 'string' ? value.trim().split(/[\s,]+/) : value
  const entries = Array.isArray(list) ? list.flatMap(splitDependency) : Object.entries(asObject(value))
  return entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string')
}

// `["left-pad@^1.0.0"]`, an old way that npm still turns into an object.
function splitDependency(text: unknown): [string, string][] {
  if (typeof text !== 'string') return []
  const [name = '', ...rest] = text.trim().split(/(:?[@\s><=])/)
  return [[name, rest.join('').replace(/^@/, '').trim()]]
}

const installScripts = ['preinstall', 'install', 'postinstall']

function readScripts(manifest: Manifest): Texts {
  const scripts = Object.entries(asObject(manifest['scripts'])).filter(([name]) =>
    installScripts.includes(name),
  )
  const texts = scripts.filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== '',
  )
  return new Map(
    texts.map(([name, text]) => [name, text.replace(/^(?:\.[/\\])?node_modules[/\\]\.bin[\\/]/, '')]),
  )
}

// npm writes the script that it would run anyway where there is a .gyp file and no other script.
function withoutImpliedBuild(inTarball: Texts, published: Texts): Texts {
  const isImplied = published.get('install') === 'node-gyp rebuild' && !inTarball.has('preinstall')
  if (!isImplied || inTarball.has('install')) return published
  return new Map([...published].filter(([name]) => name !== 'install'))
}

function checkBins(inTarball: Manifest, published: Manifest): void {
  const folder = asObject(inTarball['directories'])['bin']
  const claimed = readBins(published)
  if (inTarball['bin'] || typeof folder !== 'string') {
    checkTexts('bin', readBins(inTarball), claimed)
    return
  }
  // npm, yarn 1 and bun list the files of `directories.bin`; pnpm leaves that to the install.
  const base = securePath(folder)
  for (const [name, path] of claimed) {
    const isInside = base === '' || path.startsWith(`${base}/`)
    if (!isInside || posix.basename(path) !== name) checkEqual(`bin.${excerpt(name)}`, undefined, path)
  }
}

function readBins(manifest: Manifest): Texts {
  const bin = manifest['bin']
  if (typeof bin === 'string') return cleanBins([[cleanName(manifest), bin]])
  if (!Array.isArray(bin)) return cleanBins(Object.entries(asObject(bin)))
  const paths = bin.filter(path => typeof path === 'string')
  return cleanBins(paths.map(path => [posix.basename(path), path]))
}

function cleanBins(bins: readonly (readonly [name: string, path: unknown])[]): Texts {
  const clean = new Map<string, string>()
  for (const [name, path] of bins) {
    if (typeof path !== 'string') continue
    const base = posix.basename(securePath(name))
    const target = securePath(path)
    if (base !== '' && target !== '') clean.set(base, target)
  }
  return clean
}

// npm's `secureAndUnixifyPath`: `..\x` and `/x` are `x`, always inside the package.
function securePath(path: string): string {
  const inside = posix.join('/', path.replace(/\\|:/g, '/')).slice(1)
  return inside.replace(/\/$/, '')
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as Readonly<Record<string, unknown>>) : {}
}
