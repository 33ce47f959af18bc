// SPDX-License-Identifier: Apache-2.0
/** How each manager is told to take a version that nobody asked for. */
import type { LockManager } from '@holdfast/core'
import { type Asker, allows, bareRange } from './need.ts'
import type { Upgrade } from './plan.ts'

/** A value in a file of the project. */
export interface Edit {
  readonly file: 'package.json' | 'pnpm-workspace.yaml'
  readonly path: readonly string[]
  readonly value: string
}

export interface Target {
  readonly manager: LockManager
  /** Where pnpm reads overrides: its versions from 11 on look into its own file only. */
  readonly pnpmFile: Edit['file']
  /** Whether other versions of the package are to stay as they are. */
  readonly isAmbiguous: boolean
}

/** What takes the upgrade past all installed packages that ask for it; with `isLasting` past those that do not allow it. */
export function listOverrides(target: Target, upgrade: Upgrade, isLasting: boolean): readonly Edit[] {
  const { askers, to, name } = upgrade
  const inner = askers.filter(({ by, range }) => by.kind === 'node' && (!isLasting || !allows(range, to)))
  const isDirect = askers.some(({ by }) => by.kind === 'root' && by.folder === '')
  const edits = inner.map(asker => {
    const value = asker.as === name ? to : `npm:${name}@${to}`
    // npm refuses an override beside a range of the project's own that says something else.
    return toEdit(target, asker, target.manager === 'npm' && isLasting && isDirect ? `$${asker.as}` : value)
  })
  return [...new Map(edits.map(edit => [edit.path.join('\0'), edit])).values()]
}

function toEdit({ manager, pnpmFile, isAmbiguous }: Target, asker: Asker, value: string): Edit {
  const { as, range = '' } = asker
  const key = isAmbiguous && range !== '' ? `${as}@${range}` : as
  switch (manager) {
    case 'npm':
      return { file: 'package.json', path: ['overrides', key], value }
    case 'pnpm':
      return pnpmFile === 'package.json'
        ? { file: pnpmFile, path: ['pnpm', 'overrides', key], value }
        : { file: pnpmFile, path: ['overrides', key], value }
    case 'yarn': {
      const parent = asker.by.kind === 'node' ? `**/${asker.by.name}/` : ''
      return { file: 'package.json', path: ['resolutions', isAmbiguous ? `${parent}${as}` : as], value }
    }
    case 'berry':
      return {
        file: 'package.json',
        path: ['resolutions', `${as}@npm:${bareRange(range)}`],
        value: `npm:${value.replace(/^npm:/, '')}`,
      }
    default:
      return { file: 'package.json', path: ['overrides', as], value }
  }
}

/** The text of `pnpm-workspace.yaml` with one more override. */
export function addPnpmOverride(text: string, key: string, value: string): string {
  const quoted = (word: string) => `'${word.replaceAll("'", "''")}'`
  const line = `  ${quoted(key)}: ${quoted(value)}\n`
  if (!/^overrides:[ \t]*$/m.test(text))
    return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}overrides:\n${line}`
  return text
    .split('\n')
    .filter(
      each => each !== `  ${key}:` && !each.startsWith(`  ${quoted(key)}:`) && !each.startsWith(`  ${key}: `),
    )
    .join('\n')
    .replace(/^(overrides:[ \t]*\n)/m, (head: string) => head + line)
}

/** The text of a `pnpm-lock.yaml` without overrides that will not last: pnpm resolves everything anew where they differ from what it is set to. */
export function dropPnpmOverrides(text: string, keys: ReadonlySet<string>): string {
  return text.replace(/^overrides:\n((?: {2}.*\n)+)\n?/m, (_, body: string) => {
    const kept = body.split('\n').filter(line => {
      const [, key = ''] = /^ {2}(.+?): /.exec(line) ?? []
      return line !== '' && !keys.has(key.replace(/^'|'$/g, ''))
    })
    return kept.length === 0 ? '' : `overrides:\n${kept.join('\n')}\n\n`
  })
}

/** The text of a `package-lock.json` without what is to move, so that npm chooses it anew. */
export function dropNpmEntries(
  text: string,
  moved: readonly { readonly name: string; readonly version: string }[],
): string {
  const lock = JSON.parse(text) as { packages?: Record<string, { name?: string; version?: string }> }
  for (const [path, { name, version }] of Object.entries(lock.packages ?? {}))
    if (
      moved.some(
        each =>
          version === each.version && (name === each.name || path.endsWith(`node_modules/${each.name}`)),
      )
    )
      delete lock.packages?.[path]
  return JSON.stringify(lock, null, /^\{\r?\n([ \t]+)/.exec(text)?.[1])
}

/** The text of a `yarn.lock` in which what was pinned answers also to the ranges that will ask for it. */
export function carryPins(
  manager: LockManager,
  text: string,
  upgrade: Upgrade,
  ranges: readonly { readonly as: string; readonly range: string }[],
): string {
  if (manager !== 'yarn' && manager !== 'berry') return text
  const isBerry = manager === 'berry'
  const toDescriptor = (as: string, range: string) =>
    isBerry && !range.startsWith('npm:') ? `${as}@npm:${range}` : `${as}@${range}`
  const wanted = ranges.map(({ as, range }) => toDescriptor(as, range))
  const pinned = new Set(ranges.map(({ as }) => toDescriptor(as, upgrade.to)))
  return text
    .split('\n')
    .map(line => {
      if (/^[\s#]/.test(line) || !line.endsWith(':')) return line
      const keys = isBerry
        ? line.slice(0, -1).replace(/^"|"$/g, '').split(/,\s*/)
        : line.slice(0, -1).split(/,\s*/).map(unquoted)
      const isHere = keys.some(key => pinned.has(key))
      const kept = isHere ? [...new Set([...keys, ...wanted])] : keys.filter(key => !wanted.includes(key))
      if (kept.length === 0 || kept.join() === keys.join()) return line
      return isBerry
        ? `"${kept.sort().join(', ')}":`
        : `${kept
            .sort()
            .map(key => JSON.stringify(key))
            .join(', ')}:`
    })
    .join('\n')
}

function unquoted(word: string): string {
  return word.replace(/^"|"$/g, '')
}
