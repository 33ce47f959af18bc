// SPDX-License-Identifier: Apache-2.0
/** Types, lint, format and import rules, side by side. Prints what is wrong; exit code 1 when anything is. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { findWrongImports } from './import-rule.ts'
import { checkNodeVersion } from './node-version.ts'

const root = join(import.meta.dirname, '..')

interface Outcome {
  readonly name: string
  readonly isFine: boolean
  readonly output: string
}

checkNodeVersion()
const outcomes = await Promise.all([
  runTool('types', 'tsc', '-p', '.'),
  runTool('lint and format', 'biome', 'check', '--max-diagnostics=200', '.'),
  checkImports(),
])
for (const { name, isFine, output } of outcomes) {
  process.stdout.write(`${isFine ? 'ok  ' : 'FAIL'} ${name}\n${isFine ? '' : `${output.trimEnd()}\n`}`)
}
process.exitCode = outcomes.every(outcome => outcome.isFine) ? 0 : 1

function runTool(name: string, tool: string, ...args: string[]): Promise<Outcome> {
  const program = join(root, 'node_modules', '.bin', tool)
  return new Promise(resolve => {
    execFile(program, args, { cwd: root, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ name, isFine: error === null, output: `${stdout}${stderr}` || String(error) })
    })
  })
}

async function checkImports(): Promise<Outcome> {
  const wrong = await findWrongImports(root)
  return { name: 'import rules', isFine: wrong.length === 0, output: wrong.join('\n') }
}
