// SPDX-License-Identifier: Apache-2.0
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { parseArgs } from '../parse-args.ts'
import { UsageError } from '../usage-error.ts'

const usage = `holdfast screen FOLDER|TARBALL [--previous FOLDER|TARBALL] [--rules FOLDER] [--osv FOLDER|FILE] [--json]

Looks for malware in a package without running any of it: its scripts, what its code does with what it finds on a machine, what
hides, what editors run by themselves. A folder is that of a package, or one that holds package/. With --previous, what is new
since that version weighs more, and what was there before less. With --rules, rules of YARA (*.yar) and lists of digests (*.hashes)
count beside those that come with it, as screeningRules of a registry do. With --osv, a version that an advisory about malware
names is held, and bytes whose SHA-256 or SHA-512 one names. Exit code 1 when the package would be held, 2 for usage and rules that
cannot be read.

Example: holdfast screen ui-1.1.0.tgz --previous ui-1.0.0.tgz --json
`

const options = {
  previous: { type: 'string' },
  rules: { type: 'string' },
  osv: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

const maxFiles = 100_000
const maxFileBytes = 32 * 1024 * 1024

interface File {
  readonly path: string
  readonly bytes: Uint8Array
  readonly isExecutable: boolean
}

type Source =
  | { readonly kind: 'tarball'; readonly bytes: Uint8Array }
  | { readonly kind: 'folder'; readonly files: readonly File[] }

interface Report {
  /** Files of rules that cannot be used. */
  readonly faults: readonly string[]
  readonly verdict: 'allow' | 'warn' | 'hold'
  readonly score: number
  readonly findings: readonly {
    readonly rule: string
    readonly file: string
    readonly line: number
    readonly excerpt: string
    readonly why: string
    readonly weight: number
  }[]
}

/** Screens what was read from the disk; it lives in the server, which screens the same way. */
export type ScreenSource = (
  given: Source,
  previous?: Source,
  more?: { readonly rules?: string | undefined; readonly osv?: string | undefined },
) => Promise<Report>

/** Runs `holdfast screen …`: 0 when the package may pass, with or without a warning, 1 when it would be held. */
export async function runScreen(args: string[], screen: ScreenSource): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) return print(usage, 0)
  const [path, ...more] = positionals
  if (path === undefined || more.length > 0)
    throw new UsageError(
      'one package is needed',
      'Name a folder or a tarball, such as ./package or left-pad-1.3.0.tgz.',
    )
  const previous = values.previous === undefined ? undefined : readSource(values.previous)
  const rules = values.rules === undefined ? undefined : checkFolder(values.rules)
  const { faults, verdict, score, findings } = await screen(readSource(path), previous, {
    rules,
    osv: values.osv,
  })
  if (faults.length > 0)
    throw new UsageError(
      `rules cannot be used: ${faults.map(clean).join('; ')}`,
      'Mend or remove these files.',
    )
  const code = verdict === 'hold' ? 1 : 0
  if (!values.json) return print(format({ verdict, score, findings }), code)
  const told = findings.map(({ rule, file, line, excerpt, why }) => ({ rule, file, line, excerpt, why }))
  return print(`${JSON.stringify({ verdict, score, findings: told })}\n`, code)
}

function checkFolder(path: string): string {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path
  throw new UsageError(`${path} is no folder of rules`, 'Name one with files *.yar or *.hashes.')
}

function readSource(path: string): Source {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined)
    throw new UsageError(`${path} is not there`, 'Name a folder or a tarball that exists.')
  if (!found.isDirectory()) return { kind: 'tarball', bytes: readFileSync(path) }
  const inside = lstatSync(join(path, 'package', 'package.json'), { throwIfNoEntry: false })
  const root = inside?.isFile() === true ? join(path, 'package') : path
  if (lstatSync(join(root, 'package.json'), { throwIfNoEntry: false })?.isFile() !== true)
    throw new UsageError(`${path} holds no package.json`, 'Name the folder of a package.')
  return { kind: 'folder', files: readFolder(root) }
}

/** What npm would pack of a folder: links are not followed, and what was installed into it is not its own. */
function readFolder(root: string): File[] {
  const files: File[] = []
  const folders = [root]
  for (const folder of folders)
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory() && !(folder === root && ['node_modules', '.git'].includes(entry.name)))
        folders.push(path)
      if (!entry.isFile()) continue
      if (files.length >= maxFiles)
        throw new UsageError(`${root} holds more than ${maxFiles} files`, 'Screen a tarball.')
      const { size, mode } = lstatSync(path)
      const bytes = size > maxFileBytes ? new Uint8Array() : readFileSync(path)
      files.push({
        path: relative(root, path).split(sep).join('/'),
        bytes,
        isExecutable: (mode & 0o111) !== 0,
      })
    }
  return files
}

function format({ verdict, score, findings }: Omit<Report, 'faults'>): string {
  const lines = findings.flatMap(({ rule, file, line, excerpt, why, weight }) => [
    `${String(weight).padStart(4)}  ${rule}  ${clean(file)}:${line}`,
    `      ${clean(why)}`,
    ...(excerpt === '' ? [] : [`      | ${clean(excerpt)}`]),
  ])
  return `${[...lines, `${verdict}, score ${score}`].join('\n')}\n`
}

/** Words of strangers go to a terminal: no escape sequences. */
function clean(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ')
}

function print(words: string, code: number): number {
  process.stdout.write(words)
  return code
}
