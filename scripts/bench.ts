// SPDX-License-Identifier: Apache-2.0
// npm run bench: installs what the bench measures against, then runs it. Options: npm run bench -- --help
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'

const bench = join(import.meta.dirname, '../bench')

/** True while the installed peers are those of the lock file. */
function isInstalled(): boolean {
  const mark = join(bench, 'node_modules/.package-lock.json')
  const lock = join(bench, 'package-lock.json')
  return existsSync(mark) && statSync(mark).mtimeMs >= statSync(lock).mtimeMs
}

if (!isInstalled()) {
  const npm = process.env['npm_execpath']
  const [program, ...words] = npm ? [process.execPath, npm] : ['npm']
  const done = spawnSync(program ?? 'npm', [...words, 'ci', '--prefix', bench, '--no-audit', '--no-fund'], {
    stdio: 'inherit',
  })
  if (done.status !== 0) process.stderr.write('the peers could not be installed: their columns stay empty\n')
}

const { runBench } = await import('../bench/main.ts')
process.exitCode = await runBench(process.argv.slice(2))
