// SPDX-License-Identifier: Apache-2.0
/** `holdfast operator policy …` and `advisories …`: the rules of the firewall, and what they are fed with. */
import { readFile } from 'node:fs/promises'
import { parseIntegrity, readLockFile } from '@holdfast/core'
import type { BadDigest, Rule } from '../catalog/index.ts'
import {
  addAdvisories,
  applyPolicy,
  currentPolicy,
  keepLocked,
  type PolicyPreview,
  previewPolicy,
  rulesWithMode,
  setRuleMode,
  takeAdvisories,
} from '../flow/index.ts'
import { operator } from '../identity/index.ts'
import type { Ports } from '../main.ts'
import type { OsvFound } from '../vulnerability/index.ts'
import { isOsvSource, readOsvFiles } from './osv-file.ts'
import { openProgress } from './progress.ts'
import { type Arguments, UsageError } from './usage.ts'

const usage = `Usage: holdfast operator policy show|apply|enforce|monitor|keep [RULE] [--dry-run] --data DIR

  show                what each rule does, and what it would hide of what is installed here
  apply               put the policy of the configuration in force
  enforce RULE        have a rule carried out; what was served before is left alone
  monitor RULE        only watch
  keep LOCKFILE...    rules that are enforced later leave alone what these name
  --dry-run           say what would be hidden, and change nothing`

/** One of the acts above; what it prints. */
export async function policyAct(
  ports: Ports,
  { flags }: Arguments,
  [act, ...words]: readonly string[],
): Promise<string> {
  if (act === 'show') return show(ports)
  if (act === 'apply') {
    const rules = ports.config.policy
    if (rules === undefined) throw new UsageError('The configuration has no `policy`.')
    return tell(
      flags.has('dry-run') ? await previewPolicy(ports, rules) : await applyPolicy(ports, operator, rules),
    )
  }
  if (act === 'keep' && words.length > 0) return keep(ports, words)
  const [rule] = words
  if ((act !== 'enforce' && act !== 'monitor') || rule === undefined) throw new UsageError(usage)
  if (flags.has('dry-run')) return tell(await previewPolicy(ports, await rulesWithMode(ports, rule, act)))
  return tell(await setRuleMode(ports, operator, rule, act))
}

async function keep(ports: Ports, files: readonly string[]): Promise<string> {
  const locked = await Promise.all(
    files.map(async file => {
      const found = readLockFile(await readText(file))
      if (found === undefined) throw new UsageError(`${file} is no lock file of npm, pnpm, yarn or bun.`)
      return found
    }),
  )
  await keepLocked(ports, operator, locked.flat())
  return `${locked.flat().length} versions are left alone by rules that are enforced from now on`
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`${file} cannot be read: ${error.message}`)
  })
}

async function show(ports: Ports): Promise<string> {
  const { version, rules } = await currentPolicy(ports)
  const { hits, usedVersions } = await previewPolicy(ports, rules)
  const lines = rules.map(
    ({ name, mode, action, ...rule }) =>
      `${name}\t${mode}\t${action}\t${hits.get(name) ?? 0}\t${describe(rule)}${rule.kind === 'unpopular' && ports.popular === undefined ? ' (cannot judge: no popularNames)' : ''}`,
  )
  return [
    `version ${version}, ${usedVersions} versions used in the last 30 days`,
    'rule\tmode\taction\thits\tlooks at',
    ...lines,
  ].join('\n')
}

function describe({ packages, except, origins, ...more }: Omit<Rule, 'name' | 'mode' | 'action'>): string {
  const { kind: _, ...own } = more
  const words = Object.entries(own).map(([key, value]) => `${key} ${value}`)
  const left = except.length > 0 ? `except ${except.join(' ')}` : ''
  return [...words, packages.join(' '), left, origins === 'upstreams' ? '' : `of ${origins.join(' ')}`]
    .filter(Boolean)
    .join(', ')
}

function tell(preview: PolicyPreview | undefined): string {
  if (preview === undefined) return 'This policy is in force already.'
  const { hidden, usedVersions } = preview
  const lines = hidden.map(each => `${each.package}@${each.version}\t${each.rule}\t${each.why}`)
  return [`hides ${hidden.length} of ${usedVersions} versions used in the last 30 days`, ...lines].join('\n')
}

/** Takes in OSV records (`.json`, `.ndjson`, `.zip` or folders of these), and lists of bad digests (`sha512-… why`, a line each). */
export async function advisoriesAct(ports: Ports, _: Arguments, paths: readonly string[]): Promise<string> {
  if (paths.length === 0) throw new UsageError('Name files or folders with advisories in OSV format.')
  const sources = await Promise.all(paths.map(async path => ({ path, isOsv: await isOsvSource(path) })))
  const digests: BadDigest[] = []
  const faults: string[] = []
  for (const { path, isOsv } of sources)
    if (!isOsv) digests.push(...readDigests(path, await readText(path), faults))
  const progress = openProgress(process.stderr, 'advisories', 'records')
  const osv = sources.filter(({ isOsv }) => isOsv).map(({ path }) => path)
  const taken = await takeAdvisories(ports, operator, 'operator', readAll(osv), ({ read }) =>
    progress.show(read, undefined),
  )
  progress.clear()
  const left = [...faults, ...taken.told]
  for (const fault of left) process.stderr.write(`left out: ${printable(fault)}\n`)
  const more = taken.faults - taken.told.length
  if (more > 0) process.stderr.write(`left out: ${more} more\n`)
  const changed = taken.changed + (await addAdvisories(ports, operator, [], digests))
  return `${taken.read + digests.length} read, ${changed} new or changed, ${left.length + more} left out`
}

async function* readAll(paths: readonly string[]): AsyncGenerator<OsvFound> {
  for (const path of paths) yield* readOsvFiles(path)
}

/** File names and words of strangers go to a terminal: no escape sequences. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ')
}

function readDigests(file: string, text: string, faults: string[]): BadDigest[] {
  return text.split('\n').flatMap((line, at) => {
    const [, integrity = '', why = ''] = /^(\S+)\s*(.*)$/.exec(line.trim()) ?? []
    if (integrity === '' || integrity.startsWith('#')) return []
    const digest = parseIntegrity(integrity)
    if (digest !== undefined) return [{ digest, why: why === '' ? 'on a list of bad bytes' : why }]
    faults.push(`${file}:${at + 1}: it is no sha512-… digest`)
    return []
  })
}
