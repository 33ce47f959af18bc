// SPDX-License-Identifier: Apache-2.0
/**
 * npm run bench:reach [PACKAGES]: what reachability takes on an application of thousands of packages, in time and memory. They are copies of
 * npm's own dependencies, each file made another by a comment, and every one of them can lead to what is vulnerable: the worst case.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { analyseReachability } from '../packages/cli/src/reachability/index.ts'
import { loadSyntax } from '../packages/server/src/vulnerability/index.ts'

const wanted = Number(process.argv[2] ?? 2000)
const source = join(import.meta.dirname, '../node_modules/npm')
const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-reach-'))
/** What most others come to in the end; each copy of it needs what is vulnerable. */
const deep = 'semver'

try {
  const count = writeApplication()
  const { parseSource } = await loadSyntax()
  const began = performance.now()
  const hit = { key: 'it', ids: ['x_1'], package: 'frail' }
  const symbols = [{ advisory: 'x_1', package: 'frail', exports: ['weak'], sinks: [] }]
  const answer = (await analyseReachability({ folder, symbols }, [hit], parseSource)).get('it')
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const megabytes = Math.round(process.resourceUsage().maxRSS / 1024)
  process.stdout.write(
    `${count} packages: ${answer?.verdict} in ${seconds} s, ${megabytes} MB at most (${answer?.why})\n`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function writeApplication(): number {
  const modules = join(folder, 'node_modules')
  const names: string[] = []
  let count = 1
  for (let copy = 0; count < wanted; copy++) {
    const name = `copy-${copy}`
    names.push(name)
    cpSync(source, join(modules, name), { recursive: true, dereference: true })
    count += alter(join(modules, name), `\n// copy ${copy}\n`)
  }
  write('node_modules/frail/package.json', '{"name":"frail","version":"1.0.0"}')
  write('node_modules/frail/index.js', 'exports.weak = text => new RegExp(text)\nexports.fine = text => text')
  write('index.js', names.map(name => `require('${name}/lib/npm.js')`).join('\n'))
  const dependencies = Object.fromEntries(names.map(name => [name, '*']))
  write('package.json', JSON.stringify({ name: 'app', main: 'index.js', dependencies }))
  return count
}

/** Makes every file of a copy another one, and the deepest of its packages lead to what is vulnerable; how many packages it has. */
function alter(root: string, mark: string): number {
  let count = 0
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    const file = join(entry.parentPath, entry.name)
    if (!entry.isFile()) continue
    if (/\.[cm]?js$/.test(file)) writeFileSync(file, readFileSync(file, 'utf8') + mark)
    if (!/node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(file) && file !== join(root, 'package.json'))
      continue
    count++
    const manifest = JSON.parse(readFileSync(file, 'utf8'))
    if (manifest.name !== deep) continue
    writeFileSync(
      file,
      JSON.stringify({ ...manifest, dependencies: { ...manifest.dependencies, frail: '*' } }),
    )
    writeFileSync(
      join(entry.parentPath, 'index.js'),
      `${readFileSync(join(entry.parentPath, 'index.js'), 'utf8')}\nrequire('frail').fine('a')\n`,
    )
  }
  return count
}

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true })
  writeFileSync(join(folder, path), text)
}
