// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readLockGraph } from '../lock-file.ts'
import type { LockGraph } from './graph.ts'
import { findStrays } from './stray.ts'
import { pathsOf, scopesOf } from './walk.ts'

const manifest = {
  name: 'app',
  version: '1.0.0',
  dependencies: { a: '^1.0.0' },
  devDependencies: { '@acme/d': '^2.0.0' },
  optionalDependencies: { o: '^3.0.0' },
}
const manifests = [{ folder: '', manifest }]

/** The same project as each manager locks it: `a` needs `b`, `@acme/d` needs another `b` and `e`. */
const texts: Readonly<Record<string, string>> = {
  npm: JSON.stringify({
    lockfileVersion: 3,
    packages: {
      '': manifest,
      'node_modules/a': { version: '1.0.1', dependencies: { b: '^1.0.0' } },
      'node_modules/b': { version: '1.2.0' },
      'node_modules/@acme/d': { version: '2.0.0', dev: true, dependencies: { b: '^2.0.0', e: '*' } },
      'node_modules/@acme/d/node_modules/b': { version: '2.5.0', dev: true },
      'node_modules/e': { version: '1.0.0', dev: true },
      'node_modules/o': { version: '3.0.0', optional: true },
    },
  }),
  'npm 6': JSON.stringify({
    lockfileVersion: 1,
    dependencies: {
      a: { version: '1.0.1', requires: { b: '^1.0.0' } },
      b: { version: '1.2.0' },
      '@acme/d': {
        version: '2.0.0',
        requires: { b: '^2.0.0', e: '*' },
        dependencies: { b: { version: '2.5.0' } },
      },
      e: { version: '1.0.0' },
      o: { version: '3.0.0' },
    },
  }),
  pnpm: `lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: 1.0.1(e@1.0.0)\n    devDependencies:\n      '@acme/d':\n        specifier: ^2.0.0\n        version: 2.0.0\n    optionalDependencies:\n      o:\n        specifier: ^3.0.0\n        version: 3.0.0\n\npackages:\n\n  '@acme/d@2.0.0':\n    resolution: {integrity: sha512-x}\n\n  a@1.0.1:\n    resolution: {integrity: sha512-x}\n    peerDependencies:\n      e: '*'\n\n  b@1.2.0:\n    resolution: {integrity: sha512-x}\n\n  b@2.5.0:\n    resolution: {integrity: sha512-x}\n\n  e@1.0.0:\n    resolution: {integrity: sha512-x}\n\n  o@3.0.0:\n    resolution: {integrity: sha512-x}\n\nsnapshots:\n\n  '@acme/d@2.0.0':\n    dependencies:\n      b: 2.5.0\n      e: 1.0.0\n\n  a@1.0.1(e@1.0.0):\n    dependencies:\n      b: 1.2.0\n\n  b@1.2.0: {}\n\n  b@2.5.0: {}\n\n  e@1.0.0: {}\n\n  o@3.0.0:\n    optional: true\n`,
  yarn: `# yarn lockfile v1\n\n\n"@acme/d@^2.0.0":\n  version "2.0.0"\n  dependencies:\n    b "^2.0.0"\n    e "*"\n\na@^1.0.0:\n  version "1.0.1"\n  dependencies:\n    b "^1.0.0"\n\nb@^1.0.0, b@^1.1.0:\n  version "1.2.0"\n\nb@^2.0.0:\n  version "2.5.0"\n\ne@*:\n  version "1.0.0"\n\no@^3.0.0:\n  version "3.0.0"\n`,
  berry: `__metadata:\n  version: 8\n\n"@acme/d@npm:^2.0.0":\n  version: 2.0.0\n  resolution: "@acme/d@npm:2.0.0"\n  dependencies:\n    b: "npm:^2.0.0"\n    e: "npm:*"\n  languageName: node\n\n"a@npm:^1.0.0":\n  version: 1.0.1\n  resolution: "a@npm:1.0.1"\n  dependencies:\n    b: "npm:^1.0.0"\n\n"app@workspace:.":\n  version: 0.0.0-use.local\n  resolution: "app@workspace:."\n  dependencies:\n    "@acme/d": "npm:^2.0.0"\n    a: "npm:^1.0.0"\n    o: "npm:^3.0.0"\n  languageName: unknown\n  linkType: soft\n\n"b@npm:^1.0.0, b@npm:^1.1.0":\n  version: 1.2.0\n  resolution: "b@npm:1.2.0"\n\n"b@npm:^2.0.0":\n  version: 2.5.0\n  resolution: "b@npm:2.5.0"\n\n"e@npm:*":\n  version: 1.0.0\n  resolution: "e@npm:1.0.0"\n\n"o@npm:^3.0.0":\n  version: 3.0.0\n  resolution: "o@npm:3.0.0"\n`,
  bun: `{\n  "lockfileVersion": 1,\n  "workspaces": {\n    "": {\n      "name": "app",\n      "dependencies": { "a": "^1.0.0", },\n      "devDependencies": { "@acme/d": "^2.0.0", },\n      "optionalDependencies": { "o": "^3.0.0", },\n    },\n  },\n  "packages": {\n    "@acme/d": ["@acme/d@2.0.0", "", { "dependencies": { "b": "^2.0.0", "e": "*" } }, "sha512-x"],\n    "a": ["a@1.0.1", "", { "dependencies": { "b": "^1.0.0" } }, "sha512-x"],\n    "b": ["b@1.2.0", "", {}, "sha512-x"],\n    "e": ["e@1.0.0", "", {}, "sha512-x"],\n    "o": ["o@3.0.0", "", {}, "sha512-x"],\n    "@acme/d/b": ["b@2.5.0", "", {}, "sha512-x"],\n  }\n}\n`,
}

function describe(graph: LockGraph): string[] {
  const [scopes, pathOf] = [scopesOf(graph), pathsOf(graph)]
  return [...graph.nodes.values()]
    .map(({ key }) => {
      const path = pathOf(key).map(({ name, version }) => `${name}@${version}`)
      return `${path.join(' > ')} ${scopes.get(key)}`
    })
    .sort()
}

test('every manager tells the same of the same project: who needs what, by which way, and for what', () => {
  for (const [manager, text] of Object.entries(texts)) {
    const graph = readLockGraph(text, manifests)
    assert.ok(graph, manager)
    assert.deepEqual(
      describe(graph),
      [
        '@acme/d@2.0.0 > b@2.5.0 dev',
        '@acme/d@2.0.0 > e@1.0.0 dev',
        '@acme/d@2.0.0 dev',
        'a@1.0.1 > b@1.2.0 required',
        'a@1.0.1 required',
        'o@3.0.0 optional',
      ],
      manager,
    )
    assert.deepEqual(
      graph.roots.map(({ folder, name }) => [folder, name]),
      [['', 'app']],
    )
  }
})

test('packages of a workspace need what they need, and one another without installing anything', () => {
  const packages = {
    '': { name: 'app', workspaces: ['packages/*'] },
    'packages/own': { name: 'own', dependencies: { a: '^1.0.0', other: '*' } },
    'packages/other': { name: 'other' },
    'node_modules/own': { resolved: 'packages/own', link: true },
    'node_modules/other': { resolved: 'packages/other', link: true },
    'node_modules/a': { version: '9.0.0' },
    'packages/own/node_modules/a': { version: '1.0.0' },
  }
  const graph = readLockGraph(JSON.stringify({ lockfileVersion: 3, packages }))
  const own = graph?.roots.find(({ folder }) => folder === 'packages/own')
  assert.deepEqual(
    own?.needs.map(({ name, to }) => [name, to]),
    [
      ['a', 'packages/own/node_modules/a'],
      ['other', undefined],
    ],
  )
})

const isExpected = (_: string, { origin }: URL) => origin === 'https://registry.example'
const strays = (text: string) =>
  findStrays(readLockGraph(text) as LockGraph, isExpected).map(({ name, why }) => `${name}: ${why}`)

/** One entry as each manager writes it where its address is this one. */
const addressed: Readonly<Record<string, (address: string) => string>> = {
  npm: resolved =>
    JSON.stringify({ lockfileVersion: 3, packages: { 'node_modules/a': { version: '1.0.0', resolved } } }),
  'npm 6': version => JSON.stringify({ lockfileVersion: 1, dependencies: { a: { version } } }),
  pnpm: address =>
    `lockfileVersion: '9.0'\n\npackages:\n\n  a@${address}:\n    resolution: {tarball: ${address}}\n    version: 1.0.0\n`,
  yarn: address => `# yarn lockfile v1\n\n\na@^1.0.0:\n  version "1.0.0"\n  resolved "${address}"\n`,
  berry: address =>
    `__metadata:\n  version: 8\n\n"a@${address}":\n  version: 1.0.0\n  resolution: "a@${address}"\n`,
  bun: address =>
    `{\n  "lockfileVersion": 1,\n  "workspaces": {\n    "": {},\n  },\n  "packages": {\n    "a": ["a@${address}", {}, "sha512-x"],\n  }\n}\n`,
}

test('what comes from repositories, other registries and plain http is found in the lock files of every manager', () => {
  for (const [manager, write] of Object.entries(addressed)) {
    assert.match(
      strays(write('git+ssh://git@git.example/a.git#abc')).join(),
      /^a: it comes from a repository/,
      manager,
    )
    assert.match(
      strays(write('https://evil.example/a/-/a-1.0.0.tgz')).join(),
      /^a: it comes from .*evil\.example/,
      manager,
    )
    assert.match(
      strays(write('http://evil.example/a/-/a-1.0.0.tgz')).join(),
      /http.*evil\.example|evil\.example/,
      manager,
    )
  }
  for (const manager of ['npm', 'yarn'])
    assert.deepEqual(
      strays(addressed[manager]?.('https://registry.example/a/-/a-1.0.0.tgz') ?? ''),
      [],
      manager,
    )
  const archive = `__metadata:\n  version: 8\n\n"a@npm:^1.0.0":\n  version: 1.0.0\n  resolution: "a@npm:1.0.0::__archiveUrl=https%3A%2F%2Fevil.example%2Fa.tgz"\n`
  assert.match(strays(archive).join(), /another registry, evil\.example/)
  const bun =
    addressed['bun']?.('1.0.0').replace('"a@1.0.0",', '"a@1.0.0", "http://evil.example/a.tgz",') ?? ''
  assert.match(strays(bun).join(), /plain http, from evil\.example/)
})

test('another package in the place of one that was asked for is found, an alias is not', () => {
  const lock = (range: string) =>
    JSON.stringify({
      lockfileVersion: 3,
      packages: {
        '': { dependencies: { lodash: range } },
        'node_modules/lodash': { name: 'evil', version: '4.17.21' },
      },
    })
  assert.match(strays(lock('^4.0.0')).join(), /^evil: it stands where lodash was asked for/)
  assert.deepEqual(strays(lock('npm:evil@^4.0.0')), [])
})
