// SPDX-License-Identifier: Apache-2.0
import { type LockedVersion, listLocked, revealHidden } from '@holdfast/core'
import { parseArgs } from '../parse-args.ts'
import { openProject } from '../project.ts'
import { askRegistry, findRegistry } from '../registry.ts'
import { UsageError } from '../usage-error.ts'

const usage = `holdfast policy preview LOCKFILE... [--keep [--otp CODE]] [--registry URL] [--json]

Shows which versions that lock files name (npm, pnpm, yarn, bun) the registry does not let in, and which it would not
once the rules that only watch are enforced. Exit code 1 when something is closed now.

With --keep they are spared by rules that are enforced later, except what is malware or denied by name: an act of
responders and operators. Needs a token: the one that npm has for the registry, or HOLDFAST_TOKEN.

Example: holdfast policy preview package-lock.json
`

interface Verdict extends LockedVersion {
  readonly outcome: 'closed' | 'would-close' | 'unknown'
  readonly why: string
}

/** Runs `holdfast policy …`: 0 when nothing is closed, 1 when something is. */
export async function runPolicy(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      registry: { type: 'string' },
      keep: { type: 'boolean' },
      otp: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return print(usage)
  const [act, ...files] = positionals
  if (act !== 'preview' || files.length === 0)
    throw new UsageError(
      'holdfast policy needs a lock file',
      'Write holdfast policy preview package-lock.json.',
    )
  const projects = await Promise.all(files.map(openProject))
  const locked = projects.flatMap(({ graph }) => listLocked(graph))
  const versions = locked.map(({ name, version }) => ({ name, version }))
  const registry = await findRegistry(values.registry)
  const told = (await askRegistry(registry, 'POST', 'policy/preview', { body: { versions } })) as {
    looked: number
    versions: readonly Verdict[]
  }
  if (values.keep) await askRegistry(registry, 'POST', 'policy/keep', { body: { versions }, otp: values.otp })
  print(
    values.json
      ? `${JSON.stringify({ ...told, kept: values.keep === true })}\n`
      : describe(told, values.keep === true),
  )
  return told.versions.some(each => each.outcome === 'closed') ? 1 : 0
}

const titles = {
  closed: 'closed now',
  'would-close': 'closed once the rules that watch are enforced',
  unknown: 'unknown to this registry',
} as const

function describe(
  { looked, versions }: { readonly looked: number; readonly versions: readonly Verdict[] },
  isKept: boolean,
): string {
  const parts = Object.entries(titles).flatMap(([outcome, title]) => {
    const some = versions.filter(each => each.outcome === outcome)
    if (some.length === 0) return []
    return [`${some.length} ${title}:`, ...some.map(each => `  ${each.name}@${each.version}  ${each.why}`)]
  })
  const kept = isKept ? ['They are spared by rules that are enforced from now on.'] : []
  const summary = `${looked} versions, ${looked - versions.length} of them open.`
  return `${[...parts, summary, ...kept].map(line => revealHidden(line)).join('\n')}\n`
}

function print(words: string): number {
  process.stdout.write(words)
  return 0
}
