// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from '../parse-args.ts'
import { UsageError } from '../usage-error.ts'

const usage = `holdfast match PACKAGE@VERSION --osv FOLDER|FILE [--json]

Says which advisories are about a version, without a server: every record in OSV format of a folder, a .json, an .ndjson or a .zip
file is held against it. Records that cannot be read are named on stderr and passed over. Exit code 1 when any is about it.

Example: holdfast match lodash@4.17.20 --osv ./advisories --json
`

const options = {
  osv: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** What one record says of one package. */
export interface KnownAdvisory {
  readonly id: string
  readonly aliases: readonly string[]
  readonly package: string
  readonly record: unknown
  covers(version: string): boolean
}

/** Reads what the advisories at a path say of some packages, by id; what cannot be read is told. */
export type ReadAdvisories = (
  path: string,
  isWanted: (name: string) => boolean,
) => Promise<{ readonly advisories: readonly KnownAdvisory[]; readonly faults: readonly string[] }>

/** Runs `holdfast match …`: 0 when nothing is known against the version, 1 when something is. */
export async function runMatch(args: string[], readAdvisories: ReadAdvisories): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  const [spec = '', ...more] = positionals
  const at = spec.lastIndexOf('@')
  if (at < 1 || at === spec.length - 1 || more.length > 0)
    throw new UsageError('one version is needed', 'Name it exactly, such as left-pad@1.2.0.')
  if (values.osv === undefined)
    throw new UsageError('--osv is needed', 'Name a folder of advisories in OSV format, or a zip of them.')
  const [name, version] = [spec.slice(0, at), spec.slice(at + 1)]
  const { advisories, faults } = await readAdvisories(values.osv, each => each === name)
  tellPassedOver(faults)
  const ids = [...new Set(advisories.filter(each => each.covers(version)).map(each => each.id))]
  const said = ids.length === 0 ? 'No advisory is about it.' : ids.join('\n')
  process.stdout.write(values.json ? `${JSON.stringify({ ids })}\n` : `${said}\n`)
  return ids.length === 0 ? 0 : 1
}

/** Names on standard error what could not be read. */
export function tellPassedOver(faults: readonly string[]): void {
  for (const fault of faults) process.stderr.write(`passed over: ${clean(fault)}\n`)
}

/** Words of strangers go to a terminal: no escape sequences. */
function clean(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ')
}
