// SPDX-License-Identifier: Apache-2.0
/** A project on this machine: its lock file, its manifests, and who needs what. */
import { lstat, readdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type LockGraph, type ProjectManifest, readBlocks } from '@holdfast/core'
import { readBounded, readGraph } from './locked.ts'
import { UsageError } from './usage-error.ts'

/** The lock files that are looked for in a folder, in this order. */
export const lockFiles = [
  'package-lock.json',
  'npm-shrinkwrap.json',
  'pnpm-lock.yaml',
  'yarn.lock',
  'bun.lock',
] as const

const maxManifestBytes = 4 * 1024 * 1024
const maxWorkspaces = 2000
const maxDepth = 8

export interface Project {
  readonly folder: string
  /** The path of the lock file. */
  readonly lockFile: string
  readonly manifests: readonly ProjectManifest[]
  readonly graph: LockGraph
}

/** Reads the project of a folder or a lock file; throws `UsageError` where there is none. */
export async function openProject(place = '.'): Promise<Project> {
  const lockFile = await findLockFile(place)
  const folder = dirname(lockFile)
  const manifests = await readManifests(folder)
  return { folder, lockFile, manifests, graph: await readGraph(lockFile, manifests) }
}

async function findLockFile(place: string): Promise<string> {
  const path = resolve(place)
  const found = await stat(path).catch((error: Error) => {
    throw new UsageError(`${place} cannot be read: ${error.message}`, 'Check the name.')
  })
  if (!found.isDirectory()) return path
  for (const file of lockFiles) if (await isFile(join(path, file))) return join(path, file)
  throw new UsageError(
    `there is no lock file in ${place}`,
    'Install once, or name one such as package-lock.json.',
  )
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    each => each.isFile(),
    () => false,
  )
}

/** The manifest of the project's folder and those of its workspaces. */
async function readManifests(folder: string): Promise<readonly ProjectManifest[]> {
  const own = await readManifest(folder, '')
  if (own === undefined) return []
  const patterns = [...listPatterns(own.manifest['workspaces']), ...(await listPnpmPatterns(folder))]
  const folders = new Set<string>()
  for (const pattern of patterns) await expand(folder, pattern.split('/'), '', folders)
  const others = await Promise.all([...folders].map(each => readManifest(folder, each)))
  return [own, ...others.filter(each => each !== undefined)]
}

async function readManifest(folder: string, inner: string): Promise<ProjectManifest | undefined> {
  try {
    const manifest: unknown = JSON.parse(
      await readBounded(join(folder, inner, 'package.json'), maxManifestBytes),
    )
    const isObject = typeof manifest === 'object' && manifest !== null && !Array.isArray(manifest)
    return isObject ? { folder: inner, manifest: manifest as ProjectManifest['manifest'] } : undefined
  } catch {
    return undefined
  }
}

function listPatterns(workspaces: unknown): readonly string[] {
  const listed =
    typeof workspaces === 'object' && workspaces !== null && 'packages' in workspaces
      ? workspaces.packages
      : workspaces
  return Array.isArray(listed)
    ? listed.filter(each => typeof each === 'string').map(each => each.replace(/^\.\/|\/$/g, ''))
    : []
}

/** What pnpm calls workspaces, in a file of its own. */
async function listPnpmPatterns(folder: string): Promise<readonly string[]> {
  const path = join(folder, 'pnpm-workspace.yaml')
  if (!(await isFile(path))) return []
  const packages = readBlocks(await readBounded(path, maxManifestBytes)).get('packages')
  return listPatterns(packages).filter(each => each !== '.' && !each.startsWith('!'))
}

/** Follows no link, so that a folder that holds itself has an end. */
async function expand(
  root: string,
  pattern: readonly string[],
  at: string,
  found: Set<string>,
): Promise<void> {
  const [part, ...rest] = pattern
  if (found.size >= maxWorkspaces || at.split('/').length > maxDepth || part === '..') return
  if (part === undefined) {
    found.add(at)
    return
  }
  if (!part.includes('*')) return expand(root, rest, at === '' ? part : `${at}/${part}`, found)
  if (part === '**') await expand(root, rest, at, found)
  const matches = new RegExp(`^${part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll(/\*+/g, '[^/]*')}$`)
  for (const name of await listFolders(join(root, at)))
    if (matches.test(name))
      await expand(root, part === '**' ? pattern : rest, at === '' ? name : `${at}/${name}`, found)
}

async function listFolders(folder: string): Promise<readonly string[]> {
  if ((await lstat(folder).catch(() => undefined))?.isDirectory() !== true) return []
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries
    .filter(entry => entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.'))
    .map(entry => entry.name)
    .sort()
}
