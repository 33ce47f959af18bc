// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { rootCertificates } from 'node:tls'
import { capabilities } from '@holdfast/core'
import { configKeys, environmentName, readConfig } from '@holdfast/server'

const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

/** Names in the first column of every table of a page. */
function firstColumn(page: string): Set<string> {
  const cells = [...read(page).matchAll(/^\| ([^|]+) \|/gm)].map(([, cell = '']) => cell)
  return new Set(cells.flatMap(cell => cell.split(',')).map(name => name.trim().replaceAll('`', '')))
}

function dependenciesOf(manifest: string): string[] {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read(manifest))
  return Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
}

test('every dependency has a row in docs/dependencies.md, and every row is a dependency', () => {
  const manifests = ['package.json', ...globSync('packages/*/package.json', { cwd: root })]
  const used = manifests.flatMap(dependenciesOf).filter(name => !name.startsWith('@holdfast/'))
  const described = firstColumn('docs/dependencies.md')
  described.delete('package')
  assert.deepEqual([...described].sort(), [...new Set(used)].sort())
})

test('docs/operating.md has a row for every key of the configuration, and no other', () => {
  const rows = [...read('docs/operating.md').matchAll(/^\| `(\w+)` \| `(HOLDFAST_\w+)` \|/gm)]
  const described = rows.map(([, key, environment]) => `${key} ${environment}`)
  assert.deepEqual(described.sort(), configKeys.map(key => `${key} ${environmentName(key)}`).sort())
})

test('the configurations in docs/operating.md are taken as they stand', t => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-docs-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const files = { tokenFile: join(folder, 'token'), ca: join(folder, 'ca.pem') }
  writeFileSync(files.tokenFile, 'a-token')
  writeFileSync(files.ca, rootCertificates[0] ?? '')
  const blocks = [...read('docs/operating.md').matchAll(/^```yaml\n(.*?)^```/gms)].map(
    ([, text = '']) => text,
  )
  assert.ok(blocks.length >= 3)
  for (const text of blocks) {
    const file = join(folder, 'holdfast.yaml')
    const there = (_: string, key: 'tokenFile' | 'ca') => `${key}: ${files[key]}`
    writeFileSync(file, text.replaceAll(/(tokenFile|ca): \S+/g, there))
    assert.doesNotThrow(() => readConfig({}, {}, file), text)
  }
})

test('core depends on nothing', () => {
  assert.deepEqual(dependenciesOf('packages/core/package.json'), [])
})

test('docs/principles says the home of every capability', () => {
  const rows = read('docs/principles/README.md').split('\n')
  for (const { id, home } of capabilities) {
    const found = rows.filter(row => row.includes(`\`${id}\``))
    assert.equal(found.length, 1, id)
    assert.match(found[0] ?? '', new RegExp(`packages/(server/src/)?${home}[\`/]`), id)
  }
})

test('the README of each principle serves capabilities that there are', () => {
  const ids = new Set<string>(capabilities.map(({ id }) => id))
  for (const page of globSync('packages/server/src/*/README.md', { cwd: root })) {
    const [, serves = ''] = /^Serves: (.*)$/m.exec(read(page)) ?? []
    const named = serves.match(/\b(?:authn|authz|general|cli|beyond)-[\w-]+/g) ?? []
    assert.ok(named.length > 0, page)
    for (const id of named) assert.ok(ids.has(id), `${page}: ${id}`)
  }
})

for (const page of ['bugs-of-others', 'firewall', 'integrity', 'vulnerabilities', 'incidents-and-community'])
  test(`docs/principles/${page}.md names tests that there are`, () => {
    const rows = read(`docs/principles/${page}.md`)
    const named = [
      ...rows.matchAll(/`((?:packages\/(?:cli|core)\/)?(?:test|src)\/[\w/.-]+)`: (.+?)(?=; `| \|$)/gm),
    ]
    assert.ok(named.length >= 20)
    for (const [, file = '', name = ''] of named) {
      const path = file.startsWith('packages/') ? file : `packages/server/${file}`
      assert.ok(read(path).includes(name), `${file}: ${name}`)
    }
  })

test('no tracked file names a public registry or a folder of the machine it was written on', () => {
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0')
  const hosts = ['registry.npmjs', 'registry.yarnpkg', 'npm.pkg.github'].map(
    host => `${host.replaceAll('.', '\\.')}\\.`,
  )
  const folders = ['work', 'root', 'home/\\w+'].map(folder => `(?<![\\w.}~-])/${folder}/`)
  const unwanted = new RegExp([...hosts, ...folders].join('|'))
  // Git also lists what was removed a moment ago.
  const there = files.filter(
    file => file !== '' && file !== 'test/docs.test.ts' && existsSync(join(root, file)),
  )
  const found = there.filter(file => unwanted.test(read(file)))
  assert.deepEqual(found, [])
})
