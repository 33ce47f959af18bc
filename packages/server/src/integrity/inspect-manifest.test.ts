// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isProblem } from '@holdfast/core'
import { checkManifestAgrees, servedManifest } from './inspect-manifest.ts'

type Manifest = Record<string, unknown>

const base = { name: 'a', version: '1.0.0' }

const same: readonly (readonly [what: string, inTarball: Manifest, published: Manifest])[] = [
  ['nothing but name and version', {}, {}],
  [
    'fields that do not decide on an install',
    { description: 'x', scripts: { test: 'a' } },
    { keywords: ['b'] },
  ],
  ['spaces around the name', { name: ' a ' }, {}],
  ['a version with v', { version: 'v1.0.0' }, {}],
  ['a version with = and spaces', { version: ' = 1.0.0 ' }, {}],
  ['build metadata', { version: '1.0.0+build.7' }, {}],
  ['a loose prerelease', { version: '01.0.0beta' }, { version: '1.0.0-beta' }],
  ['a bin given as text', { bin: './cli.js' }, { bin: { a: 'cli.js' } }],
  ['a bin of a scoped package', { name: '@s/b', bin: 'c.js' }, { name: '@s/b', bin: { b: 'c.js' } }],
  ["bun's bin of a scoped package", { name: '@s/b', bin: 'c.js' }, { name: '@s/b', bin: { '@s/b': 'c.js' } }],
  ['a bin given as a list', { bin: ['./x.js', 'b/y.js'] }, { bin: { 'x.js': 'x.js', 'y.js': 'b/y.js' } }],
  ['a bin that climbs', { bin: { '../x': '../../y.js', z: '.\\c.js' } }, { bin: { x: 'y.js', z: 'c.js' } }],
  ['a bin that is none', { bin: { x: 3 } }, {}],
  ['bins of a folder', { directories: { bin: './bin' } }, { bin: { x: 'bin/x' } }],
  ['bins of a folder that the client leaves to the install', { directories: { bin: 'bin' } }, {}],
  [
    'a script from node_modules/.bin',
    { scripts: { install: './node_modules/.bin/x y' } },
    { scripts: { install: 'x y' } },
  ],
  ['an empty install script', { scripts: { install: '' } }, {}],
  ['a script that is none', { scripts: { install: 1 } }, { scripts: {} }],
  ['the build that npm adds', {}, { scripts: { install: 'node-gyp rebuild' }, gypfile: true }],
  ['dependencies given as a list', { dependencies: ['x@^1', 'y'] }, { dependencies: { x: '^1', y: '' } }],
  ['dependencies given as text', { dependencies: 'x@1, y@2' }, { dependencies: { x: '1', y: '2' } }],
  ['a dependency that is none', { dependencies: { x: 1 } }, { dependencies: {} }],
  ['GitHub by shortcut', { dependencies: { x: 'u/r#v1' } }, { dependencies: { x: 'github:u/r#v1' } }],
  [
    'GitHub by address',
    { dependencies: { x: 'https://github.com/u/r' } },
    { dependencies: { x: 'git+https://github.com/u/r.git' } },
  ],
  [
    'GitHub by ssh',
    { dependencies: { x: 'git@github.com:u/r.git' } },
    { dependencies: { x: 'git+ssh://git@github.com/u/r.git' } },
  ],
  [
    'optional ones among the others',
    { optionalDependencies: { x: '1' } },
    { dependencies: { x: '1' }, optionalDependencies: { x: '1' } },
  ],
  [
    'bundledDependencies',
    { dependencies: { x: '1' }, bundledDependencies: ['x'] },
    { dependencies: { x: '1' }, bundleDependencies: ['x'] },
  ],
  [
    'all bundled',
    { dependencies: { x: '1' }, bundleDependencies: true },
    { dependencies: { x: '1' }, bundleDependencies: ['x'] },
  ],
  ['none bundled', { bundleDependencies: false }, { bundleDependencies: [] }],
  [
    'a bundled one that is no dependency',
    { bundleDependencies: ['x'] },
    { bundleDependencies: ['x'], dependencies: { x: '*' } },
  ],
]

const different: readonly (readonly [
  what: string,
  inTarball: Manifest,
  published: Manifest,
  field: string,
])[] = [
  ['another name', { name: 'b' }, {}, 'name'],
  ['a name in capitals', { name: 'A' }, {}, 'name'],
  ['no name', { name: undefined }, {}, 'name'],
  ['another version', { version: '1.0.1' }, {}, 'version'],
  ['another prerelease', { version: '1.0.0-a' }, { version: '1.0.0-b' }, 'version'],
  ['a version that is none', { version: 'one' }, {}, 'version'],
  ['a hidden dependency', { dependencies: { evil: '1' } }, {}, 'dependencies.evil'],
  ['an added dependency', {}, { dependencies: { evil: '1' } }, 'dependencies.evil'],
  ['another range', { dependencies: { x: '^1' } }, { dependencies: { x: '^2' } }, 'dependencies.x'],
  ['another repository', { dependencies: { x: 'u/r' } }, { dependencies: { x: 'v/r' } }, 'dependencies.x'],
  [
    'another commit',
    { dependencies: { x: 'u/r#a' } },
    { dependencies: { x: 'github:u/r#b' } },
    'dependencies.x',
  ],
  ['another host', { dependencies: { x: 'u/r' } }, { dependencies: { x: 'gitlab:u/r' } }, 'dependencies.x'],
  [
    'a host that only begins like one',
    { dependencies: { x: 'https://github.com.evil.example/u/r' } },
    { dependencies: { x: 'u/r' } },
    'dependencies.x',
  ],
  [
    'an optional dependency that is not',
    { optionalDependencies: { x: '1' } },
    { dependencies: { x: '1' } },
    'dependencies.x',
  ],
  ['a hidden optional dependency', { optionalDependencies: { x: '1' } }, {}, 'optionalDependencies.x'],
  ['a hidden peer', { peerDependencies: { x: '1' } }, {}, 'peerDependencies.x'],
  [
    'a hidden bundle',
    { dependencies: { x: '1' }, bundleDependencies: ['x'] },
    { dependencies: { x: '1' } },
    'bundleDependencies.x',
  ],
  ['a hidden install script', { scripts: { postinstall: 'evil' } }, {}, 'scripts.postinstall'],
  ['another install script', { scripts: { install: 'a' } }, { scripts: { install: 'b' } }, 'scripts.install'],
  [
    'a build behind another script',
    { scripts: { preinstall: 'a' } },
    { scripts: { preinstall: 'a', install: 'node-gyp rebuild' } },
    'scripts.install',
  ],
  ['a hidden command', { bin: { ls: 'x.js' } }, {}, 'bin.ls'],
  ['a command elsewhere', { bin: 'x.js' }, { bin: { a: 'y.js' } }, 'bin.a'],
  [
    'a command outside the folder of commands',
    { directories: { bin: 'bin' } },
    { bin: { x: 'lib/x' } },
    'bin.x',
  ],
  [
    'a command of the folder under another name',
    { directories: { bin: 'bin' } },
    { bin: { ls: 'bin/x' } },
    'bin.ls',
  ],
]

for (const [what, inTarball, published] of same) {
  test(`manifests agree: ${what}`, () =>
    checkManifestAgrees({ ...base, ...inTarball }, { ...base, ...published }))
}

for (const [what, inTarball, published, field] of different) {
  test(`manifests disagree: ${what}`, () => {
    assert.throws(
      () => checkManifestAgrees({ ...base, ...inTarball }, { ...base, ...published }),
      caught => isProblem(caught) && caught.code === 'manifest-mismatch' && caught.data['field'] === field,
    )
  })
}

test('a disagreement says what was found and what was published', () => {
  assert.throws(() => checkManifestAgrees({ ...base, scripts: { install: 'a' } }, base), {
    message:
      "package.json in the tarball and the published manifest disagree on scripts.install: 'a' and nothing",
  })
})

test('what is served has one shape: commands stay inside, dependencies are names with ranges', () => {
  const served = servedManifest({
    ...base,
    bin: { '../x': '../../y.js', z: 'c.js' },
    dependencies: ['left-pad@^1.0.0'],
    optionalDependencies: { b: '1', c: 7 },
    bundledDependencies: { d: true },
    engines: { node: '>=20' },
  })
  assert.deepEqual(served, {
    ...base,
    bin: { x: 'y.js', z: 'c.js' },
    dependencies: { 'left-pad': '^1.0.0' },
    optionalDependencies: { b: '1' },
    bundleDependencies: ['d'],
    engines: { node: '>=20' },
  })
})

test('what needs no mending is served as it was published', () => {
  const published = {
    ...base,
    bin: { a: 'cli.js' },
    dependencies: { b: 'workspace-free' },
    scripts: { test: 'x' },
  }
  assert.deepEqual(servedManifest(published), published)
})
