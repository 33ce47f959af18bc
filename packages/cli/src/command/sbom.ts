// SPDX-License-Identifier: Apache-2.0
import { readRoutes } from '../npm-registry.ts'
import { parseArgs } from '../parse-args.ts'
import { openProject } from '../project.ts'
import { makeBill, omitParts } from '../sbom/bill.ts'
import { formatCycloneDx } from '../sbom/cyclonedx.ts'
import { formatSpdx } from '../sbom/spdx.ts'
import { UsageError } from '../usage-error.ts'
import { ownVersion } from '../version.ts'
import { parseOmitted } from './audit.ts'

const usage = `holdfast sbom [FOLDER|LOCKFILE] [--format cyclonedx|spdx] [--omit dev|optional]... [--offline] [--stamp]
              [--registry URL]

Prints what a project is made of, by its lock file of npm, pnpm, yarn or bun: CycloneDX 1.6 or SPDX 2.3, with sha512,
licences, who needs what, and where the registry keeps what attests a build. What the lock file does not say is asked of the
registry that the project is set to; with --offline of nobody. The same project gives the same text; --stamp adds the time.

Exit code 0 when it is printed, 2 for usage and network.

Example: holdfast sbom --format spdx --omit dev > bill.spdx.json
`

const options = {
  format: { type: 'string', default: 'cyclonedx' },
  registry: { type: 'string' },
  omit: { type: 'string', multiple: true },
  offline: { type: 'boolean' },
  stamp: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

const formats = { cyclonedx: formatCycloneDx, spdx: formatSpdx } as const

/** Runs `holdfast sbom …`: 0 when it is printed. */
export async function runSbom(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) return print(usage)
  const format = Object.entries(formats).find(([name]) => name === values.format)?.[1]
  if (format === undefined)
    throw new UsageError(
      `there is no format ${values.format}`,
      `Formats are ${Object.keys(formats).join(', ')}.`,
    )
  const omitted = parseOmitted(values.omit ?? [])
  const project = await openProject(positionals[0])
  const routes = values.offline ? undefined : await readRoutes(project.folder, values.registry)
  const bill = omitParts(await makeBill(project, routes), omitted)
  const made = values.stamp ? new Date().toISOString().replace(/\.\d+Z$/, 'Z') : undefined
  return print(`${JSON.stringify(format(bill, ownVersion(), made), null, 2)}\n`)
}

function print(words: string): number {
  process.stdout.write(words)
  return 0
}
