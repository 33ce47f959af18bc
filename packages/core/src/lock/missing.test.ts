// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readLockGraph } from '../lock-file.ts'
import { listMissing } from './missing.ts'

const manifest = { name: 'app', version: '1.0.0', dependencies: { a: '^1.0.0' }, devDependencies: { d: '*' } }
const manifests = [{ folder: '', manifest }]

function missingOf(text: string, from = manifests): readonly string[] | undefined {
  const graph = readLockGraph(text, from)
  return graph === undefined ? undefined : listMissing(graph, from)
}

const importers = `importers:\n  .:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: 1.0.1\n    devDependencies:\n      d:\n        specifier: '*'\n        version: 2.0.0\n`
const pnpm = (packages: string, own = importers) => `lockfileVersion: '9.0'\n\n${own}\n${packages}`
const inBlocks =
  'packages:\n  a@1.0.1:\n    resolution: {integrity: sha512-x}\n  d@2.0.0:\n    resolution: {integrity: sha512-x}\n'
const bun = (
  packages: string,
  needs = '"dependencies": { "a": "^1.0.0" }, "devDependencies": { "d": "*" }',
) =>
  `{\n  "lockfileVersion": 1,\n  "workspaces": {\n    "": { "name": "app", ${needs} },\n  },\n  "packages": ${packages}\n}\n`
const both = '{ "a": ["a@1.0.1", "", {}, "sha512-x"], "d": ["d@2.0.0", "", {}, "sha512-x"], }'

test('a lock file that holds what is needed misses nothing', () => {
  assert.deepEqual(missingOf(pnpm(inBlocks)), [])
  assert.deepEqual(missingOf(bun(both)), [])
})

test('a lock file that is emptied, or hides what it holds, is not taken for one with nothing in it', () => {
  const all = ['a', 'd']
  assert.deepEqual(missingOf(pnpm('packages: {}\n')), all)
  assert.deepEqual(missingOf(pnpm('')), all)
  assert.deepEqual(missingOf(pnpm('', '')), all)
  assert.deepEqual(missingOf(pnpm('', 'importers:\n  .: {}\n')), all)
  assert.deepEqual(missingOf(bun('{}')), all)
  assert.deepEqual(missingOf(bun('[]')), all)
  assert.deepEqual(missingOf(bun('{ "a": "a@1.0.1", "d": {} }')), all)
  assert.deepEqual(missingOf(bun(both, '"dependencies": {}')), all)
})

test('what stands in a part of YAML that is not read is no lock file', () => {
  for (const packages of [
    'packages: {a@1.0.1: {resolution: {integrity: sha512-x}}}\n',
    'packages: &all\n  a@1.0.1: {}\n',
    'packages:\n  <<: *all\n',
    'packages:\n  a@1.0.1: *one\n',
    'packages: !!map\n  a@1.0.1: {}\n',
  ])
    assert.equal(missingOf(pnpm(packages)), undefined, packages)
  assert.equal(missingOf(pnpm(inBlocks, 'importers: {.: {dependencies: {}}}\n')), undefined)
})

test('what is needed further down is missed too', () => {
  const deep = bun(
    '{ "a": ["a@1.0.1", "", { "dependencies": { "b": "*" } }, "sha512-x"], "d": ["d@2.0.0", "", {}, "sha512-x"], }',
  )
  assert.deepEqual(missingOf(deep), ['b, which a needs'])
})

test('packages of the project, folders, and what is optional are not missed', () => {
  const text = `lockfileVersion: '9.0'\n\nimporters:\n  .:\n    dependencies:\n      ui:\n        specifier: ^1.0.0\n        version: link:packages/ui\n    optionalDependencies:\n      o:\n        specifier: '*'\n        version: 1.0.0\n  packages/ui: {}\n`
  assert.deepEqual(missingOf(text, []), [])
  const npm = JSON.stringify({
    lockfileVersion: 3,
    packages: {
      '': { name: 'app', dependencies: { ui: '^1.0.0', f: 'file:../f' }, optionalDependencies: { o: '*' } },
      'node_modules/ui': { resolved: 'packages/ui', link: true },
      'packages/ui': { name: 'ui', version: '1.0.0' },
    },
  })
  assert.deepEqual(missingOf(npm, []), [])
})
