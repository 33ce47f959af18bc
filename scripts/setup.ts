// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const chromiumNames = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']

const bench = join(import.meta.dirname, '../bench')

/** What the tests need and npm does not bring, and what will be skipped where it cannot be had. */
export interface Setup {
  /** Sentences for the person who started the tests; none when everything is there. */
  readonly missing: readonly string[]
}

/**
 * Finds or installs what `npm ci` does not bring, and tells the tests by environment: `CHROMIUM_PATH` for page tests. A value
 * that is already set wins. Store tests find their PostgreSQL themselves: the machine's, else the one that npm brought.
 */
export function setUp(): Setup {
  return { missing: [...setUpChromium(), ...setUpPeers()] }
}

function setUpChromium(): readonly string[] {
  const chromium = process.env['CHROMIUM_PATH'] ?? find(chromiumNames) ?? installChromium()
  if (chromium === undefined) {
    const hint = 'Install it (apt-get install chromium) or set CHROMIUM_PATH.'
    return [`No Chromium: page tests are skipped. ${hint}`]
  }
  process.env['CHROMIUM_PATH'] = chromium
  return []
}

/** Verdaccio, which is assessed as a registry of others; it lies with the benches, whose peer it is. */
function setUpPeers(): readonly string[] {
  if (existsSync(join(bench, 'node_modules/verdaccio'))) return []
  process.stdout.write('Installing Verdaccio, which a test assesses (npm ci --prefix bench) …\n')
  try {
    const words = ['ci', '--prefix', bench, '--ignore-scripts', '--no-audit', '--no-fund']
    execFileSync('npm', words, { stdio: 'pipe' })
    return []
  } catch (error) {
    return [`No Verdaccio: its assessment is skipped. npm: ${String(error).split('\n')[0]}`]
  }
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
