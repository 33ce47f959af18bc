// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from '../parse-args.ts'
import { askRegistry, findRegistry } from '../registry.ts'
import { UsageError } from '../usage-error.ts'

const usage = `holdfast report PACKAGE[@VERSION] --kind KIND --words TEXT [--evidence TEXT] [--email ADDRESS]
                [--registry URL] [--json]
holdfast report --account LOGIN --kind KIND --words TEXT …

Reports a package, one version of it, or an account to the responders of a registry. KIND is one of malware, look-alike,
dependency-confusion, secret, impersonation, spam, other. With the token that npm has for the registry, or
HOLDFAST_TOKEN, it counts at once. Without one --email is needed: a letter with a link goes there, and the report counts
once that link is opened. A letter says how it ended.

Exit code 0 when it is taken, 2 when it is not.

Example: holdfast report evil-lib@1.0.1 --kind malware --words 'its install script sends the environment away'
`

const options = {
  account: { type: 'string' },
  kind: { type: 'string' },
  words: { type: 'string' },
  evidence: { type: 'string' },
  email: { type: 'string' },
  registry: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Runs `holdfast report …`: 0 when the report was taken. */
export async function runReport(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) return print(usage)
  const { kind, words, evidence, email, account } = values
  const [spec] = positionals
  if ((spec === undefined) === (account === undefined) || kind === undefined || words === undefined)
    throw new UsageError(
      'holdfast report needs to know what is reported, and why',
      'Write holdfast report PACKAGE@VERSION --kind malware --words TEXT.',
    )
  const about = spec === undefined ? { account } : parseSpec(spec)
  const registry = await findRegistry(values.registry, 'package' in about ? about.package : '')
  const body = { ...about, kind, words, evidence, email }
  const told = (await askRegistry(registry, 'POST', 'reports', { body })) as { id: string; state: string }
  const said =
    told.state === 'open'
      ? `Reported (${told.id}). A letter says how it ended.`
      : 'A letter with a link is on its way: the report counts once you open that link, within a day.'
  return print(values.json ? `${JSON.stringify(told)}\n` : `${said}\n`)
}

function parseSpec(spec: string): { package: string; version?: string } {
  const at = spec.lastIndexOf('@')
  return at < 1 ? { package: spec } : { package: spec.slice(0, at), version: spec.slice(at + 1) }
}

function print(words: string): number {
  process.stdout.write(words)
  return 0
}
