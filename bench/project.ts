// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Release } from './corpus.ts'
import { runNpm } from './npm.ts'
import { makeTarball, readManifest } from './tar.ts'

/** A real project: its lock file, and all that a registry must hold to install it without one. */
export type Project = {
  readonly lock: Lock
  readonly packageJson: string
  readonly releases: readonly Release[]
}

export type Lock = { readonly packages: Readonly<Record<string, Locked>> }
export type Locked = {
  readonly version?: string
  readonly name?: string
  readonly integrity?: string
  readonly resolved?: string
}

type Packument = {
  readonly name: string
  readonly time?: Readonly<Record<string, string>>
  readonly versions: Readonly<Record<string, Record<string, unknown>>>
}

/**
 * Installs the project once with npm from the registry that npm here is configured for, and takes packages and
 * documents out of npm's own cache. Before each locked version up to `older` real earlier ones are kept, so that
 * documents have their usual shape; those are never installed, so their tarballs hold only a package.json.
 */
export async function fetchProject(cache: string, older: number): Promise<Project> {
  const folder = join(cache, 'project')
  const packageJson = join(import.meta.dirname, 'project/package.json')
  const lockFile = join(folder, 'package-lock.json')
  if (
    !existsSync(lockFile) ||
    readFileSync(packageJson, 'utf8') !== readFileSync(join(folder, 'package.json'), 'utf8')
  ) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    copyFileSync(packageJson, join(folder, 'package.json'))
    await runNpm(folder, [
      'install',
      '--cache',
      join(cache, 'npm'),
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
    ])
    rmSync(join(folder, 'node_modules'), { recursive: true })
  }
  const lock: Lock = JSON.parse(readFileSync(lockFile, 'utf8'))
  return { lock, packageJson, releases: collectReleases(join(cache, 'npm/_cacache'), lock, older) }
}

/** The package a place in node_modules belongs to. */
export function nameAt(place: string, locked: Locked): string {
  return locked.name ?? place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)
}

function collectReleases(cacache: string, lock: Lock, older: number): Release[] {
  const locked = new Map<string, Map<string, string>>()
  for (const [place, entry] of Object.entries(lock.packages)) {
    if (place === '' || !entry.version || !entry.integrity) continue
    const name = nameAt(place, entry)
    locked.set(name, (locked.get(name) ?? new Map()).set(entry.version, entry.integrity))
  }
  const packuments = readPackuments(cacache)
  return [...locked].flatMap(([name, versions]) => {
    const packument = packuments.get(name)
    if (!packument) throw new Error(`npm's cache holds no document of ${name}`)
    return chooseVersions(packument, versions, older).map(version =>
      makeCopy(cacache, packument, version, versions.get(version)),
    )
  })
}

/** Oldest first: the locked versions and the last `older` releases below the newest of them. */
function chooseVersions(packument: Packument, locked: ReadonlyMap<string, string>, older: number): string[] {
  const newest = [...locked.keys()].toSorted(compareVersions).at(-1) ?? ''
  const earlier = Object.keys(packument.versions)
    .filter(v => /^\d+\.\d+\.\d+$/.test(v) && !locked.has(v) && !packument.versions[v]?.['deprecated'])
    .filter(v => compareVersions(v, newest) < 0)
    .toSorted(compareVersions)
  return [...earlier.slice(-older || earlier.length), ...locked.keys()].toSorted(compareVersions)
}

function compareVersions(a: string, b: string): number {
  const numbers = (version: string) => version.split(/[.-]/).slice(0, 3).map(Number)
  const [x, y] = [numbers(a), numbers(b)]
  const at = x.findIndex((number, i) => number !== y[i])
  return at < 0 ? 0 : (x[at] ?? 0) - (y[at] ?? 0)
}

function makeCopy(
  cacache: string,
  packument: Packument,
  version: string,
  integrity: string | undefined,
): Release {
  const file = integrity && contentPath(cacache, integrity)
  if (file && existsSync(file)) {
    const tarball = readFileSync(file)
    const inside = readManifest(tarball) ?? {}
    return {
      name: packument.name,
      version,
      manifest: { ...inside, name: packument.name, version },
      readme: '',
      tarball,
    }
  }
  const published = Object.entries(packument.versions[version] ?? {})
  const manifest = Object.fromEntries(published.filter(([key]) => !/^(_|dist$|deprecated$)/.test(key)))
  const data = Buffer.from(JSON.stringify(manifest))
  return {
    name: packument.name,
    version,
    manifest,
    readme: '',
    tarball: makeTarball([{ path: 'package/package.json', data }]),
  }
}

/** The package documents in npm's cache, by name. */
function readPackuments(cacache: string): Map<string, Packument> {
  const found = new Map<string, Packument>()
  for (const entry of readdirSync(join(cacache, 'index-v5'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    for (const line of readFileSync(join(entry.parentPath, entry.name), 'utf8').split('\n').filter(Boolean)) {
      const { key, integrity } = JSON.parse(line.slice(line.indexOf('\t') + 1))
      if (!integrity || key.endsWith('.tgz')) continue
      const document = JSON.parse(readFileSync(contentPath(cacache, integrity), 'utf8'))
      if (document.name && document.versions) found.set(document.name, document)
    }
  }
  return found
}

function contentPath(cacache: string, integrity: string): string {
  const [algorithm = '', digest = ''] = integrity.split(' ')[0]?.split(/-(.*)/s) ?? []
  const hex = Buffer.from(digest, 'base64').toString('hex')
  return join(cacache, 'content-v2', algorithm, hex.slice(0, 2), hex.slice(2, 4), hex.slice(4))
}
