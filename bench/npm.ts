// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { plainEnvironment } from './process.ts'

const own = join(import.meta.dirname, '../node_modules/npm/bin/npm-cli.js')
const npm = [process.env['npm_execpath'] ?? '', own].find(
  path => /npm-cli\.js$/.test(path) && existsSync(path),
)

/** Runs the npm at hand in a folder and returns what it printed; a failure carries npm's words. */
export async function runNpm(folder: string, words: readonly string[]): Promise<string> {
  const [program, ...first] = npm ? [process.execPath, npm] : ['npm']
  if (program === undefined) throw new Error('no npm')
  const child = spawn(program, [...first, ...words], {
    cwd: folder,
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [output, complaint, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  if (code !== 0) throw new Error(`npm ${words[0]}: ${complaint.trim().split('\n').slice(-6).join('\n')}`)
  return output
}
