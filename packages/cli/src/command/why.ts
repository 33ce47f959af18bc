// SPDX-License-Identifier: Apache-2.0
import { revealHidden } from '@holdfast/core'
import { parseArgs } from '../parse-args.ts'
import { askRegistry, findRegistry } from '../registry.ts'
import { UsageError } from '../usage-error.ts'

const usage = `holdfast why PACKAGE@VERSION [--registry URL] [--json]

Says why a version can be installed from a registry or cannot: the rule, the reason, until when, and what to use
instead. Without --registry the one that npm is set to. Exit code 1 when it cannot be installed.

holdfast waiver ask PACKAGE@VERSION --reason TEXT [--registry URL] [--json]

Asks the responders of the registry to let it in. Needs a token: the one that npm has for the registry, or
HOLDFAST_TOKEN. Exit code 2 when they cannot be asked.

Example: holdfast why left-pad@1.3.0
         holdfast waiver ask left-pad@1.3.0 --reason 'we have read it'
`

const options = {
  registry: { type: 'string' },
  reason: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

interface Told {
  readonly name: string
  readonly version: string
  readonly status: string
  readonly served: boolean
  readonly rule: string
  readonly reason: string
  readonly until: number | null
  readonly next?: string
  readonly page: string
  readonly waivable: boolean
  readonly hits: readonly {
    readonly rule: string
    readonly why: string
    readonly isEnforced: boolean
    readonly spared?: string
  }[]
}

/** Runs `holdfast why …`: 0 when the version can be installed, 1 when it cannot. */
export async function runWhy(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) return print(usage)
  const { name, version } = parseSpec(positionals[0])
  const registry = await findRegistry(values.registry, name)
  const told = (await askRegistry(registry, 'GET', `why/npm/${name}/${version}`)) as Told
  print(values.json ? `${JSON.stringify(told)}\n` : `${describe(told).join('\n')}\n`)
  return told.served ? 0 : 1
}

/** Runs `holdfast waiver …`: 0 when the wish is noted. */
export async function runWaiver(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) return print(usage)
  if (positionals[0] !== 'ask' || values.reason === undefined)
    throw new UsageError(
      'holdfast waiver needs to know what is asked, and why',
      'Write holdfast waiver ask PACKAGE@VERSION --reason TEXT.',
    )
  const { name, version } = parseSpec(positionals[1])
  const registry = await findRegistry(values.registry, name)
  const body = { name, version, reason: values.reason }
  const told = (await askRegistry(registry, 'POST', 'waivers', { body })) as { id: string; page: string }
  return print(
    values.json
      ? `${JSON.stringify(told)}\n`
      : `Asked. A letter comes when it is decided; it stands at ${clean(told.page)}\n`,
  )
}

function parseSpec(spec: string | undefined): { name: string; version: string } {
  const at = spec?.lastIndexOf('@') ?? -1
  if (spec === undefined || at < 1)
    throw new UsageError('a version is missing', 'Name one exactly, such as left-pad@1.3.0.')
  return { name: spec.slice(0, at), version: spec.slice(at + 1) }
}

function describe(told: Told): string[] {
  const about = `${told.name}@${told.version}`
  const rest = told.hits.map(
    hit => `  ${hit.rule}${hit.isEnforced ? '' : ` (not carried out: ${hit.spared})`}: ${hit.why}`,
  )
  const rules = rest.length > 0 ? ['What the rules say:', ...rest] : []
  if (told.served) return [`${about} can be installed (${told.status}).`, ...rules, told.page].map(clean)
  return [
    `${about} cannot be installed: it is ${told.status}${told.rule === '' ? '' : ` by the rule ${told.rule}`}.`,
    `Reason: ${told.reason}`,
    ...(told.until === null ? [] : [`This may change by itself at ${new Date(told.until).toISOString()}.`]),
    told.next === undefined ? 'There is no other version to use.' : `Use ${told.name}@${told.next} instead.`,
    ...rules,
    ...(told.waivable ? [`Ask for a waiver: holdfast waiver ask ${about} --reason "…"`] : []),
    told.page,
  ].map(clean)
}

/** Words of strangers go to a terminal: no escape sequences. */
function clean(text: string): string {
  return revealHidden(text)
}

function print(words: string): number {
  process.stdout.write(words)
  return 0
}
