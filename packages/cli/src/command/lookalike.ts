// SPDX-License-Identifier: Apache-2.0
import { parsePackageName } from '@holdfast/core'
import { parseArgs } from '../parse-args.ts'
import { UsageError } from '../usage-error.ts'

const usage = `holdfast lookalike NAME… [--json]

Says whether a name is likely taken for a much more used one, and by which trick, without a server: against the 50,000 most used
names of npm. Only the name is looked at; the registry also asks how old and how used it is, and who owns it. --json prints an
object a name, a line each. Exit code 1 when any would be held.

Example: holdfast lookalike raect lodahs
`

const options = {
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Says of each name what it looks like. */
export type FindLookAlikes = (names: readonly string[]) => Promise<readonly Likeness[]>

interface Likeness {
  readonly verdict: 'ok' | 'hold'
  readonly target: string | null
  readonly technique: string | null
}

/** Runs `holdfast lookalike …`: 0 when every name is ok, 1 when one would be held. */
export async function runLookalike(args: string[], find: FindLookAlikes): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  if (positionals.length === 0)
    throw new UsageError('a name is needed', 'Name a package, such as left-pad or @acme/ui.')
  const names = positionals.map(parsePackageName)
  const found = await find(names)
  const lines = names.map((name, at) => ({ name, ...(found[at] as Likeness) }))
  for (const line of lines) process.stdout.write(`${values.json ? JSON.stringify(line) : describe(line)}\n`)
  return lines.some(({ verdict }) => verdict === 'hold') ? 1 : 0
}

function describe({ name, target, technique }: Likeness & { readonly name: string }): string {
  return target === null ? `${name}: ok` : `${name}: hold, did you mean ${target}? (${technique})`
}
