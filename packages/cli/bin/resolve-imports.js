// SPDX-License-Identifier: Apache-2.0
/**
 * Loaded before the command line, and before each file of tests. A relative import names its file, and of most files the
 * name or the package says what they are; and a package is the same one for all files of ours that name it. To look each of
 * them up costs more than reading the files, and a fifth of a start.
 */
import { registerHooks } from 'node:module'

/** Where this package stands beside its siblings, with the slash at the end. */
const packages = new URL('../../', import.meta.url).href
const found = new Map()

registerHooks({
  resolve(specifier, context, next) {
    // What a require() names may lack its ending.
    if (!context.conditions.includes('import') || context.parentURL === undefined)
      return next(specifier, context)
    if (/^\.\.?\//.test(specifier)) {
      const url = new URL(specifier, context.parentURL).href
      return { url, format: formatOf(url), shortCircuit: true }
    }
    const importer = ownPackage(context.parentURL)
    if (importer === undefined) return next(specifier, context)
    const key = `${importer} ${specifier}`
    const known = found.get(key)
    if (known !== undefined) return { ...known, shortCircuit: true }
    const resolved = next(specifier, context)
    found.set(key, { url: resolved.url, format: resolved.format })
    return resolved
  },
})

/** Which of our packages a file belongs to; nothing for what others wrote. */
function ownPackage(url) {
  const path = url.startsWith(packages) ? url.slice(packages.length) : ''
  return path === '' || path.includes('/node_modules/') ? undefined : path.slice(0, path.indexOf('/'))
}

/** Nothing where Node has to look. A third of what a start loads are Kysely's files, which are modules all. */
function formatOf(url) {
  if (url.endsWith('.ts')) return 'module-typescript'
  return url.includes('/node_modules/kysely/') ? 'module' : undefined
}
