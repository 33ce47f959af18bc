// SPDX-License-Identifier: Apache-2.0
/** Which installed packages can lead to a vulnerable one: only their files are worth parsing. */
import { readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { PackageFolder, Resolver } from './resolve.ts'

/** What is installed below an application, and whom each package names as a dependency. */
export interface PackageGraph {
  readonly packages: readonly PackageFolder[]
  /** The packages from which one of the wanted folders can be reached, those folders among them. */
  leadingTo(wanted: ReadonlySet<string>): ReadonlySet<string>
  /** The installed packages that a package names. */
  dependenciesOf(folder: string): readonly PackageFolder[]
}

const dependencyMembers = ['dependencies', 'optionalDependencies', 'peerDependencies', 'devDependencies']
const maxPackages = 50_000

/** Reads what is installed in a project: npm's, yarn's, bun's and pnpm's layout alike. */
export function readPackageGraph(root: string, resolver: Resolver): PackageGraph {
  const dependencies = new Map<string, readonly PackageFolder[]>()
  const packages = new Map<string, PackageFolder>()

  function dependenciesOf(folder: string): readonly PackageFolder[] {
    const known = dependencies.get(folder)
    if (known !== undefined) return known
    const own = folder === root ? resolver.packageOf(join(root, 'package.json')) : packages.get(folder)
    const names = new Set(
      dependencyMembers
        // The development tools of a dependency are not installed with it.
        .filter(member => folder === root || member !== 'devDependencies')
        .flatMap(member => Object.keys((own?.manifest[member] as object | undefined) ?? {})),
    )
    const found = [...names].flatMap(name => resolver.findPackage(name, folder) ?? [])
    dependencies.set(folder, found)
    return found
  }

  for (const folder of listInstalled(root)) {
    const found = resolver.packageOf(join(folder, 'package.json'))
    if (found.folder === folder) packages.set(folder, found)
  }

  function leadingTo(wanted: ReadonlySet<string>): ReadonlySet<string> {
    const users = new Map<string, string[]>()
    for (const folder of [root, ...packages.keys()])
      for (const { folder: used } of dependenciesOf(folder))
        users.set(used, [...(users.get(used) ?? []), folder])
    // The application may load what it does not name.
    const leading = new Set([...wanted, root])
    for (const folder of leading) for (const user of users.get(folder) ?? []) leading.add(user)
    return leading
  }

  return { packages: [...packages.values()], leadingTo, dependenciesOf }
}

// Real paths, each once: pnpm's links lead in circles by design.
function listInstalled(root: string): ReadonlySet<string> {
  const found = new Set<string>()
  const seen = new Set<string>()
  const pending = [join(root, 'node_modules')]
  for (let folder = pending.pop(); folder !== undefined && found.size < maxPackages; folder = pending.pop()) {
    const real = realPath(folder)
    if (real === undefined || seen.has(real)) continue
    seen.add(real)
    for (const name of namesIn(real)) {
      const path = join(real, name)
      if (name === '.pnpm' || name === '.bun') {
        for (const store of namesIn(path)) pending.push(join(path, store, 'node_modules'))
      } else if (name.startsWith('@')) pending.push(path)
      else if (!name.startsWith('.')) {
        const installed = realPath(path)
        if (installed === undefined) continue
        found.add(installed)
        pending.push(join(installed, 'node_modules'))
      }
    }
  }
  return found
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}
