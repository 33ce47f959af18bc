// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { parseArgs } from '../parse-args.ts'
import {
  analyseReachability,
  type Hit,
  listInstalledNames,
  type ParseSource,
  parseSymbols,
} from '../reachability/index.ts'
import { UsageError } from '../usage-error.ts'
import { type KnownAdvisory, type ReadAdvisories, tellPassedOver } from './match.ts'

const usage = `holdfast reach FOLDER --osv DIR [--entry FILE]… [--symbols FILE] [--seconds N] [--json]

Says of each advisory whether the application in a folder gets to what it is about, and by which way. The advisories are
in OSV format, a folder, a .json, an .ndjson or a .zip; those count that are about a version installed in the folder. Nothing is
run, nothing is fetched. What cannot be resolved counts as reachable, and is said. Exit code 1 when anything is reachable or unknown.

Example: holdfast reach . --osv ./advisories --entry src/server.ts
`

const options = {
  osv: { type: 'string' },
  entry: { type: 'string', multiple: true },
  symbols: { type: 'string' },
  seconds: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Runs `holdfast reach …`: 0 when nothing of what is known is reachable, else 1. */
export async function runReach(
  args: string[],
  parseSource: ParseSource,
  readAdvisories: ReadAdvisories,
): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  const [folder] = positionals
  if (folder === undefined || values.osv === undefined)
    throw new UsageError('a folder and advisories are needed', 'Such as: holdfast reach . --osv advisories/')
  const seconds = values.seconds === undefined ? undefined : Number(values.seconds)
  if (seconds !== undefined && !(seconds > 0))
    throw new UsageError(
      `--seconds ${values.seconds} is no time`,
      'Give a number above 0, such as --seconds 60.',
    )
  const names = listInstalledNames(folder)
  const { advisories, faults } = await readAdvisories(values.osv, name => names.has(name))
  tellPassedOver(faults)
  const began = performance.now()
  const answers = await analyseReachability(
    {
      folder,
      ...(values.entry === undefined ? {} : { entries: values.entry }),
      ...(values.symbols === undefined
        ? {}
        : { symbols: parseSymbols(readFileSync(values.symbols, 'utf8')) }),
      ...(seconds === undefined ? {} : { maxSeconds: seconds }),
    },
    advisories.map(toHit),
    parseSource,
  )
  const installed = [...answers].filter(([, each]) => each.why !== notInstalled)
  const took = Math.round(performance.now() - began)
  if (values.json)
    process.stdout.write(`${JSON.stringify({ took, advisories: Object.fromEntries(installed) })}\n`)
  else {
    for (const [key, { verdict, why, path }] of installed) {
      process.stdout.write(`${verdict.padEnd(13)}  ${key}: ${why}\n`)
      for (const step of path)
        process.stdout.write(`${' '.repeat(15)}${step.file}:${step.line} ${step.what}\n`)
    }
    process.stdout.write(`analysed in ${took} ms\n`)
  }
  return installed.some(([, each]) => each.verdict !== 'not-reachable') ? 1 : 0
}

const notInstalled = 'it is not installed here, so its users cannot be seen: counted as reachable'

function toHit({ id, aliases, package: name, record, covers }: KnownAdvisory): Hit {
  return { key: `${id} ${name}`, ids: [id, ...aliases], package: name, covers, record }
}
