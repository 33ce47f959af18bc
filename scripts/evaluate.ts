// SPDX-License-Identifier: Apache-2.0
/** `npm run evaluate [-- --only PART]`: measures what finds things, prints a table and writes docs/evaluation.md. */
import { glob, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'

/** One figure of a part: what was measured, what is wanted of it, and whether that is met. */
export interface Figure {
  readonly row: string
  readonly value: string
  readonly wanted: string
  readonly isMet: boolean
}

/** A file of `evaluate/`: its default is not exported, `part` is. */
export interface Part {
  readonly name: string
  run(): Promise<readonly Figure[]>
}

const root = join(import.meta.dirname, '..')
const page = join(root, 'docs/evaluation.md')
const head = `# Evaluation

Written by \`npm run evaluate\`; each part can be run alone with \`-- --only PART\`. What is measured on is in
\`packages/server/test/fixture/evaluation/\`.
`

const { values } = parseArgs({ options: { only: { type: 'string' } } })
const parts = (await loadParts()).filter(({ name }) => values.only === undefined || name === values.only)
if (parts.length === 0) throw new Error(`there is no part ${values.only}`)
const sections = readSections(await readFile(page, 'utf8').catch(() => ''))
let isMet = true
for (const part of parts) {
  const figures = await part.run()
  isMet &&= figures.every(each => each.isMet)
  const section = formatSection(part.name, figures)
  process.stdout.write(`${section}\n`)
  sections.set(part.name, section)
}
const sorted = [...sections].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text)
await writeFile(page, `${head}\n${sorted.join('\n')}`)
process.exitCode = isMet ? 0 : 1

async function loadParts(): Promise<readonly Part[]> {
  const files: string[] = []
  for await (const file of glob('evaluate/*.ts', { cwd: root })) files.push(file)
  const names = files.map(file => basename(file, '.ts')).sort()
  const wanted = values.only === undefined ? names : names.filter(name => name === values.only)
  return Promise.all(
    wanted.map(async name => (await import(join(root, 'evaluate', `${name}.ts`))).part as Part),
  )
}

/** What the page says already, by part: a part that does not run now keeps its figures. */
function readSections(text: string): Map<string, string> {
  const found = text.split(/^(?=## )/m).filter(each => each.startsWith('## '))
  return new Map(found.map(each => [each.slice(3, each.indexOf('\n')).trim(), `${each.trimEnd()}\n`]))
}

function formatSection(name: string, figures: readonly Figure[]): string {
  const rows = figures.map(
    ({ row, value, wanted, isMet: met }) =>
      `| ${row} | ${value} | ${wanted} | ${wanted === '' ? '' : met ? 'yes' : '**no**'} |`,
  )
  const day = new Date().toISOString().slice(0, 10)
  return `## ${name}\n\nMeasured on ${day}.\n\n| what | measured | wanted | met |\n|---|---|---|---|\n${rows.join('\n')}\n`
}
