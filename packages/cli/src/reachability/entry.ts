// SPDX-License-Identifier: Apache-2.0
/** Where an application begins: what its manifest names, what frameworks load by convention, what pages load. */
import { readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { entriesOf } from './folder.ts'
import type { Resolver } from './resolve.ts'

const sourceFile = /\.([cm]?[jt]sx?|vue|svelte)$/
const testFile =
  /(^|[\\/])(tests?|__tests__|__mocks__|spec|specs|e2e|cypress|fixtures?|benchmarks?|bench|examples?|docs?|stories|coverage)[\\/]|\.(test|spec|stories|bench|cy)\.|\.d\.[cm]?ts$|(^|[\\/])(test|gulpfile|gruntfile)\.[cm]?js$|\.config\.[cm]?[jt]s$|(^|[\\/])\.[^\\/]+rc\.[cm]?js$/i
const built = new Set([
  'node_modules',
  'dist',
  'build',
  'out',
  'vendor',
  'bower_components',
  'public',
  'static',
])
const conventional =
  /^(src[\\/])?(index|main|app|server|worker|cli|start|entry|bootstrap|handler|lambda|instrumentation|middleware)\.([cm]?[jt]sx?|vue|svelte)$/i
const loadedByFrameworks =
  /^(src[\\/])?(pages|app|api|routes|functions|netlify|server|lambdas?|workers?|bin|scripts|commands|plugins|middleware|controllers)[\\/]/
const devScript = /^(pre|post)?(test|lint|bench|coverage|format|check|types?|docs?)(:|$)/
const maxFiles = 20_000
const maxDepth = 24

/** The files at which an application in a folder begins; all of its own sources where nothing says. */
export function findEntries(root: string, resolver: Resolver): readonly string[] {
  const files = listSources(root)
  const { manifest } = resolver.packageOf(join(root, 'package.json'))
  const named = [...namedByManifest(manifest), ...namedByPages(root)].flatMap(each => {
    const found = resolver.resolve(
      each.startsWith('.') ? each : `./${each.replace(/^\//, '')}`,
      join(root, 'package.json'),
    )
    return found.kind === 'file' ? found.files : []
  })
  const usual = files.filter(file => {
    const path = relative(root, file)
    return conventional.test(path) || loadedByFrameworks.test(path)
  })
  const entries = new Set([...named, ...usual])
  return entries.size > 0 ? [...entries] : files
}

/** Whether a file of an application is there for its developers only. */
export function isForDevelopment(root: string, file: string): boolean {
  return testFile.test(relative(root, file))
}

function listSources(root: string): string[] {
  const found: string[] = []
  const walk = (folder: string, depth: number): void => {
    if (depth > maxDepth) return
    for (const entry of entriesOf(folder)) {
      if (found.length >= maxFiles) return
      const path = join(folder, entry.name)
      // Links are not followed: what they lead to is a source of its own, or outside.
      if (entry.isDirectory()) {
        if (!built.has(entry.name) && !entry.name.startsWith('.')) walk(path, depth + 1)
      } else if (entry.isFile() && sourceFile.test(entry.name) && !isForDevelopment(root, path))
        found.push(path)
    }
  }
  walk(root, 0)
  return found
}

function namedByManifest(manifest: Readonly<Record<string, unknown>>): string[] {
  const { main, module, browser, bin, exports, scripts } = manifest
  const texts = [main, module, browser, bin, exports].flatMap(textsIn)
  const commands = Object.entries(typeof scripts === 'object' && scripts !== null ? scripts : {})
    .filter(([name]) => !devScript.test(name))
    .flatMap(([, command]) =>
      String(command)
        .slice(0, 4096)
        .split(/[\s"'=;&|]+/),
    )
    .filter(word => (/\.([cm]?[jt]sx?)$/.test(word) && !testFile.test(word)) || /^\.{1,2}\//.test(word))
  return [...texts, ...commands].filter(each => !each.includes('*') && !each.includes('node_modules'))
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, each]) => (key.startsWith('types') ? [] : textsIn(each)))
}

function namedByPages(root: string): string[] {
  return ['index.html', `public${sep}index.html`, `src${sep}index.html`].flatMap(name => {
    try {
      const text = readFileSync(join(root, name), 'utf8').slice(0, 1 << 20)
      const sources = [...text.matchAll(/<script[^>]+src=["']\.?\/?([^"':]+)["']/g)]
      // The page itself has scripts, too.
      return [name, ...sources.flatMap(([, path]) => path ?? [])]
    } catch {
      return []
    }
  })
}
