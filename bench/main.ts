// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pinned, pinSelf } from './process.ts'
import { formatPage, formatTable } from './report.ts'
import { identity } from './row/identity.ts'
import { installs } from './row/install.ts'
import { memory } from './row/memory.ts'
import { publishes } from './row/publish.ts'
import { coldReads, hotReads } from './row/read.ts'
import type { Found, Options, Section } from './row/row.ts'
import { starts } from './row/start.ts'
import { through } from './row/through.ts'
import { prepareNginx } from './server/nginx.ts'
import type { PeerName } from './server/peer.ts'
import { prepareVerdaccio } from './server/verdaccio.ts'

const sections: readonly Section[] = [
  hotReads,
  coldReads,
  identity,
  publishes,
  installs,
  through,
  starts,
  memory,
]

const usage = `npm run bench -- [--only ROW]... [--quick]

  --only ROW   only rows whose name begins so: ${sections.flatMap(s => s.rows.map(row => row.id)).join(', ')}
  --quick      a look in a few minutes: fewer rounds, smaller stores; writes no results.md
  --processor-time   reads and starts by the server's own processor time, for a busy machine; writes no results.md
`

/** Measures what was asked for, prints the table, writes its rows into results.md, and returns the exit code. */
export async function runBench(words: string[]): Promise<number> {
  const { values } = parseArgs({
    args: words,
    options: {
      only: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
      'processor-time': { type: 'boolean', default: false },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return print(usage)
  const options = makeOptions(values.quick, values['processor-time'])
  try {
    const { results, isWhole } = await runSections(options, values.only)
    if (results.length === 0 && isWhole) return print(usage) || 2
    print(`\n${formatTable(results)}\n`)
    for (const note of options.notes) print(`${note}\n`)
    if (!values.quick && !values['processor-time']) keepResults(results, options)
    return isWhole ? 0 : 1
  } finally {
    rmSync(options.folder, { recursive: true, force: true })
  }
}

function keepResults(results: readonly Found[], options: Options): void {
  const file = join(import.meta.dirname, 'results.md')
  const titles = sections.flatMap(section => section.rows.map(row => row.title))
  writeFileSync(
    file,
    formatPage(results, titles, existsSync(file) ? readFileSync(file, 'utf8') : '', options),
  )
}

async function runSections(options: Options, only: readonly string[] | undefined) {
  const results: Found[] = []
  let isWhole = true
  for (const section of sections) {
    const wanted = section.rows.filter(row => !only || only.some(word => row.id.startsWith(word)))
    if (wanted.length === 0) continue
    try {
      results.push(...(await section.run(options, wanted)))
    } catch (error) {
      // What took an hour to measure is not lost because one peer gave up under the load.
      const rows = wanted.map(row => row.id).join(', ')
      options.notes.push(`not measured: ${rows}: ${error instanceof Error ? error.message : String(error)}`)
      isWhole = false
    }
  }
  return { results, isWhole }
}

function makeOptions(quick: boolean, processorTime: boolean): Options {
  const cache = join(import.meta.dirname, '.cache')
  mkdirSync(cache, { recursive: true })
  pinSelf()
  if (!pinned) print('taskset or a second core is missing: nothing is pinned\n')
  const reasons = { verdaccio: prepareVerdaccio(), nginx: prepareNginx() }
  const absent = new Set<PeerName>()
  if (reasons.verdaccio) absent.add('verdaccio')
  if (reasons.nginx) absent.add('nginx')
  return {
    quick,
    rounds: quick ? 3 : 5,
    seconds: quick ? 0.5 : 1.5,
    processorTime,
    folder: mkdtempSync(join(tmpdir(), 'holdfast-bench-')),
    cache,
    absent,
    notes: Object.values(reasons).filter(reason => reason !== undefined),
    say: text => void print(`… ${text}\n`),
  }
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}
