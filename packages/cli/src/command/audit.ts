// SPDX-License-Identifier: Apache-2.0
import { relative } from 'node:path'
import { createReachJudge } from '../audit/judge-reach.ts'
import { findKnown, type Known, type Severity, severities } from '../audit/known.ts'
import type { JudgedFinding } from '../audit/reach.ts'
import { formatSarif } from '../audit/sarif.ts'
import { submitProject } from '../audit/submit.ts'
import { readLockText } from '../locked.ts'
import { readRoutes } from '../npm-registry.ts'
import { parseArgs } from '../parse-args.ts'
import { openProject, type Project } from '../project.ts'
import type { ParseSource } from '../reachability/index.ts'
import { UsageError } from '../usage-error.ts'
import { ownVersion } from '../version.ts'

const usage = `holdfast audit [FOLDER|LOCKFILE] [--json|--sarif] [--level low|moderate|high|critical] [--omit dev|optional]...
               [--registry URL] [--entry FILE]... [--symbols FILE] [--no-reachability]
               [--submit --project NAME [--branch NAME]]

Shows what is known against the versions that a lock file of npm, pnpm, yarn or bun names: how bad it is, where it is
fixed, and why the package is there. Each package is asked of the registry that the project is set to for its name; the
name of a scoped package that came from somewhere else is told to nobody. What is installed is then read, and each finding
says whether the application gets to what is flawed; unknown counts as reachable (docs/reachability.md).

With --submit the lock file is kept by the registry under a project of yours (@acme/site for one of the organisation acme)
and a branch, that of git unless you name one: you are told when something is found in it later, and see it at /exposure.

Exit code 0 when nothing is known at the level or above it, 1 when something is, 2 for usage, network and a lock
file that leaves out what is needed.

Example: holdfast audit --level high --omit dev
`

const options = {
  registry: { type: 'string' },
  level: { type: 'string', default: 'low' },
  omit: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  sarif: { type: 'boolean' },
  entry: { type: 'string', multiple: true },
  symbols: { type: 'string' },
  reachability: { type: 'boolean', default: true },
  submit: { type: 'boolean' },
  project: { type: 'string' },
  branch: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Runs `holdfast audit …`: 0 when nothing is known, 1 when something is. */
export async function runAudit(args: string[], loadParser?: () => Promise<ParseSource>): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, allowNegative: true, options })
  if (values.help) return print(usage)
  const level = parseLevel(values.level)
  const omitted = parseOmitted(values.omit ?? [])
  const project = await openProject(positionals[0])
  if (values.submit) await submitProject(project, values)
  const known = await findKnown(project.graph, await readRoutes(project.folder, values.registry))
  const counted = known.findings.filter(
    ({ flaw, scope }) =>
      severities.indexOf(flaw.severity) >= severities.indexOf(level) && !omitted.has(scope),
  )
  const findings: readonly JudgedFinding[] =
    loadParser === undefined || !values.reachability
      ? counted
      : await createReachJudge(loadParser, { entries: values.entry, symbols: values.symbols })(
          project,
          counted,
        )
  if (values.sarif) print(`${JSON.stringify(await toSarif(project, findings))}\n`)
  else print(values.json ? `${JSON.stringify(toJson(known, findings))}\n` : describe(known, findings))
  return findings.length > 0 ? 1 : 0
}

/** The word for how bad a flaw must be to count. */
export function parseLevel(text: string): Severity {
  const level = severities.find(each => each === text)
  if (level !== undefined) return level
  throw new UsageError(`there is no level ${text}`, `Levels are ${severities.join(', ')}.`)
}

/** The scopes that do not count. */
export function parseOmitted(words: readonly string[]): ReadonlySet<string> {
  const unknown = words.find(word => word !== 'dev' && word !== 'optional')
  if (unknown === undefined) return new Set(words)
  throw new UsageError(`${unknown} cannot be omitted`, 'Omit dev or optional.')
}

async function toSarif({ lockFile }: Project, findings: readonly JudgedFinding[]): Promise<unknown> {
  const uri = encodeURI(relative('.', lockFile).replaceAll('\\', '/'))
  return formatSarif(findings, ownVersion(), uri, await readLockText(lockFile))
}

function toJson(
  { asked, withheld, unread, silent, notices }: Known,
  findings: readonly JudgedFinding[],
): unknown {
  return {
    asked,
    withheld,
    unread,
    silent,
    notices,
    findings: findings.map(({ flaw, name, version, scope, fixed, path, reach }) => ({
      name,
      version,
      advisory: flaw.id,
      severity: flaw.severity,
      title: flaw.title,
      url: flaw.url,
      range: flaw.range,
      fixed: fixed ?? null,
      scope,
      path,
      reach: reach ?? null,
    })),
  }
}

const titles = ['severity', 'package', 'advisory', 'fixed in', 'reachable', 'because of']

function describe(
  { asked, withheld, unread, silent, notices }: Known,
  findings: readonly JudgedFinding[],
): string {
  const rows = findings.map(toRow)
  const table = findings.length === 0 ? [] : [...align([titles, ...rows]), '']
  const counts = severities
    .toReversed()
    .map(word => [findings.filter(({ flaw }) => flaw.severity === word).length, word] as const)
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
  return [
    ...table,
    findings.length === 0
      ? `Nothing is known against ${asked} versions.`
      : `${findings.length} findings in ${asked} versions: ${counts.join(', ')}. holdfast fix shows what mends them.`,
    ...(withheld.length === 0
      ? []
      : [
          `Not asked about, since they came from somewhere that the project is not set to: ${withheld.join(', ')}`,
        ]),
    ...(unread.length === 0
      ? []
      : [`Nothing can be known of these entries, which are no version of a package: ${unread.join(', ')}`]),
    ...(silent.length === 0 ? [] : [`No advisories at ${silent.join(', ')}.`]),
    ...notices,
  ]
    .map(line => `${clean(line)}\n`)
    .join('')
}

function toRow({ flaw, name, version, scope, fixed, path, reach }: JudgedFinding): readonly string[] {
  const way = path.length > 1 ? path.slice(0, -1).join(' > ') : 'the project'
  return [
    flaw.severity,
    `${name}@${version}`,
    `${flaw.id} ${flaw.title.slice(0, 60)}`,
    fixed ?? '-',
    reach?.answer ?? '-',
    scope === 'required' ? way : `${way} (${scope})`,
  ]
}

function align(rows: readonly (readonly string[])[]): string[] {
  const widths = titles.map((_, at) => Math.max(...rows.map(row => (row[at] ?? '').length)))
  return rows.map(row =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** Words of strangers go to a terminal: no escape sequences. */
function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, ' ')
}

function print(words: string): number {
  process.stdout.write(words)
  return 0
}
